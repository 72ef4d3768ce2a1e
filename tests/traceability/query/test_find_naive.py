"""Every query parameter answers as a plain filter over the events would."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from tests.traceability.projection.support import GTIN, World, at, item, lot, make, parsed
from tests.traceability.query.naive import LISTS, holds
from traceability.query import EventQuery, find_events

pytestmark = pytest.mark.feature("T1")

THINGS = [item(1), "urn:epc:id:sgtin:9521002.000001.1", item(2), item(3)]
ASKED_THINGS = [*THINGS, f"https://shop.example/01/{GTIN}/21/1?x=y", item("none")]
LOTS = [lot("A"), "urn:epc:class:lgtin:9521002.000001.A", lot("B")]
PLACES = [
    "urn:epc:id:sgln:0614141.00777.0",
    "urn:epc:id:sgln:0614141.00777.5",
    "https://id.gs1.org/414/0614141007776/254/5",
    "https://id.gs1.org/414/0614141007776/254/6",
    "https://example.com/dock",
]
STEPS = ["shipping", "receiving"]
ASKED_STEPS = [
    *STEPS,
    "urn:epcglobal:cbv:bizstep:shipping",
    "https://ref.gs1.org/cbv/BizStep-shipping",
    "packing",
]
DISPOSITIONS = ["in_transit", "in_progress"]
ASKED_DISPOSITIONS = [*DISPOSITIONS, "urn:epcglobal:cbv:disp:in_transit", "expired"]
PARTIES = ["https://id.gs1.org/417/0614141007776", "https://example.com/party"]
ORDERS = ["urn:example:po:1", "urn:example:po:2"]
TRANSFORMATIONS = ["urn:uuid:11111111-2222-4333-8444-555555555555", "urn:example:t:2"]
OWN_IDS = ["urn:uuid:99999999-2222-4333-8444-555555555555", "urn:example:e:2"]
NOTES = ["fine", "late"]


def some(values: list[str], most: int = 2) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), max_size=most, unique=True)


def amounts() -> st.SearchStrategy[list[dict[str, Any]]]:
    element = st.fixed_dictionaries(
        {"epcClass": st.sampled_from(LOTS)},
        optional={"quantity": st.sampled_from([1, 2.5, 10])},
    )
    return st.lists(element, max_size=2, unique_by=lambda one: one["epcClass"])


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(
        st.sampled_from(
            ["ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent"]
        )
    )
    event = make(kind, draw(st.integers(0, 6)))
    optional: dict[str, st.SearchStrategy[Any]] = {
        "bizStep": st.sampled_from(STEPS),
        "disposition": st.sampled_from(DISPOSITIONS),
        "readPoint": st.sampled_from(PLACES).map(lambda one: {"id": one}),
        "bizLocation": st.sampled_from(PLACES).map(lambda one: {"id": one}),
        "persistentDisposition": st.sampled_from(DISPOSITIONS).map(lambda one: {"set": [one]}),
        "sourceList": st.sampled_from(PARTIES).map(
            lambda one: [{"type": "owning_party", "source": one}]
        ),
        "destinationList": st.sampled_from(PARTIES).map(
            lambda one: [{"type": "owning_party", "destination": one}]
        ),
        "eventID": st.sampled_from(OWN_IDS),
        "example:note": st.sampled_from(NOTES),
        "errorDeclaration": st.just({"declarationTime": at(9)}),
    }
    for name, values in optional.items():
        if draw(st.booleans()):
            event[name] = draw(values)
    if kind == "TransactionEvent" or draw(st.booleans()):
        order = st.sampled_from(ORDERS)
        event["bizTransactionList"] = [
            {"type": draw(st.sampled_from(["po", "inv"])), "bizTransaction": draw(order)}
        ]
    if kind != "TransformationEvent":
        event["action"] = draw(st.sampled_from(["ADD", "OBSERVE", "DELETE"]))
    if kind in ("ObjectEvent", "TransactionEvent"):
        event["epcList"] = draw(some(THINGS)) or [item(3)]
        event["quantityList"] = draw(amounts())
    if kind == "AggregationEvent":
        event["parentID"] = draw(st.sampled_from(THINGS))
        event["childEPCs"] = draw(some(THINGS)) or [item(3)]
        event["childQuantityList"] = draw(amounts())
    if kind == "TransformationEvent":
        event["inputEPCList"] = draw(some(THINGS)) or [item(3)]
        event["outputEPCList"] = draw(some(THINGS)) or [item(3)]
        event["inputQuantityList"] = draw(amounts())
        event["outputQuantityList"] = draw(amounts())
        if draw(st.booleans()):
            event["transformationID"] = draw(st.sampled_from(TRANSFORMATIONS))
    return event


VALUES: dict[str, list[str]] = {
    "eventType": ["ObjectEvent", "AggregationEvent", "TransformationEvent"],
    "EQ_action": ["ADD", "OBSERVE", "DELETE"],
    "EQ_bizStep": ASKED_STEPS,
    "EQ_disposition": ASKED_DISPOSITIONS,
    "EQ_persistentDisposition_set": ASKED_DISPOSITIONS,
    "EQ_persistentDisposition_unset": ASKED_DISPOSITIONS,
    "EQ_readPoint": PLACES,
    "WD_readPoint": PLACES,
    "EQ_bizLocation": PLACES,
    "EQ_transformationID": TRANSFORMATIONS,
    "EQ_bizTransaction_po": ORDERS,
    "EQ_bizTransaction_urn:epcglobal:cbv:btt:po": ORDERS,
    "EQ_source_owning_party": PARTIES,
    "EQ_destination_owning_party": PARTIES,
    "EQ_eventID": OWN_IDS,
    "EQ_example:note": NOTES,
} | {
    name: (LOTS if name.endswith("Class") else ASKED_THINGS)
    for name in LISTS
    if name.startswith("MATCH_")
}
SINGLE: dict[str, list[str]] = {
    "GE_eventTime": [at(2), "2026-03-01T01:03:00+01:00"],
    "LT_eventTime": [at(4), "2026-03-01T01:03:00.000+01:00"],
    "EXISTS_errorDeclaration": [""],
    **{f"{start}_quantity": ["1", "2.5", "9"] for start in ("EQ", "GT", "GE", "LT", "LE")},
}


@st.composite
def parameters(draw: st.DrawFn) -> list[tuple[str, str]]:
    names = draw(st.lists(st.sampled_from([*VALUES, *SINGLE]), min_size=1, max_size=3, unique=True))
    chosen = []
    for name in names:
        if name in SINGLE:
            chosen.append((name, draw(st.sampled_from(SINGLE[name]))))
        else:
            values = st.lists(st.sampled_from(VALUES[name]), min_size=1, max_size=3, unique=True)
            chosen.append((name, "|".join(draw(values))))
    return chosen


ORDERINGS: list[list[tuple[str, str]]] = [
    [],
    [("orderBy", "eventTime")],
    [("orderBy", "eventTime"), ("orderDirection", "ASC")],
    [("orderBy", "recordTime"), ("orderDirection", "DESC")],
]
NAMESPACES = {"example": "https://ns.example.com/epcis/"}


def ask(world: World, asked: list[tuple[str, str]]) -> list[bytes]:
    """All pages of a query, as bodies."""
    found: list[bytes] = []
    token: list[tuple[str, str]] = []
    with world.read() as connection:
        for _ in range(1000):
            page = find_events(connection, EventQuery.parse([*asked, *token], NAMESPACES))
            found += [one.body for one in page.events]
            if page.next_token is None:
                return found
            token = [("nextPageToken", page.next_token)]
    raise AssertionError("pages without end")


def ordered(
    bodies: list[bytes], order: list[tuple[str, str]], times: dict[bytes, int]
) -> list[bytes]:
    """The order that the parameters ask for, over bodies in the order of anchoring."""
    if not order:
        return bodies
    keyed = list(enumerate(bodies))
    if order[0][1] == "eventTime":
        keyed.sort(key=lambda one: (orjson.loads(one[1])["eventTime"], one[0]))
    else:
        keyed.sort(key=lambda one: (times[one[1]], one[0]))
    if ("orderDirection", "ASC") not in order:
        keyed.reverse()
    return [body for _, body in keyed]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    batches=st.lists(st.lists(events(), min_size=1, max_size=6), max_size=3),
    queries=st.lists(
        st.tuples(parameters(), st.sampled_from(ORDERINGS), st.integers(1, 5)),
        min_size=1,
        max_size=8,
    ),
)
def test_queries_answer_as_a_plain_filter_would(
    engine: Engine,
    batches: list[list[dict[str, Any]]],
    queries: list[tuple[list[tuple[str, str]], list[tuple[str, str]], int]],
) -> None:
    world = World(engine)
    world.projector.rebuild()
    stored: list[bytes] = []
    times: dict[bytes, int] = {}
    for number, batch in enumerate(batches):
        for event in parsed(*batch):
            if event.canonical_bytes not in times:
                stored.append(event.canonical_bytes)
                times[event.canonical_bytes] = number
        world.anchor(*batch)
    for asked, order, per_page in queries:
        expected = [
            body
            for body in stored
            if all(holds(orjson.loads(body), name, text) for name, text in asked)
        ]
        found = ask(world, [*asked, *order, ("perPage", str(per_page))])
        assert found == ordered(expected, order, times), (asked, order)
