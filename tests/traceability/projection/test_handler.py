"""From BatchAnchored logs to rows: what is served, and what is recorded as not served."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from contracts.provenance import (
    PROVENANCE_ADDRESS,
    Batch,
    Visibility,
    anchor_calldata,
    encode_payload,
)
from ledger.canonical import canonical_json
from ledger.projection import Projector
from ledger.tlog import leaf_hash, verify_inclusion
from ledger.types import Address
from tests.traceability.projection.support import (
    World,
    aggregation,
    anchored_log,
    batch_of,
    item,
    lot,
    make,
    object_event,
    parsed,
    transformation,
)
from traceability.epcis import Event
from traceability.projection import PreparedBatches, PreparedEvent, ProvenanceHandler, tables

pytestmark = pytest.mark.feature("T1")


def payload_of(events: Sequence[Event]) -> bytes:
    return encode_payload([event.body for event in events])


def only_batch(world: World) -> dict[str, Any]:
    (found,) = world.rows(tables.batch)
    return found


def test_a_batch_and_its_events_are_written(world: World) -> None:
    events = world.anchor(*[object_event(minute, item(minute)) for minute in range(5)])
    placed = world.chain.blocks[1].logs[0]
    batch = only_batch(world)
    assert batch["status"] == "ok"
    assert bytes(batch["root"]) == batch_of(events).root
    assert (batch["organisation"], batch["count"], batch["block_number"]) == ("farm", 5, 1)
    assert batch["block_time"] == placed.block_time
    assert bytes(batch["transaction_hash"]) == placed.transaction_hash
    rows = world.rows(tables.event)
    assert [bytes(row["body"]) for row in rows] == [event.canonical_bytes for event in events]
    assert [row["record_time"] for row in rows] == [placed.block_time * 1_000_000] * 5
    assert {row["version"] for row in rows} == {"CBV2.0"}


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 100])
def test_the_stored_path_proves_each_event_in_its_batch(engine: Engine, count: int) -> None:
    world = World(engine)
    world.anchor(*[object_event(minute, item(minute)) for minute in range(count)])
    root = bytes(only_batch(world)["root"])
    for row in world.rows(tables.event):
        path = bytes(row["batch_path"])
        event_id = f"ni:///sha-256;{bytes(row['hash']).hex()}?ver={row['version']}"
        leaf = leaf_hash(
            canonical_json({"digest": bytes(row["digest"]).hex(), "eventID": event_id})
        )
        hashes = [path[i : i + 32] for i in range(0, len(path), 32)]
        verify_inclusion(leaf, row["batch_index"], count, hashes, root)


def test_a_payload_that_is_not_under_the_root_is_not_served(world: World) -> None:
    honest = parsed(object_event(1, item(1)))
    other = parsed(object_event(2, item(2)))
    world.anchor_raw(batch_of(honest).root, 1, payload_of(other))
    assert only_batch(world)["status"] == "payload_mismatch"
    assert "root" in only_batch(world)["reason"]
    assert world.rows(tables.event) == []


def test_a_count_that_is_not_the_payloads_is_a_mismatch(world: World) -> None:
    events = parsed(object_event(1, item(1)), object_event(2, item(2)))
    world.anchor_raw(batch_of(events).root, 3, payload_of(events))
    assert only_batch(world)["status"] == "payload_mismatch"
    assert "2 events" in only_batch(world)["reason"]


def test_events_that_are_not_epcis_are_not_served_though_the_root_is_right(world: World) -> None:
    for index, body in enumerate(
        (
            {"type": "ObjectEvent"},
            {"type": "Nonsense", "nul": "\0"},
            {**object_event(1, item(1)), "eventTime": "yesterday"},
            {**object_event(1, item(1)), "recordTime": "2026-01-01T00:00:00Z"},
            {k: v for k, v in object_event(1, item(1)).items() if k != "@context"},
        )
    ):
        digest = hashlib.sha256(canonical_json(body)).hexdigest()
        fake_id = f"ni:///sha-256;{digest}?ver=CBV2.0"
        world.anchor_raw(Batch.of([(fake_id, digest)]).root, 1, encode_payload([body]))
        row = world.rows(tables.batch)[index]
        assert row["status"] in ("payload_invalid", "payload_mismatch"), body
    assert world.rows(tables.event) == []


@pytest.mark.parametrize(
    "payload",
    [
        b"\x01",
        b"\x02" + zlib.compress(b"[]"),
        b"\x01" + zlib.compress(b"[]"),
        b"\x01" + zlib.compress(b'[{"a":1}]')[:-3],
        b"\x01" + zlib.compress(b"[[[[" * 1000),
        b"\x01" + zlib.compress(b'["\\u0000"]'),
        b"\x01" + zlib.compress(b" " * 3_000_000),
        b"\xff" * 100,
    ],
)
def test_payloads_of_garbage_are_recorded_and_do_not_stop_the_projection(
    world: World, payload: bytes
) -> None:
    world.anchor_raw(b"\x07" * 32, 1, payload)
    assert only_batch(world)["status"] == "payload_invalid"
    world.anchor(object_event(1, item(1)))
    assert len(world.rows(tables.event)) == 1


@pytest.mark.parametrize(
    "odd",
    [
        {"epcList": ["https://example.com/" + "x" * 3000]},
        {"epcList": ["urn:example:\u0000nul"]},
        {"example:note": "nul \u0000 and " + "y" * 4000},
        {"eventID": "urn:example:" + "z" * 3000},
        {"bizStep": "https://example.com/" + "s" * 3000},
        {"eventTime": "0001-01-01T00:00:00.000+14:00"},
        {"eventTime": "9999-12-31T23:59:59.999-14:00"},
        {"readPoint": {"id": "https://example.com/" + "p" * 3000}},
        {"quantityList": [{"epcClass": lot("A"), "quantity": 1e300}]},
    ],
)
def test_odd_but_parsable_values_never_stop_the_projection(
    world: World, odd: dict[str, Any]
) -> None:
    """Also on PostgreSQL, which knows neither NUL in texts nor long index entries."""
    body = object_event(1, item(1)) | odd
    digest = hashlib.sha256(canonical_json(body)).hexdigest()
    try:
        (event,) = parsed(body)
        root = batch_of([event]).root
    except Exception:
        root = Batch.of([(f"ni:///sha-256;{digest}?ver=CBV2.0", digest)]).root
    # As a hostile member would: our own encoder refuses what strict readers would not take.
    world.anchor_raw(root, 1, b"\x01" + zlib.compress(canonical_json([body])))
    assert only_batch(world)["status"] in ("ok", "payload_invalid")
    assert len(world.rows(tables.event)) == (only_batch(world)["status"] == "ok")


@pytest.mark.parametrize("visibility", [Visibility.CONSORTIUM, Visibility.CONFIDENTIAL])
def test_batches_that_are_not_public_are_recorded_without_events(
    world: World, visibility: Visibility
) -> None:
    world.anchor_raw(b"\x07" * 32, 4, b"", visibility=visibility)
    assert only_batch(world)["status"] == "withheld"
    assert only_batch(world)["visibility"] == int(visibility)
    assert world.rows(tables.event) == []


def test_a_batch_anchored_through_another_contract_has_no_payload(world: World) -> None:
    events = parsed(object_event(1, item(1)))
    elsewhere = Address(b"\x99" * 20)
    world.anchor_raw(batch_of(events).root, 1, payload_of(events), to=elsewhere)
    assert only_batch(world)["status"] == "payload_missing"
    assert world.rows(tables.event) == []


def test_an_anchor_from_inside_another_call_does_not_take_the_outer_calldatas_payload(
    world: World,
) -> None:
    # A contract wallet, or an account with code (EIP-7702), may anchor while it is being called.
    outer = parsed(object_event(1, item(1)))
    inner = parsed(object_event(2, item(2)))
    data = anchor_calldata(batch_of(outer).root, 1, Visibility.PUBLIC, payload_of(outer))
    log = anchored_log(batch_of(inner).root, "farm", 1)
    for to in (PROVENANCE_ADDRESS, Address(b"\x99" * 20), None):
        world.chain.add([(to, data, [log])])
    world.projector.catch_up()
    assert {row["status"] for row in world.rows(tables.batch)} == {"payload_missing"}
    assert world.rows(tables.event) == []


def test_a_log_with_another_root_than_the_calldata_has_no_payload(world: World) -> None:
    log = anchored_log(b"\x08" * 32, "farm", 1)
    world.chain.add([(PROVENANCE_ADDRESS, b"\x01\x02\x03\x04", [log])])
    world.projector.catch_up()
    assert only_batch(world)["status"] == "payload_missing"


def test_an_event_anchored_again_is_one_row_and_the_repeat_is_kept(world: World) -> None:
    event = object_event(1, item(1))
    world.anchor(event, organisation="farm")
    world.anchor(object_event(2, item(2)), event, organisation="carrier")
    world.anchor(event, event, organisation="farm")
    rows = world.rows(tables.event)
    assert [row["organisation"] for row in rows] == ["farm", "carrier"]
    first = rows[0]["pk"]
    leaves = [block.logs[0].leaf_index for block in world.chain.blocks[1:]]
    repeats = world.rows(tables.event_repeat)
    assert [len(row.pop("batch_path")) for row in repeats] == [32, 32, 32]
    assert repeats == [
        {"event": first, "leaf_index": leaves[1], "batch_index": 1},
        {"event": first, "leaf_index": leaves[2], "batch_index": 0},
        {"event": first, "leaf_index": leaves[2], "batch_index": 1},
    ]
    assert len([row for row in world.rows(tables.event_epc) if row["event"] == first]) == 1


def test_an_error_declaration_is_a_row_beside_the_event_that_it_takes_back(world: World) -> None:
    event = object_event(1, item(1))
    wrong = event | {
        "errorDeclaration": {"declarationTime": "2026-03-02T00:00:00Z", "reason": "incorrect_data"}
    }
    world.anchor(event)
    world.anchor(wrong)
    first, second = world.rows(tables.event)
    assert bytes(first["hash"]) == bytes(second["hash"])
    assert bytes(first["digest"]) != bytes(second["digest"])
    assert (first["error_time"], second["error_time"]) == (None, 1_772_409_600_000_000)


def test_things_are_kept_canonical_with_their_roles(world: World) -> None:
    world.anchor(
        aggregation(1, "urn:epc:id:sscc:0614141.1234567890", "urn:epc:id:sgtin:9521002.000001.7"),
        transformation(2, [item(1)], [item(2)]),
        make(
            "TransformationEvent",
            3,
            inputQuantityList=[{"epcClass": "urn:epc:class:lgtin:9521002.000001.B7"}],
            outputQuantityList=[{"epcClass": lot("B8"), "quantity": 2.5}],
        ),
    )
    base = "https://id.gs1.org/"
    assert {(row["epc"], row["role"]) for row in world.rows(tables.event_epc)} == {
        (f"{base}00/106141412345678908", 3),
        (item(7), 2),
        (item(1), 4),
        (item(2), 5),
        (lot("B7"), 8),
        (lot("B8"), 9),
    }
    assert [row["quantity"] for row in world.rows(tables.event_quantity)] == [2.5]


def test_prepared_batches_give_the_same_rows_without_hashing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = [object_event(minute, item(minute)) for minute in range(10)]
    plain = World(engine)
    plain.anchor(*bodies)
    expected = plain.dump()

    events = parsed(*bodies)
    prepared = PreparedBatches()
    hashed = [PreparedEvent(one.event_id, one.digest, one.canonical_bytes) for one in events]
    prepared.put(batch_of(events).root, hashed)
    monkeypatch.setattr(
        "traceability.projection.handler.read_payload", lambda _: pytest.fail("hashed again")
    )
    handler = ProvenanceHandler(prepared)
    Projector(engine, plain.chain, [handler]).rebuild()
    assert plain.dump() == expected
    assert len(prepared) == 0, "forgotten once applied"


def test_a_prepared_batch_lends_no_credit_to_another_payload(engine: Engine) -> None:
    """A copycat anchors our root with its own payload: every node must refuse, ours too."""
    events = parsed(object_event(1, item(1)))
    prepared = PreparedBatches()
    root = batch_of(events).root
    prepared.put(root, [PreparedEvent(e.event_id, e.digest, e.canonical_bytes) for e in events])
    world = World(engine, prepared)
    world.anchor_raw(root, 1, payload_of(parsed(object_event(2, item(2)))))
    assert only_batch(world)["status"] == "payload_mismatch"
    world.anchor_raw(root, 1, payload_of(events)[:-1])
    assert world.rows(tables.batch)[1]["status"] == "payload_invalid"


def test_the_prepared_memory_is_bounded() -> None:
    event = PreparedEvent("id", "digest", b"x" * 100)
    prepared = PreparedBatches(events_max=10, bodies_size_bytes_max=450)
    for number in range(20):
        prepared.put(bytes([number]) * 32, [event, event])
    assert len(prepared) == 2
    few = PreparedBatches(events_max=3)
    for number in range(20):
        few.put(bytes([number]) * 32, [event, event])
    assert len(few) == 1
    few.put(b"\xff" * 32, [event] * 4)
    assert len(few) == 0


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_a_rebuild_gives_equal_rows(engine: Engine, data: st.DataObject) -> None:
    world = World(engine)
    world.projector.rebuild()
    counted = [{"epcClass": lot("B7"), "quantity": 3}]
    part = "urn:uuid:11111111-2222-4333-8444-555555555555"
    pool = [
        object_event(1, item(1), bizStep="shipping", readPoint={"id": item(99)}),
        object_event(2, item(1), item(2), action="ADD", ilmd={"cbvmda:lotNumber": "B7"}),
        aggregation(3, "https://id.gs1.org/00/195210020000000419", item(1), item(2)),
        transformation(4, [item(1)], [item(3)], transformationID=part),
        object_event(5, item(4), **{"example:field": ["a", 3, True, {"deep": 1}]}),
        make("ObjectEvent", 6, action="ADD", epcList=[], quantityList=counted),
    ]
    batches = data.draw(
        st.lists(
            st.tuples(
                st.sampled_from(["good", "bad", "withheld"]),
                st.lists(st.integers(0, len(pool) - 1), min_size=1, max_size=6),
                st.sampled_from(["farm", "carrier"]),
            ),
            max_size=6,
        )
    )
    for kind, picks, organisation in batches:
        events = [pool[pick] for pick in picks]
        if kind == "good":
            world.anchor(*events, organisation=organisation)
        elif kind == "bad":
            world.anchor_raw(b"\x07" * 32, 1, payload_of(parsed(*events)))
        else:
            world.anchor_raw(b"\x07" * 32, 1, b"", visibility=Visibility.CONFIDENTIAL)
    before = world.dump()
    world.projector.rebuild()
    assert world.dump() == before
    distinct = {pick for kind, picks, _ in batches if kind == "good" for pick in picks}
    assert len(before["event"]) == len(distinct)
    total = sum(len(picks) for kind, picks, _ in batches if kind == "good")
    assert len(before["event"]) + len(before["event_repeat"]) == total
