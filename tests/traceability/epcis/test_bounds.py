"""Contexts: what they may hold, what they mean, and that no document costs more than its size."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.traceability.epcis.mutation import EPCIS
from traceability.epcis import Document, DocumentRefused, parse_document, prehash

pytestmark = pytest.mark.feature("T2")

EVENT: dict[str, Any] = {
    "type": "ObjectEvent",
    "action": "OBSERVE",
    "eventTime": "2026-01-31T08:00:00Z",
    "eventTimeZoneOffset": "+00:00",
    "epcList": ["urn:epc:id:sgtin:4012345.011111.9"],
}


def _read(context: list[Any], *events: dict[str, Any]) -> Document:
    document = {
        "@context": context,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-01-31T09:00:00Z",
        "epcisBody": {"eventList": list(events)},
    }
    return parse_document(json.dumps(document).encode())


@pytest.mark.parametrize(
    "address",
    [
        "https://ref.gs1.org/standards/epcis/epcis-context.jsonld",
        "https://ref.gs1.org/standards/epcis/2.1.0/epcis-context.jsonld",
        "https://gs1.github.io/EPCIS/epcis-context.jsonld",
        "https://drafts.example/EPCIS_2_0_1-draft-context.jsonld",
    ],
)
def test_any_address_of_the_epcis_context_will_do(address: str) -> None:
    assert len(_read(["https://ref.example/other/context.jsonld", address], EVENT).events) == 1


def test_a_context_that_is_not_of_epcis_does_not_suffice() -> None:
    with pytest.raises(DocumentRefused, match="must name the EPCIS context"):
        _read(["https://ref.example/other/context.jsonld"], EVENT)


def test_an_event_may_give_a_prefix_its_former_meaning_again() -> None:
    one, two = {"p": "https://one.example/"}, {"p": "https://two.example/"}
    (event,) = _read([EPCIS, one, two], {**EVENT, "@context": [one], "p:x": "1"}).events
    assert prehash(event).endswith("{https://one.example/}x=1")
    assert event.body["@context"] == [EPCIS, one, two, one]


def test_an_entry_that_says_nothing_new_is_left_out() -> None:
    one, two = {"p": "https://one.example/"}, {"q": "https://two.example/"}
    (event,) = _read([EPCIS, one, two], {**EVENT, "@context": [EPCIS, one]}).events
    assert event.body["@context"] == [EPCIS, one, two]


def test_a_namespace_of_inordinate_length_is_refused() -> None:
    with pytest.raises(DocumentRefused, match="longer than 256 characters"):
        _read([EPCIS, {"p": "https://one.example/" + "n" * 300}], EVENT)


def test_a_context_of_inordinate_size_is_refused() -> None:
    terms = [{f"p{i}_{j}": "https://one.example/" for j in range(100)} for i in range(30)]
    with pytest.raises(DocumentRefused, match="at most 65536 are allowed"):
        _read([EPCIS, *terms], EVENT)


def test_contexts_that_many_events_would_carry_are_refused_in_time() -> None:
    terms = {f"p{i}": f"https://one.example/{'n' * 30}" for i in range(900)}
    started = time.perf_counter()
    with pytest.raises(DocumentRefused, match="contexts of all events together"):
        _read([EPCIS, terms], *[{**EVENT, "@context": [{f"q{i}": "a:b"}]} for i in range(10_000)])
    assert time.perf_counter() - started < 20


def test_links_made_of_keys_only_are_read_in_time() -> None:
    links = [f"https://a{i}.example" + "/01" * 650 for i in range(1000)]
    started = time.perf_counter()
    assert _read([EPCIS, {"ex": "https://ns.example/"}], {**EVENT, "ex:links": links}).events
    assert time.perf_counter() - started < 5
