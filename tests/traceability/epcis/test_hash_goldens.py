"""Every golden of the public reference: hash ids and pre-hash strings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from traceability.epcis import Event, event_id, parse_document, prehash

pytestmark = pytest.mark.feature("T2")

NAMES = [
    "CertificationInfoAndSensorReportWithCRS",
    "ReferenceEventHashAlgorithm",
    "ReferenceEventHashAlgorithm2",
    "TimeStampRoundOff",
    "epcisDocWithAllGS1Keys",
    "epcisDocWithSensorDataObjectEvent",
    "epcisDocWithSingleEvent",
    "epcisDocWithVariousEventTypes",
    "epcisEventWithCURIEs",
    "epcisQueryDocument",
    "epclist_normalisation",
    "persistentDisposition",
]
OVERWRITTEN = "epcisDocWithAllGS1Keys"


def _events(shared_data: Path, name: str) -> tuple[Event, ...]:
    file = shared_data / "epcis" / "hashes" / f"{name}.jsonld"
    return parse_document(file.read_bytes()).events


def _golden(shared_data: Path, name: str, kind: str) -> list[str]:
    return (shared_data / "epcis" / "hashes" / f"{name}.{kind}").read_text().split("\n")


def test_every_golden_document_is_tested(shared_data: Path) -> None:
    found = {file.stem for file in (shared_data / "epcis" / "hashes").glob("*.jsonld")}
    assert found == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_hash_ids_are_the_golden_ones(shared_data: Path, name: str) -> None:
    expected = [line for line in _golden(shared_data, name, "hashes") if line]
    events = _events(shared_data, name)
    assert [event.event_id for event in events] == expected
    assert [event_id(event) for event in events] == expected
    assert [event_id(event.body) for event in events] == expected


@pytest.mark.parametrize("name", [name for name in NAMES if name != OVERWRITTEN])
def test_prehash_strings_are_the_golden_ones(shared_data: Path, name: str) -> None:
    expected = [line for line in _golden(shared_data, name, "prehashes") if line]
    assert [prehash(event) for event in _events(shared_data, name)] == expected


def test_overwritten_golden_prehash_is_a_damaged_copy_of_ours(shared_data: Path) -> None:
    """The file of the corpus is not the text that was hashed: pieces of it are overwritten, as by a
    terminal (`epc=httpspc=`, `epc=htt402/4012ps://`). It holds no carriage return any more, so it
    cannot be repaired from itself. What can be compared: our text has the golden hash (above), the
    undamaged runs between two damaged places are the same and in the same order."""
    (damaged,) = [line for line in _golden(shared_data, OVERWRITTEN, "prehashes") if line]
    (event,) = _events(shared_data, OVERWRITTEN)
    ours = prehash(event)
    assert damaged != ours
    assert "\r" not in damaged
    assert damaged.isascii()
    elements = re.findall(
        r"(?:epc|epcClass)=https://id\.gs1\.org/[0-9]+/[0-9A-Za-z/]+?(?=epc|quan|action)", ours
    )
    assert len(elements) == 21
    place = 0
    intact = 0
    for element in elements:
        found = damaged.find(element, place)
        if found >= 0:
            place, intact = found, intact + 1
    assert intact >= 13
    assert damaged.startswith(ours[: ours.index("epc=https://id.gs1.org/00/")])
    assert damaged.endswith(ours[ours.index("readPoint") :])
