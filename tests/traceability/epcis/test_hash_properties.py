"""What the hash id must not see, and what it must, for any event."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traceability.epcis import event_id, parse_document, prehash
from traceability.gs1 import parse_identifier

pytestmark = pytest.mark.feature("T2")

EPCIS = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
WORDS = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=12
)
SCALARS = WORDS | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e12, 1e12)
NAMES = st.text("abcXYZ", min_size=1, max_size=3).map(lambda name: f"ex:{name}")
EXTENSIONS = st.dictionaries(
    NAMES,
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=4,
)
SERIALS = st.integers(1, 10**12).map(str)
SGTINS = SERIALS.map(lambda serial: f"urn:epc:id:sgtin:4012345.011111.{serial}")
LOTS = st.builds(
    lambda lot, quantity: {
        "epcClass": f"urn:epc:class:lgtin:4012345.012345.{lot}",
        "quantity": quantity,
    },
    SERIALS,
    st.floats(0, 1e6) | st.integers(0, 10**6),
)
REPORTS = st.builds(
    lambda kind, value, extra: {"type": kind, "value": value, **extra},
    st.sampled_from(["Temperature", "Speed", "AbsoluteHumidity"]),
    st.floats(-100, 100),
    EXTENSIONS,
)
TIMES = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)).map(
    lambda time: time.replace(microsecond=time.microsecond // 1000 * 1000)
)


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """Any ObjectEvent with sensors, parties and extensions."""
    time = draw(TIMES).replace(tzinfo=UTC)
    return {
        "@context": [EPCIS, {"ex": "https://ns.example.com/"}],
        "type": "ObjectEvent",
        "eventTime": time.isoformat(),
        "eventTimeZoneOffset": "+02:00",
        "action": "OBSERVE",
        "epcList": draw(st.lists(SGTINS, min_size=1, max_size=5, unique=True)),
        "quantityList": draw(st.lists(LOTS, max_size=3)),
        "sourceList": [
            {"type": kind, "source": "urn:epc:id:pgln:4012345.00225"}
            for kind in draw(st.permutations(["location", "owning_party"]))
        ],
        "sensorElementList": [
            {"sensorReport": reports}
            for reports in draw(st.lists(st.lists(REPORTS, min_size=1, max_size=3), max_size=2))
        ],
        **draw(EXTENSIONS),
    }


def _shuffled(value: Any, shuffle: random.Random) -> Any:
    """The same value with keys of objects and items of lists in another order."""
    if isinstance(value, dict):
        items = [(key, _shuffled(inner, shuffle)) for key, inner in value.items()]
        shuffle.shuffle(items)
        return dict(items)
    if isinstance(value, list):
        inner = [_shuffled(item, shuffle) for item in value]
        shuffle.shuffle(inner)
        return inner
    return value


@settings(max_examples=50)
@given(events(), st.randoms(use_true_random=False))
def test_order_of_keys_and_of_lists_does_not_count(
    event: dict[str, Any], shuffle: random.Random
) -> None:
    assert prehash(_shuffled(event, shuffle)) == prehash(event)


@settings(max_examples=50)
@given(events(), st.sampled_from(["https://id.gs1.org", "https://brand.example/x"]))
def test_urn_and_digital_link_are_the_same(event: dict[str, Any], domain: str) -> None:
    other = dict(event)
    other["epcList"] = [
        parse_identifier(epc).digital_link(domain) + "?linkType=all" for epc in event["epcList"]
    ]
    other["sourceList"] = [
        {**source, "source": parse_identifier(source["source"]).digital_link(domain)}
        for source in event["sourceList"]
    ]
    assert event_id(other) == event_id(event)


@settings(max_examples=50)
@given(events(), st.integers(-14 * 60, 14 * 60), st.integers(0, 6))
def test_spelling_of_the_instant_does_not_count_but_the_offset_does(
    event: dict[str, Any], minutes: int, zeros: int
) -> None:
    time = datetime.fromisoformat(event["eventTime"])
    local = time.astimezone(timezone(timedelta(minutes=minutes)))
    spelled = local.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03}" + "0" * zeros
    sign = "-" if minutes < 0 else "+"
    spelled += f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    assert event_id({**event, "eventTime": spelled}) == event_id(event)
    assert event_id({**event, "eventTimeZoneOffset": "+03:00"}) != event_id(event)


@settings(max_examples=50)
@given(events(), st.integers(1, 10**9), st.integers(1, 8))
def test_spelling_of_json_numbers_does_not_count(
    event: dict[str, Any], whole: int, zeros: int
) -> None:
    texts = [f"{whole}", f"{whole}.{'0' * zeros}", f"{whole}e0", f"{whole}0E-1"]
    base = json.dumps({**event, "ex:number": "@"})
    ids = {
        parse_document(base.replace('"@"', text, 1).encode()).events[0].event_id for text in texts
    }
    assert len(ids) == 1


@settings(max_examples=50)
@given(events(), st.randoms(use_true_random=False))
def test_parsing_a_document_gives_the_id_of_the_bare_event(
    event: dict[str, Any], shuffle: random.Random
) -> None:
    raw = {key: value for key, value in event.items() if key != "@context"}
    document = {
        "@context": event["@context"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-01-01T00:00:00Z",
        "epcisBody": {"eventList": [_shuffled(raw, shuffle)]},
    }
    parsed = parse_document(json.dumps(document).encode()).events[0]
    again = parse_document(parsed.canonical_bytes).events[0]
    assert parsed.event_id == event_id(event) == again.event_id
    assert parsed.digest == again.digest


@settings(max_examples=50)
@given(events(), st.data())
def test_change_of_any_identifier_changes_the_id(
    event: dict[str, Any], data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(event["epcList"]) - 1))
    changed = list(event["epcList"])
    changed[index] += "X"
    assert event_id({**event, "epcList": changed}) != event_id(event)
