"""The feed is a function of the chain: order, places, visibility, rebuild, versions."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from contracts.directory import add_version
from contracts.genesis import DIRECTORY_ADDRESS, RECEIPTS_ADDRESS
from contracts.instruments.notices import Notice, as_json
from contracts.instruments.viewer import Viewer
from contracts.notices import (
    BEGINNING,
    NoticeFilter,
    NoticeMalformed,
    NoticesHandler,
    Place,
    PlaceMalformed,
    find_notices,
    newest_position,
    parties_of,
    position_before,
)
from contracts.notices.sources import SOURCES
from contracts.receipts import RECEIPTS_ARTIFACT, issue_calldata, transfer_holding_calldata
from contracts.receipts.types import Draft
from ledger.projection import Projector, flush, open_database, upgrade
from ledger.types import Log
from tests.contracts.notices.grain import LOT, PLACES, WHOLE, Grain
from tests.contracts.notices.saying import NAMES, RECORDS, handler, one, say, told
from tests.contracts.scene import govern, key
from tests.contracts.tables import memory_engine
from tests.ledger.projection.support import COUNTED, OTHER, MemoryChain

pytestmark = [pytest.mark.feature("A2"), pytest.mark.feature("F3")]

EVERYTHING = Viewer.everything()


def fed(chain: MemoryChain, engine: Engine) -> Projector:
    upgrade(engine)
    projector = Projector(engine, chain, [handler()])
    projector.catch_up()
    return projector


def test_places_are_texts_and_numbers_in_one_order() -> None:
    places = [Place(0, 0, 0), Place(0, 0, 15), Place(0, 1, 0), Place(1, 0, 0), Place(10**9, 5, 3)]
    assert sorted(places, key=lambda place: place.position) == places
    for place in places:
        assert Place.parse(str(place)) == place
        assert Place.of(place.position) == place
        assert place.position < Place.end_of(place.block_number).position
    assert Place.end_of(3).position < Place(4, 0, 0).position
    assert Place.of((1 << 63) - 1).position == (1 << 63) - 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1-2",
        "1-2-3-4",
        "01-2-3",
        "-1-2-3",
        "1-2-16",
        "1-5000000-0",
        "9" * 13 + "-0-0",
        "1-２-3",
    ],
)
def test_what_is_no_place_is_told(text: str) -> None:
    with pytest.raises(PlaceMalformed):
        Place.parse(text)


@pytest.mark.parametrize(
    "notice",
    [
        one(kind="Thing.done"),
        one(kind="thing"),
        one(kind="thing.done.twice"),
        one(kind="t." + "x" * 70),
        {**one(), "id": "0x12"},
        {**one(), "body": {"text": "x" * 70_000}},
    ],
)
def test_a_notice_that_fits_no_feed_stops_it(notice: dict[str, Any]) -> None:
    engine = memory_engine()
    chain = MemoryChain()
    block = chain.add([(COUNTED, b"", [say(notice)])])
    feed = handler()
    with engine.begin() as connection:
        feed.metadata.create_all(connection)
        feed.reset(connection)
        with pytest.raises(NoticeMalformed):
            feed.apply(connection, block, block.logs[0])


def test_more_notices_than_a_log_may_tell_stop_it() -> None:
    engine = memory_engine()
    chain = MemoryChain()
    block = chain.add([(COUNTED, b"", [say(*[one()] * 17)])])
    feed = handler()
    with engine.begin() as connection:
        feed.metadata.create_all(connection)
        feed.reset(connection)
        with pytest.raises(NoticeMalformed, match="17 notices"):
            feed.apply(connection, block, block.logs[0])


def test_pages_by_position_filters_and_times(database_url: str) -> None:
    engine = open_database(database_url)
    chain = MemoryChain()
    for number in range(6):
        kind = "thing.done" if number % 2 else "other-thing.begun"
        chain.add([(COUNTED, b"", [say(one(kind, number % 3), one("loan.drawn", 3, ["ash"]))])])
    fed(chain, engine)
    with engine.connect() as connection:
        whole = find_notices(connection, EVERYTHING)
        assert [n.place.position for n in whole] == sorted(n.place.position for n in whole)
        assert len(whole) == 12
        pages, after = [], BEGINNING
        while page := find_notices(connection, Viewer.of("ash"), after=after, count=5):
            pages += page
            after = page[-1].place.position
        assert pages == list(whole)
        birch = find_notices(connection, Viewer.of("birch"))
        assert [n.kind for n in birch] == ["other-thing.begun", "thing.done"] * 3
        assert find_notices(connection, Viewer.nobody()) == ()

        def kinds(*wanted: str, record: str = "") -> list[str]:
            found = find_notices(connection, EVERYTHING, wanted=NoticeFilter(wanted, record))
            assert all(NoticeFilter(wanted, record).wants(n) for n in found)
            return [n.kind for n in found]

        assert kinds("thing.done") == ["thing.done"] * 3
        assert kinds("thing.*") == ["thing.done"] * 3
        assert len(kinds("thing.*", "loan.drawn")) == 9
        assert kinds("thing.*", record=RECORDS[2]) == ["thing.done"]
        third = chain.blocks[3].block.header.timestamp
        since = position_before(connection, third)
        later = find_notices(connection, EVERYTHING, after=since)
        assert [n.place.block_number for n in later] == [3, 3, 4, 4, 5, 5, 6, 6]
        assert position_before(connection, 0) == BEGINNING
        assert newest_position(connection) == whole[-1].place.position
        assert parties_of(connection, whole[1].place.position, whole[1].place.position) == {
            whole[1].place.position: frozenset({"ash"})
        }
    engine.dispose()


def test_a_rebuild_gives_the_same_feed(database_url: str) -> None:
    engine = open_database(database_url)
    chain = MemoryChain()
    for number in range(5):
        chain.add([(COUNTED, b"", [say(one(record=number % 3, parties=NAMES[number % 3 :]))])])
    projector = fed(chain, engine)
    with engine.connect() as connection:
        before = {name: find_notices(connection, Viewer.of(name)) for name in NAMES}
    projector.rebuild()
    with engine.connect() as connection:
        assert {name: find_notices(connection, Viewer.of(name)) for name in NAMES} == before
    engine.dispose()


acts = st.lists(
    st.fixed_dictionaries(
        {
            "record": st.integers(0, 2),
            "parties": st.none() | st.sets(st.sampled_from(NAMES)),
            "by": st.sets(st.sampled_from((*NAMES, "court")), max_size=1),
            "joining": st.sets(st.sampled_from(NAMES), max_size=1),
            "leaving": st.sets(st.sampled_from(NAMES), max_size=1),
            "topic": st.sampled_from(["", *RECORDS]),
            "final": st.booleans(),
            "alarm": st.booleans(),
        }
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(acts)
def test_who_is_told_what_is_as_a_plain_model_says(steps: list[dict[str, Any]]) -> None:
    parties: dict[str, set[str]] = defaultdict(set)
    topics: dict[str, str] = {}
    ended: dict[str, bool] = {}
    expected: dict[str, list[int]] = defaultdict(list)
    queue: list[Notice] = []
    feed = NoticesHandler({"receipts": COUNTED}, {"receipts": lambda _: (queue.pop(0),)}, OTHER)
    engine, chain = memory_engine(), MemoryChain()
    with engine.begin() as connection:
        feed.metadata.create_all(connection)
        feed.reset(connection)
        for number, step in enumerate(steps, 1):
            record = RECORDS[step["record"]]
            before = set(parties[record])
            if step["parties"] is None:
                after = (before - step["leaving"]) | step["joining"]
            else:
                after = set(step["parties"])
            hear = before | after | step["by"]
            if step["alarm"]:
                for other, topic in topics.items():
                    if topic == record and not ended[other]:
                        hear |= parties[other]
            for name in hear:
                expected[name].append(number)
            parties[record] = after
            topics[record] = step["topic"] or topics.get(record, "")
            ended[record] = step["final"]
            rest = {name: frozenset(step[name]) for name in ("joining", "leaving")}
            queue.append(
                Notice(
                    kind="thing.done",
                    id=record,
                    parties=None if step["parties"] is None else frozenset(step["parties"]),
                    body={},
                    by=tuple(step["by"]),
                    topic=step["topic"],
                    final=step["final"],
                    alarm=step["alarm"],
                    **rest,
                )
            )
            block = chain.add([(COUNTED, b"", [Log(COUNTED, (), b"")])])
            feed.apply(connection, block, block.logs[0])
        flush(connection)
        for name in (*NAMES, "court"):
            found = find_notices(connection, Viewer.of(name))
            assert [n.place.block_number for n in found] == expected[name]


def test_bodies_hold_what_json_can() -> None:
    told_body = as_json(Draft("W-1", LOT, WHOLE, WHOLE, "a", "b", 1 << 100, 7, (WHOLE,), b"\x01"))
    assert isinstance(told_body, dict)
    assert told_body["quantity"] == str(1 << 100)
    assert told_body["expires"] == 7
    assert told_body["keys"] == [f"0x{WHOLE.hex()}"]
    assert told_body["payload"] == "0x01"
    with pytest.raises(TypeError, match="float"):
        as_json({"x": 1.5})


def test_later_versions_are_heard_beside_the_first() -> None:
    grain = Grain()
    grain.register()
    grain.count(10_000)
    first = grain.issue("N-1", 5, "trader")
    made = grain.chain.send(key(1), None, RECEIPTS_ARTIFACT.bytecode).contract_address
    assert made is not None
    data = add_version("receipts", made, "second")
    receipt = govern(grain.chain, (DIRECTORY_ADDRESS, data))
    assert receipt.status == 1
    grain.apply(receipt)
    draft = Draft("N-2", LOT, WHOLE, WHOLE, "trader", "trader", 5, grain.chain.time + 900)
    grain.act("silo", made, issue_calldata(draft))
    handed = transfer_holding_calldata(first, 1, "miller")
    grain.act("trader", RECEIPTS_ADDRESS, handed)
    assert grain.kinds("trader") == ["receipt.issue", "receipt.issue", "receipt.transfer-holding"]


def test_a_version_that_logs_in_the_block_that_names_it_is_heard() -> None:
    grain = Grain()
    made = grain.chain.send(key(1), None, bytes.fromhex("60005f5360015ff3")).contract_address
    assert made is not None
    naming = govern(grain.chain, (DIRECTORY_ADDRESS, add_version("receipts", made, "next")))
    named = next(log for log in naming.logs if log.address == DIRECTORY_ADDRESS)
    chain, engine = MemoryChain(), memory_engine()
    feed = NoticesHandler({"receipts": COUNTED}, {"receipts": told})
    block = chain.add([(made, b"", [Log(made, (), say(one()).data), named])])
    with engine.begin() as connection:
        feed.metadata.create_all(connection)
        feed.reset(connection)
        assert feed.addresses(connection, block) == {DIRECTORY_ADDRESS, COUNTED, made}
        for log in block.logs:
            feed.apply(connection, block, log)
        flush(connection)
        assert len(find_notices(connection, EVERYTHING)) == 1


def test_every_room_that_is_heard_is_a_contract_of_the_directory() -> None:
    assert set(SOURCES) >= {"pledges", "receipts", "stock"}
    assert set(PLACES) - {"directory"} <= set(SOURCES)
