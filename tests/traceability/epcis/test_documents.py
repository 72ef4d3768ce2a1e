"""What is accepted, and what an accepted event is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from traceability.epcis import (
    EVENTS_MAX,
    AggregationEvent,
    DocumentRefused,
    ObjectEvent,
    parse_document,
)

pytestmark = pytest.mark.feature("T1")

Make = Callable[..., dict[str, Any]]
Encode = Callable[[Any], bytes]


def test_every_public_valid_document_is_accepted(shared_data: Path) -> None:
    folders = [shared_data / "epcis" / name for name in ("documents", "hashes")]
    files = [f for folder in folders for f in sorted(folder.iterdir()) if "json" in f.suffix]
    assert len(files) == 15 + 12
    for file in files:
        raw = json.loads(file.read_bytes())
        body = raw["epcisBody"]
        results = body.get("queryResults", {}).get("resultsBody", body)
        document = parse_document(file.read_bytes())
        assert len(document.events) == len(results["eventList"]) > 0, file.name
        for event, original in zip(document.events, results["eventList"], strict=True):
            kept = {key: value for key, value in event.body.items() if key != "@context"}
            dropped = ("@context", "recordTime")
            assert kept == {key: original[key] for key in original if key not in dropped}
            assert parse_document(event.canonical_bytes).events[0].digest == event.digest


def test_document_keeps_its_envelope(make_document: Make, make_event: Make, encode: Encode) -> None:
    document = parse_document(
        encode(
            make_document(
                make_event(**{"@context": ...}),
                sender="urn:epc:id:sgln:0353579.00001.0",
                receiver="urn:epc:id:sgln:5012345.00001.0",
                instanceIdentifier="1234567890",
                epcisHeader={"epcisMasterData": {"vocabularyList": []}},
                **{"ex:note": 1},
            )
        )
    )
    assert document.type == "EPCISDocument"
    assert document.header["sender"] == "urn:epc:id:sgln:0353579.00001.0"
    assert document.header["creationDate"] == "2026-01-31T10:00:00Z"
    assert document.header["epcisHeader"] == {"epcisMasterData": {"vocabularyList": []}}
    assert document.header["ex:note"] == 1
    assert "epcisBody" not in document.header
    assert document.warnings == ()


def test_query_document_gives_events_query_name_and_subscription(
    make_document: Make, make_event: Make, encode: Encode
) -> None:
    query = make_document(
        type="EPCISQueryDocument",
        epcisBody={
            "queryResults": {
                "queryName": "SimpleEventQuery",
                "subscriptionID": "s-1",
                "resultsBody": {"eventList": [make_event(recordTime="2026-02-01T00:00:00Z")]},
            }
        },
    )
    document = parse_document(encode(query))
    assert document.header["queryName"] == "SimpleEventQuery"
    assert document.header["subscriptionID"] == "s-1"
    (event,) = document.events
    assert event.pointer == "/epcisBody/queryResults/resultsBody/eventList/0"
    assert "recordTime" not in event.body


def test_bare_event_and_array_of_bare_events(make_event: Make, encode: Encode) -> None:
    bare = parse_document(encode(make_event()))
    array = parse_document(encode([make_event(), make_event(action="ADD")]))
    assert bare.type == "ObjectEvent"
    assert array.type == "array"
    assert array.events[0].event_id == bare.events[0].event_id != array.events[1].event_id
    assert [event.pointer for event in array.events] == ["/0", "/1"]
    assert parse_document(b"[]").events == ()


def test_event_has_its_own_whole_context(
    make_document: Make, make_event: Make, encode: Encode
) -> None:
    own = [{"ex": "https://ns.example.com/epcis/"}, {"two": "https://two.example/"}]
    event = make_event(**{"@context": own, "ex:a": "1", "two:b": "2"})
    (read,) = parse_document(encode(make_document(event))).events
    assert read.body["@context"] == [
        "https://ref.gs1.org/standards/epcis/epcis-context.jsonld",
        {"ex": "https://ns.example.com/epcis/"},
        {"two": "https://two.example/"},
    ]


def test_contexts_of_one_event_do_not_leak_into_the_next(
    make_document: Make, make_event: Make, encode: Encode
) -> None:
    first = make_event(**{"@context": [{"two": "https://two.example/"}], "two:b": "2"})
    second = make_event(**{"@context": ..., "two:b": "2"})
    with pytest.raises(DocumentRefused) as caught:
        parse_document(encode(make_document(first, second)))
    assert [p.pointer for p in caught.value.problems] == ["/epcisBody/eventList/1/two:b"]


def test_event_carries_model_time_type_and_digest(make_event: Make, encode: Encode) -> None:
    (event,) = parse_document(encode(make_event(quantityList=[]))).events
    assert isinstance(event.model, ObjectEvent)
    assert event.model.epcList[0] == "urn:epc:id:sgtin:4012345.011111.9876"
    assert event.type == "ObjectEvent"
    assert event.event_time == datetime(2026, 1, 31, 8, 30, tzinfo=UTC)
    assert event.digest == hashlib.sha256(event.canonical_bytes).hexdigest()
    assert json.loads(event.canonical_bytes) == event.body
    with pytest.raises(ValidationError):
        event.model.action = "ADD"
    with pytest.raises(AttributeError):
        event.event_id = "x"  # type: ignore[misc]


def test_extensions_are_kept_at_every_level(make_event: Make, encode: Encode) -> None:
    deep = {"ex:b": [1, {"plain": {"ex:c": None}}]}
    event = make_event(
        action="ADD",
        readPoint={"id": "urn:x:1", "ex:a": deep},
        bizLocation={"id": "urn:x:2", "ex:a": deep},
        errorDeclaration={"declarationTime": "2026-02-01T00:00:00Z", "ex:a": deep},
        ilmd={"ex:a": deep, "cbvmda:lotNumber": "L"},
        sensorElementList=[
            {
                "ex:a": deep,
                "sensorMetadata": {"ex:a": deep},
                "sensorReport": [{"type": "Temperature", "ex:a": deep}],
            }
        ],
        **{"ex:a": deep, "https://full.example/iri": deep},
    )
    (read,) = parse_document(encode(event)).events
    assert read.body == event


def test_digest_binds_what_the_hash_id_leaves_out(make_event: Make, encode: Encode) -> None:
    plain = parse_document(encode(make_event())).events[0]
    declared = make_event(errorDeclaration={"declarationTime": "2026-02-01T00:00:00Z"})
    changed = parse_document(encode(declared)).events[0]
    assert plain.event_id == changed.event_id
    assert plain.digest != changed.digest


def test_wrong_claimed_hash_id_is_a_warning_and_with_strict_a_fault(
    make_event: Make, encode: Encode
) -> None:
    right = parse_document(encode(make_event())).events[0].event_id
    assert parse_document(encode(make_event(eventID=right)), strict=True).warnings == ()
    other = encode(make_event(eventID="ni:///sha-256;" + "0" * 64 + "?ver=CBV2.0"))
    (warning,) = parse_document(other).warnings
    assert warning.pointer == "/eventID"
    assert right in warning.reason
    with pytest.raises(DocumentRefused, match="eventID"):
        parse_document(other, strict=True)


def test_ids_of_other_kinds_are_not_compared(make_event: Make, encode: Encode) -> None:
    for other in ("urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8", "ni:///sha-512;00?ver=CBV2.1"):
        assert parse_document(encode(make_event(eventID=other)), strict=True).warnings == ()


def test_ilmd_of_an_observation_is_a_warning_and_with_strict_a_fault(
    make_event: Make, encode: Encode
) -> None:
    data = encode(make_event(ilmd={"ex:a": "1"}))
    assert [warning.pointer for warning in parse_document(data).warnings] == ["/ilmd"]
    with pytest.raises(DocumentRefused, match="ADD"):
        parse_document(data, strict=True)


def test_parents_children_and_sides(make_event: Make, encode: Encode) -> None:
    base = make_event(epcList=..., quantityList=...)
    sscc, sgtin = "urn:epc:id:sscc:4012345.0000000333", "urn:epc:id:sgtin:4012345.011111.1"
    po = [{"type": "po", "bizTransaction": "urn:x:1"}]
    accepted = [
        {"type": "AggregationEvent", "parentID": sscc, "action": "DELETE"},
        {"type": "AggregationEvent", "childEPCs": [sgtin], "action": "OBSERVE"},
        {"type": "AssociationEvent", "parentID": sscc, "childEPCs": [sgtin], "action": "ADD"},
        {"type": "AssociationEvent", "parentID": sscc, "action": "DELETE"},
        {"type": "TransactionEvent", "bizTransactionList": po, "epcList": [], "action": "DELETE"},
        {"type": "TransactionEvent", "bizTransactionList": po, "parentID": sscc, "action": "ADD"},
        {"type": "TransformationEvent", "inputEPCList": [sgtin], "transformationID": "urn:x:t"},
    ]
    for change in accepted:
        event = {**base, **change}
        if change["type"] == "TransformationEvent":
            del event["action"]
        (read,) = parse_document(encode(event)).events
        assert read.type == change["type"]
    assert isinstance(read.model, type(read.model))
    aggregation = parse_document(encode({**base, **accepted[0]})).events[0].model
    assert isinstance(aggregation, AggregationEvent)
    assert aggregation.parentID == sscc


def test_sensor_data_of_a_place_need_no_objects(make_event: Make, encode: Encode) -> None:
    sensors = [{"sensorReport": [{"exception": "ALARM_CONDITION"}]}]
    event = make_event(epcList=[], sensorElementList=sensors)
    assert len(parse_document(encode(event)).events) == 1


def test_as_many_events_as_allowed_and_not_one_more(
    make_document: Make, make_event: Make, encode: Encode
) -> None:
    event = make_event(**{"@context": ...})
    assert len(parse_document(encode(make_document(*[event] * EVENTS_MAX))).events) == EVENTS_MAX
    with pytest.raises(DocumentRefused, match="at most 10000"):
        parse_document(encode(make_document(*[event] * (EVENTS_MAX + 1))))
