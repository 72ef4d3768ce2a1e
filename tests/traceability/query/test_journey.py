"""Journeys: an item's story through containers, transformations and lots."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event as sql_event

from contracts.provenance import batch_leaf
from ledger.tlog import leaf_hash, verify_inclusion
from tests.traceability.projection.support import (
    GTIN,
    World,
    aggregation,
    item,
    lot,
    make,
    object_event,
    transformation,
)
from traceability.query import Relation, journey

pytestmark = [pytest.mark.feature("T5"), pytest.mark.feature("T7")]

CASE, CASE_2, PALLET = (
    f"https://id.gs1.org/00/{code}"
    for code in ("195210020000000419", "195210020000000426", "395210020000000079")
)
START = datetime(2026, 3, 1, tzinfo=UTC)
MILK = "09521001000017"


def told(world: World, epc: str, **bounds: int) -> list[tuple[int, str, str]]:
    """(minute, relation, what it is about) of each event."""
    with world.read() as connection:
        found = journey(connection, epc, **bounds)
    return [
        (
            one.event.event_time.day * 1440
            - 1440
            + one.event.event_time.hour * 60
            + one.event.event_time.minute,
            one.relation.value,
            one.about.removeprefix("https://id.gs1.org"),
        )
        for one in found.events
    ]


def me(serial: object, gtin: str = GTIN) -> str:
    return f"/01/{gtin}/21/{serial}"


def short(epc: str) -> str:
    return epc.removeprefix("https://id.gs1.org")


def of_lot(minute: int, epc_class: str, quantity: int = 24, **fields: Any) -> dict[str, Any]:
    """An event about a quantity of a lot, without serial numbers."""
    amount = [{"epcClass": epc_class, "quantity": quantity}]
    action = fields.pop("action", "OBSERVE")
    return make("ObjectEvent", minute, action=action, epcList=[], quantityList=amount, **fields)


def test_an_unknown_item_has_no_story(world: World) -> None:
    world.anchor(object_event(1, item(1)))
    with world.read() as connection:
        found = journey(connection, item("nobody"))
    assert found.events == ()
    assert not found.truncated
    assert found.epc == item("nobody")


def test_events_of_the_item_come_in_order_of_event_time(world: World) -> None:
    world.anchor(object_event(30, item(1)), object_event(10, item(1)), object_event(20, item(2)))
    world.anchor(object_event(5, item(1)))
    assert told(world, item(1)) == [(5, "self", me(1)), (10, "self", me(1)), (30, "self", me(1))]


def test_any_spelling_of_the_item_will_do(world: World) -> None:
    world.anchor(object_event(1, "urn:epc:id:sgtin:9521002.000001.7"))
    wanted = [(1, "self", me(7))]
    assert told(world, item(7)) == wanted
    assert told(world, "urn:epc:id:sgtin:9521002.000001.7") == wanted
    assert told(world, f"http://shop.example/x/01/{GTIN}/10/AB/21/7?q=1") == wanted


def test_containers_speak_for_the_item_only_while_it_is_inside(world: World) -> None:
    world.anchor(
        object_event(1, CASE),
        aggregation(10, CASE, item(1), item(2)),
        object_event(20, CASE),
        aggregation(30, CASE, item(1), action="DELETE"),
        object_event(40, CASE),
    )
    assert told(world, item(1)) == [
        (10, "self", me(1)),
        (20, "container", short(CASE)),
        (30, "self", me(1)),
    ]
    assert [minute for minute, _, _ in told(world, item(2))] == [10, 20, 40]


def test_a_container_taken_apart_as_a_whole_ends_the_stay(world: World) -> None:
    world.anchor(
        aggregation(10, CASE, item(1)),
        aggregation(20, CASE, action="DELETE"),
        object_event(30, CASE),
    )
    assert told(world, item(1)) == [(10, "self", me(1)), (20, "container", short(CASE))]


def test_containers_in_containers_are_followed_within_both_stays(world: World) -> None:
    world.anchor(
        aggregation(10, CASE, item(1)),
        aggregation(20, PALLET, CASE),
        object_event(30, PALLET),
        aggregation(40, CASE, item(1), action="DELETE"),
        object_event(50, PALLET),
        aggregation(60, PALLET, CASE, action="DELETE"),
    )
    assert told(world, item(1)) == [
        (10, "self", me(1)),
        (20, "container", short(CASE)),
        (30, "container", short(PALLET)),
        (40, "self", me(1)),
    ]


def test_other_things_put_into_the_container_are_not_told(world: World) -> None:
    world.anchor(
        aggregation(10, CASE, item(1)),
        aggregation(11, CASE, item(2)),
        aggregation(12, CASE, item(2), action="DELETE"),
        aggregation(13, CASE, item(3), action="OBSERVE"),
        make(
            "TransactionEvent",
            14,
            action="ADD",
            parentID=CASE,
            bizTransactionList=[{"bizTransaction": "urn:example:po:1"}],
            epcList=[],
        ),
    )
    assert [minute for minute, _, _ in told(world, item(1))] == [10, 13, 14]


def test_a_second_stay_in_the_same_container_counts(world: World) -> None:
    world.anchor(
        aggregation(10, CASE, item(1)),
        aggregation(20, CASE, item(1), action="DELETE"),
        object_event(25, CASE),
        aggregation(30, CASE, item(1)),
        object_event(35, CASE),
    )
    assert [minute for minute, _, _ in told(world, item(1))] == [10, 20, 30, 35]


def test_inputs_are_told_up_to_the_moment_they_went_in(world: World) -> None:
    world.anchor(
        object_event(1, item(1, MILK)),
        object_event(2, item(2, MILK)),
        transformation(10, [item(1, MILK)], [item(1)]),
        object_event(20, item(1, MILK)),
        object_event(30, item(1)),
    )
    assert told(world, item(1)) == [
        (1, "input", me(1, MILK)),
        (10, "self", me(1)),
        (30, "self", me(1)),
    ]


def test_inputs_of_inputs_and_their_containers_are_told(world: World) -> None:
    sugar = "09521002000092"
    world.anchor(
        object_event(1, item(1, sugar)),
        aggregation(2, CASE, item(1, sugar)),
        object_event(3, CASE),
        aggregation(4, CASE, item(1, sugar), action="DELETE"),
        transformation(5, [item(1, sugar)], [item(1, MILK)]),
        object_event(6, item(1, MILK)),
        transformation(10, [item(1, MILK)], [item(1)]),
    )
    assert told(world, item(1)) == [
        (1, "input", me(1, sugar)),
        (2, "input", me(1, sugar)),
        (3, "input", short(CASE)),
        (4, "input", me(1, sugar)),
        (5, "input", me(1, MILK)),
        (6, "input", me(1, MILK)),
        (10, "self", me(1)),
    ]


def test_other_uses_of_an_input_lot_are_another_story(world: World) -> None:
    milk = lot("M1", MILK)
    amount = [{"epcClass": milk, "quantity": 2, "uom": "KGM"}]
    world.anchor(
        of_lot(1, milk, action="ADD"),
        make("TransformationEvent", 5, inputQuantityList=amount, outputEPCList=[item(9)]),
        make("TransformationEvent", 10, inputQuantityList=amount, outputEPCList=[item(1)]),
        make("TransformationEvent", 20, inputQuantityList=amount, outputEPCList=[item(10)]),
    )
    assert told(world, item(1)) == [(1, "input", short(milk)), (10, "self", me(1))]


def test_a_transformation_told_in_parts_is_joined_by_its_id(world: World) -> None:
    one, other = (
        "urn:uuid:11111111-2222-4333-8444-555555555555",
        "urn:uuid:11111111-2222-4333-8444-666666666666",
    )
    world.anchor(
        object_event(1, item(1, MILK)),
        make("TransformationEvent", 5, inputEPCList=[item(1, MILK)], transformationID=one),
        make("TransformationEvent", 6, inputEPCList=[item(2, MILK)], transformationID=other),
        make("TransformationEvent", 10, outputEPCList=[item(1)], transformationID=one),
    )
    assert told(world, item(1)) == [
        (1, "input", me(1, MILK)),
        (5, "input", me(1, MILK)),
        (10, "self", me(1)),
    ]


def test_the_lot_that_the_commissioning_names_is_told(world: World) -> None:
    batch = lot("B7")
    amount = [{"epcClass": batch, "quantity": 24}]
    world.anchor(
        object_event(1, item(1), action="ADD", ilmd={"cbvmda:lotNumber": "B7"}),
        make(
            "ObjectEvent",
            5,
            action="OBSERVE",
            epcList=[],
            quantityList=amount,
            bizStep="inspecting",
        ),
        make(
            "ObjectEvent",
            6,
            action="OBSERVE",
            epcList=[],
            quantityList=[{"epcClass": lot("B8"), "quantity": 1}],
        ),
        make("TransformationEvent", 7, inputQuantityList=amount, outputEPCList=[item(99)]),
    )
    assert told(world, item(1)) == [(1, "self", me(1)), (5, "lot", short(batch))]


def test_a_lot_made_by_a_transformation_brings_its_inputs(world: World) -> None:
    batch = lot("B7")
    world.anchor(
        object_event(1, item(1, MILK)),
        make(
            "TransformationEvent",
            2,
            inputEPCList=[item(1, MILK)],
            outputQuantityList=[{"epcClass": batch, "quantity": 24}],
        ),
        object_event(3, item(1), action="ADD", ilmd={"cbvmda:lotNumber": "B7"}),
    )
    assert told(world, item(1)) == [
        (1, "input", me(1, MILK)),
        (2, "lot", short(batch)),
        (3, "self", me(1)),
    ]


def test_the_lot_in_the_link_counts_only_where_no_event_names_one(world: World) -> None:
    world.anchor(
        object_event(1, item(1), action="ADD", ilmd={"cbvmda:lotNumber": "TRUE"}),
        object_event(1, item(2)),
        of_lot(5, lot("TRUE")),
        of_lot(6, lot("LIE")),
    )
    link = f"https://id.gs1.org/01/{GTIN}/10/LIE/21/"
    assert [minute for minute, _, _ in told(world, link + "1")] == [1, 5]
    assert [minute for minute, _, _ in told(world, link + "2")] == [1, 6]
    assert [minute for minute, _, _ in told(world, item(2))] == [1]


def test_a_lot_has_a_journey_of_its_own(world: World) -> None:
    milk = lot("M1", MILK)
    amount = [{"epcClass": milk, "quantity": 2}]
    world.anchor(
        of_lot(1, milk, action="ADD"),
        make("TransformationEvent", 5, inputQuantityList=amount, outputEPCList=[item(9)]),
    )
    assert told(world, milk) == [(1, "self", short(milk)), (5, "self", short(milk))]


def test_cycles_end(world: World) -> None:
    world.anchor(
        aggregation(1, CASE, CASE_2),
        aggregation(2, CASE_2, CASE),
        transformation(3, [item(1)], [item(2)]),
        transformation(4, [item(2)], [item(1)]),
        transformation(5, [item(3)], [item(3)]),
    )
    assert [minute for minute, _, _ in told(world, CASE)] == [1, 2]
    assert [minute for minute, _, _ in told(world, item(1))] == [3, 4]
    assert [minute for minute, _, _ in told(world, item(3))] == [5]


def test_bounds_are_kept_and_told(world: World) -> None:
    world.anchor(*[object_event(minute, item(1)) for minute in range(20)])
    for serial in range(2, 12):
        world.anchor(transformation(30 + serial, [item(serial - 1)], [item(serial)]))
    with world.read() as connection:
        few = journey(connection, item(1), events_max=5)
        whole = journey(connection, item(11))
        shallow = journey(connection, item(11), depth_max=3)
    assert (len(few.events), few.truncated) == (5, True)
    assert (len(whole.events), whole.truncated) == (30, False)
    assert (len(shallow.events), shallow.truncated) == (4, True)


def test_an_event_anchored_twice_by_one_organisation_is_told_once(world: World) -> None:
    world.anchor(object_event(1, item(1)))
    world.anchor(object_event(1, item(1)), object_event(2, item(2)))
    with world.read() as connection:
        found = journey(connection, item(1))
    assert [one.event.organisation for one in found.events] == ["farm"]
    assert found.events[0].relation is Relation.SELF


def test_one_query_for_each_level_of_depth(world: World) -> None:
    children = [item(serial) for serial in range(50)]
    for serial in range(50):
        world.anchor(transformation(serial, [item(f"in{serial}", MILK)], [item(f"mid{serial}")]))
    world.anchor(transformation(100, [item(f"mid{serial}") for serial in range(50)], children))
    statements: list[str] = []

    def count(*arguments: object) -> None:
        statements.append(str(arguments[2]))

    sql_event.listen(world.engine, "before_cursor_execute", count)
    with world.read() as connection:
        found = journey(connection, item(7))
    assert len(found.events) == 51
    levels, who_else_said_it = 3, 1
    selects = [text for text in statements if text.startswith("SELECT event.")]
    others = [text for text in statements if "event_repeat" in text and "event." not in text]
    assert (len(selects), len(others)) == (levels, who_else_said_it)


def test_whoever_anchors_a_copied_event_first_does_not_hide_who_else_said_it(world: World) -> None:
    said = object_event(1, item(1))
    world.anchor(object_event(2, item(9)), said, organisation="copycat")
    world.anchor(said, object_event(3, item(8)), organisation="farm")
    world.anchor(said, organisation="shop")
    world.anchor(said, object_event(4, item(7)), organisation="farm")
    with world.read() as connection:
        found = journey(connection, item(1)).events
    assert [one.event.organisation for one in found] == ["copycat", "farm", "shop"]
    assert len({one.event.event_id for one in found}) == 1
    assert [one.event.block_number for one in found] == [1, 2, 3]
    for one in found:
        leaf = leaf_hash(batch_leaf(one.event.event_id, one.event.digest))
        place = (one.event.batch_index, one.event.batch_count, one.event.batch_path)
        verify_inclusion(leaf, *place, one.event.batch_root)


def test_statements_of_many_count_towards_the_bound(world: World) -> None:
    for number in range(5):
        world.anchor(object_event(1, item(1)), organisation=f"member-{number}")
    with world.read() as connection:
        found = journey(connection, item(1), events_max=3)
    assert len(found.events) == 3
    assert found.truncated


def test_later_events_about_an_earlier_time_cannot_push_the_story_out(world: World) -> None:
    world.anchor(object_event(100, item(1)), object_event(200, item(1)))
    world.anchor(*[object_event(minute, item(1)) for minute in range(20)], organisation="flood")
    assert [minute for minute, _, _ in told(world, item(1), events_max=3)] == [0, 100, 200]
