"""What is refused: where and why, every fault at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traceability.epcis import PROBLEMS_MAX, DocumentRefused, Problem, parse_document

pytestmark = pytest.mark.feature("T1")

Make = Callable[..., dict[str, Any]]
Encode = Callable[[Any], bytes]
LIST = "/epcisBody/eventList"

PUBLIC = {
    "Combination_of_events_with_missing_mandatory_fields": [
        (f"{LIST}/0/action", "is missing"),
        (f"{LIST}/1/action", "is missing"),
        (f"{LIST}/1/eventTimeZoneOffset", "is missing"),
    ],
    "EPCISDocument_without_context": [("/@context", "is missing")],
    "ObjectEvent_with_invalid_action": [
        (f"{LIST}/0/action", "'CREATE' must be 'ADD', 'OBSERVE' or 'DELETE'")
    ],
    "ObjectEvent_with_invalid_eventTime_format": [
        (f"{LIST}/0/eventTime", "'22-07-2026' must be a date and time with zone")
    ],
    "ObjectEvent_with_non_standard_bizStep": [
        (f"{LIST}/0/bizStep", "'transforming' is no standard bizStep")
    ],
    "ObjectEvent_with_quantity_as_text": [
        (f"{LIST}/0/quantityList/0/quantity", "must be a number")
    ],
    "ObjectEvent_without_identifier_list": [
        (f"{LIST}/0", "must have an epcList or a quantityList")
    ],
}


def _problems(data: bytes, **options: Any) -> list[Problem]:
    with pytest.raises(DocumentRefused) as caught:
        parse_document(data, **options)
    return list(caught.value.problems)


def test_every_public_invalid_document_is_refused_with_place_and_reason(shared_data: Path) -> None:
    files = {file.stem: file for file in (shared_data / "epcis" / "invalid").iterdir()}
    assert files.keys() == PUBLIC.keys()
    for name, expected in PUBLIC.items():
        found = _problems(files[name].read_bytes())
        assert [problem.pointer for problem in found] == [place for place, _ in expected], name
        for problem, (_, words) in zip(found, expected, strict=True):
            assert words in problem.reason


SGTIN = "urn:epc:id:sgtin:4012345.011111.1"
SENSOR = {"type": "Temperature", "value": 1}
BENT: list[tuple[dict[str, Any], str, str]] = [
    ({"eventTime": ...}, "/eventTime", "missing"),
    ({"eventTime": 5}, "/eventTime", "text"),
    ({"eventTime": "2026-02-30T00:00:00Z"}, "/eventTime", "calendar"),
    ({"eventTime": "2026-01-01T00:00:00"}, "/eventTime", "zone"),
    ({"eventTime": "2026-01-01T24:00:00Z"}, "/eventTime", "calendar"),
    ({"eventTime": "0001-01-01T00:00:00+01:00"}, "/eventTime", "calendar"),
    ({"eventTime": "2026-01-01"}, "/eventTime", "date and time"),
    ({"eventTimeZoneOffset": "+2:00"}, "/eventTimeZoneOffset", "+02:00"),
    ({"eventTimeZoneOffset": "+14:01"}, "/eventTimeZoneOffset", "+02:00"),
    ({"eventTimeZoneOffset": "Z"}, "/eventTimeZoneOffset", "+02:00"),
    ({"action": "add"}, "/action", "'ADD'"),
    ({"disposition": "in_transport"}, "/disposition", "no standard disposition"),
    ({"bizStep": "cbv:BizStep-foo"}, "/bizStep", "no standard bizStep"),
    ({"bizStep": "urn:epcglobal:cbv:bizstep:foo"}, "/bizStep", "no standard bizStep"),
    ({"bizStep": "not a uri: x"}, "/bizStep", "no URI"),
    ({"epcList": SGTIN}, "/epcList", "list"),
    ({"epcList": [SGTIN, 7]}, "/epcList/1", "text"),
    ({"epcList": [SGTIN, SGTIN]}, "/epcList", "twice"),
    ({"epcList": ["4012345"]}, "/epcList/0", "no URI"),
    ({"epcList": ["urn:epc:id:sgtin:4012345.11111.1"]}, "/epcList/0", "reference"),
    ({"epcList": ["https://id.gs1.org/01/04012345111119/21/1"]}, "/epcList/0", "must be 8"),
    ({"epcList": ["https://id.gs1.org/foo"]}, "/epcList/0", "no GS1 key"),
    ({"epcList": []}, "", "not empty"),
    ({"quantityList": [{"quantity": 1}]}, "/quantityList/0/epcClass", "missing"),
    ({"quantityList": [{"epcClass": "urn:x:1", "uom": "kg"}]}, "/quantityList/0/uom", "unit code"),
    ({"quantityList": [{"epcClass": "urn:x:1", "n": 1}]}, "/quantityList/0/n", "no field"),
    ({"quantityList": [{"epcClass": "urn:x:1", "quantity": True}]}, "/quantityList/0/quantity", ""),
    ({"readPoint": "urn:x:1"}, "/readPoint", "object"),
    ({"readPoint": {}}, "/readPoint/id", "missing"),
    ({"readPoint": {"id": "urn:x:1", "n": 1}}, "/readPoint/n", "prefix"),
    ({"bizTransactionList": [{"type": "po"}]}, "/bizTransactionList/0/bizTransaction", "missing"),
    ({"bizTransactionList": [{"type": "x", "bizTransaction": "urn:x:1"}]},
     "/bizTransactionList/0/type", "bizTransactionType"),
    ({"sourceList": [{"source": "urn:x:1"}]}, "/sourceList/0/type", "missing"),
    ({"sourceList": [{"type": "place", "source": "urn:x:1"}]}, "/sourceList/0/type", "standard"),
    ({"destinationList": [{"type": "location"}]}, "/destinationList/0/destination", "missing"),
    ({"persistentDisposition": {}}, "/persistentDisposition", "'set' or 'unset'"),
    ({"persistentDisposition": {"set": []}}, "/persistentDisposition/set", "empty"),
    ({"persistentDisposition": {"set": ["x"]}}, "/persistentDisposition/set/0", "disposition"),
    ({"errorDeclaration": {}}, "/errorDeclaration/declarationTime", "missing"),
    ({"errorDeclaration": {"declarationTime": "2026-01-01T00:00:00Z", "reason": "bad"}},
     "/errorDeclaration/reason", "errorReason"),
    ({"sensorElementList": [{}]}, "/sensorElementList/0/sensorReport", "missing"),
    ({"sensorElementList": [{"sensorReport": []}]}, "/sensorElementList/0/sensorReport", "empty"),
    ({"sensorElementList": [{"sensorReport": [{"value": 1}]}]},
     "/sensorElementList/0/sensorReport/0", "'type'"),
    ({"sensorElementList": [{"sensorReport": [{**SENSOR, "type": "Heat"}]}]},
     "/sensorElementList/0/sensorReport/0/type", "measurementType"),
    ({"sensorElementList": [{"sensorReport": [{**SENSOR, "value": "1"}]}]},
     "/sensorElementList/0/sensorReport/0/value", "number"),
    ({"sensorElementList": [{"sensorReport": [{**SENSOR, "booleanValue": "true"}]}]},
     "/sensorElementList/0/sensorReport/0/booleanValue", "true or false"),
    ({"sensorElementList": [{"sensorReport": [{**SENSOR, "hexBinaryValue": "0x"}]}]},
     "/sensorElementList/0/sensorReport/0/hexBinaryValue", "hexadecimal"),
    ({"sensorElementList": [{"sensorReport": [{**SENSOR, "n": 1}]}]},
     "/sensorElementList/0/sensorReport/0/n", "prefix"),
    ({"sensorElementList": [{"sensorMetadata": {"time": "now"}, "sensorReport": [SENSOR]}]},
     "/sensorElementList/0/sensorMetadata/time", "date and time"),
    ({"certificationInfo": 42}, "/certificationInfo", "URI"),
    ({"eventID": "no uri"}, "/eventID", "no URI"),
    ({"ilmd": {"materialType": "soil"}, "action": "ADD"}, "/ilmd/materialType", "prefix"),
    ({"ilmd": "x", "action": "ADD"}, "/ilmd", "object"),
    ({"color": "red"}, "/color", "'ext:color'"),
    ({"nope:color": "red"}, "/nope:color", "'nope' is not declared"),
    ({"childEPCs": [SGTIN]}, "/childEPCs", "no field of an ObjectEvent"),
    ({"a/b~c": 1}, "/a~1b~0c", "prefix"),
    ({"type": "QualityEvent"}, "/type", "'QualityEvent'"),
    ({"type": ...}, "/type", "missing"),
    ({"@context": ...}, "/@context", "bare event needs its own"),
    ({"@context": {"ex": "https://ns.example.com/"}}, "/@context", "EPCIS context"),
    ({"type": "AggregationEvent", "epcList": ..., "childEPCs": [SGTIN], "action": "ADD"},
     "", "needs a parentID"),
    ({"type": "AggregationEvent", "epcList": ..., "action": "DELETE"}, "", "needs a parentID"),
    ({"type": "AggregationEvent", "epcList": ..., "parentID": "urn:x:1", "action": "ADD"},
     "", "needs childEPCs"),
    ({"type": "AssociationEvent", "epcList": ..., "childEPCs": [SGTIN]}, "/parentID", "missing"),
    ({"type": "AssociationEvent", "epcList": ..., "parentID": "urn:x:1"}, "", "needs childEPCs"),
    ({"type": "TransactionEvent"}, "/bizTransactionList", "missing"),
    ({"type": "TransactionEvent", "bizTransactionList": []}, "/bizTransactionList", "empty"),
    ({"type": "TransactionEvent", "epcList": [],
      "bizTransactionList": [{"bizTransaction": "urn:x:1"}]}, "", "needs an epcList"),
    ({"type": "TransformationEvent", "epcList": ..., "action": ...}, "", "no inputs and outputs"),
    ({"type": "TransformationEvent", "epcList": ..., "action": ..., "inputEPCList": [SGTIN]},
     "", "no outputs"),
    ({"type": "TransformationEvent", "epcList": ..., "action": ..., "outputEPCList": [SGTIN]},
     "", "no inputs"),
    ({"type": "TransformationEvent", "epcList": ..., "action": ..., "transformationID": "urn:x:1"},
     "", "inputs or outputs"),
    ({"type": "TransformationEvent", "epcList": ..., "inputEPCList": [SGTIN],
      "outputEPCList": [SGTIN + "2"]}, "/action", "no field of a TransformationEvent"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "pointer", "words"), BENT)
def test_bent_event_is_refused_at_the_bent_place(
    make_event: Make, encode: Encode, change: dict[str, Any], pointer: str, words: str
) -> None:
    event = make_event(**change)
    if change.get("type") is ... or change.get("type") == "QualityEvent":
        found = _problems(encode([event]))
        pointer = f"/0{pointer}"
    else:
        found = _problems(encode(event))
    assert pointer in [problem.pointer for problem in found]
    assert any(words in problem.reason for problem in found if problem.pointer == pointer)


def test_all_faults_of_all_events_are_listed_in_order(
    make_document: Make, make_event: Make, encode: Encode
) -> None:
    document = make_document(
        make_event(bizStep="transforming"),
        make_event(),
        make_event(disposition="in_transport", sourceList=[{"type": "place", "source": "urn:x:1"}]),
        make_event(action="ADD", ilmd={"materialType": "soil"}),
        make_event(eventTime="22-07-2026", action="CREATE"),
    )
    assert [problem.pointer for problem in _problems(encode(document))] == [
        f"{LIST}/0/bizStep",
        f"{LIST}/2/disposition",
        f"{LIST}/2/sourceList/0/type",
        f"{LIST}/3/ilmd/materialType",
        f"{LIST}/4/action",
        f"{LIST}/4/eventTime",
    ]


def test_list_of_faults_is_bounded(make_document: Make, make_event: Make, encode: Encode) -> None:
    event = make_event(action="CREATE", bizStep="transforming")
    found = _problems(encode(make_document(*[event] * 500)))
    assert len(found) == PROBLEMS_MAX
    flood = make_event(epcList=[str(n) for n in range(5000)])
    assert len(_problems(encode(flood))) == PROBLEMS_MAX


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"@context": 5}, "/@context"),
        ({"@context": ["https://other.example/context"]}, "/@context"),
        ({"@context": []}, "/@context"),
        ({"schemaVersion": ...}, "/schemaVersion"),
        ({"schemaVersion": "1.2"}, "/schemaVersion"),
        ({"schemaVersion": 2.0}, "/schemaVersion"),
        ({"creationDate": ...}, "/creationDate"),
        ({"creationDate": "yesterday"}, "/creationDate"),
        ({"epcisBody": ...}, "/epcisBody"),
        ({"epcisBody": []}, "/epcisBody"),
        ({"epcisBody": {}}, "/epcisBody/eventList"),
        ({"epcisBody": {"eventList": {}}}, "/epcisBody/eventList"),
        ({"epcisBody": {"eventList": [], "more": 1}}, "/epcisBody/more"),
        ({"epcisBody": {"eventList": ["x"]}}, "/epcisBody/eventList/0"),
        ({"epcisHeader": 1}, "/epcisHeader"),
        ({"sender": 1}, "/sender"),
        ({"note": 1}, "/note"),
        ({"type": "EPCISQueryDocument"}, "/epcisBody/queryResults"),
        ({"type": "Other"}, "/type"),
        ({"type": ...}, "/type"),
        ({"type": ["ObjectEvent"]}, "/type"),
    ],
)
def test_bent_envelope_is_refused_at_the_bent_place(
    make_document: Make, make_event: Make, encode: Encode, change: dict[str, Any], pointer: str
) -> None:
    found = _problems(encode(make_document(make_event(), **change)))
    assert pointer in [problem.pointer for problem in found]


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        (b"", ""),
        (b"{", ""),
        (b"5", ""),
        (b'"x"', ""),
        (b"null", ""),
        (b'{"type": "ObjectEvent", "type": "ObjectEvent"}', "/type"),
        (b'{"type": NaN}', "/type"),
        (b'{"type": "\xff"}', ""),
        (b'{"type": "\\ud800"}', "/type"),
        (b'{"a": 9007199254740993}', "/a"),
    ],
)
def test_bad_json_is_refused_with_its_place(data: bytes, pointer: str) -> None:
    (problem,) = _problems(data)
    assert problem.pointer == pointer
    assert problem.reason


def test_depth_and_size_are_bounded(make_event: Make, encode: Encode) -> None:
    deep: Any = "x"
    for _ in range(70):
        deep = {"ex:a": deep}
    (problem,) = _problems(encode(make_event(**{"ex:a": deep})))
    assert "64" in problem.reason
    data = encode(make_event())
    assert parse_document(data, size_bytes_max=len(data)).events
    (problem,) = _problems(data, size_bytes_max=len(data) - 1)
    assert str(len(data) - 1) in problem.reason


@pytest.mark.timeout(20)
def test_flood_of_context_entries_is_refused_quickly(
    make_document: Make, make_event: Make, encode: Encode
) -> None:
    flood = [{f"p{n}": "https://p.example/"} for n in range(50_000)]
    whole = make_document(make_event(**{"@context": ...}))
    whole["@context"] += flood
    assert "50002 entries" in _problems(encode(whole))[0].reason
    event = make_event()
    event["@context"] += flood
    assert "50002 entries" in _problems(encode(event))[0].reason


def test_context_may_not_change_the_meaning_of_epcis_terms(
    make_event: Make, encode: Encode
) -> None:
    event = make_event()
    event["@context"].append({"bizStep": "https://evil.example/", "urn": "https://evil.example/"})
    assert [problem.pointer for problem in _problems(encode(event))] == [
        "/@context/2/bizStep",
        "/@context/2/urn",
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10) | st.floats(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    return [path, *(place for key, inner in items for place in _places(inner, (*path, key)))]


@settings(max_examples=300)
@given(data=st.data(), value=JSON)
def test_any_change_of_a_document_is_accepted_or_refused_never_crashes(
    shared_data: Path, data: st.DataObject, value: Any
) -> None:
    file = shared_data / "epcis" / "documents" / "AggregationEvent_all_possible_fields.json"
    document = json.loads(file.read_bytes())
    place = data.draw(st.sampled_from(_places(document)[1:]))
    target = document
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = value
    try:
        parsed = parse_document(json.dumps(document).encode())
    except DocumentRefused as refused:
        problems = refused.problems
    else:
        problems = ()
        for event in parsed.events:
            assert len(event.digest) == 64
    for problem in problems:
        assert problem.reason
        assert problem.pointer == "" or problem.pointer.startswith("/")
