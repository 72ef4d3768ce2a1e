"""Counted stock beside live receipts: keys, signed counts, shortfalls, and who sees them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from contracts.abi import Function
from contracts.errors import CalldataValueError
from contracts.genesis import RECEIPTS_ADDRESS, STOCK_ADDRESS
from contracts.instruments import Viewer
from contracts.receipts import (
    ReceiptQuery,
    deliver_calldata,
    issue_calldata,
    list_receipts,
    request_delivery_calldata,
)
from contracts.stock import (
    STOCK_ARTIFACT,
    Agreement,
    Count,
    LotQuery,
    Nature,
    adjust_calldata,
    count_calldata,
    count_digest,
    count_signed_calldata,
    count_typed_data,
    decode_lot_of,
    decode_sequence_of,
    find_lot,
    list_lots,
    locations,
    lot_history,
    lot_key,
    lot_of_calldata,
    register_lot_calldata,
    sequence_of_calldata,
    set_agreement_calldata,
    set_counter_calldata,
)
from contracts.stock.queries import IN_STORE
from ledger.types import Hash32
from tests.contracts.receipts.story import tell
from tests.contracts.receipts.world import AGREEMENT, KEYS, MEMBERS, SCALE, World, hash_of
from tests.contracts.scene import CHAIN_ID

pytestmark = pytest.mark.feature("F3")
ALL = Viewer.everything()


@pytest.fixture
def world() -> World:
    return World.founded()


def signed(count: Count, secret: bytes = SCALE.secret) -> bytes:
    return bytes(Account.unsafe_sign_hash(count_digest(count, CHAIN_ID), secret).signature)


def stored(world: World, key: Hash32, viewer: Viewer = ALL):  # type: ignore[no-untyped-def]
    with world.connect() as connection:
        return find_lot(connection, key, viewer)


def kinds(world: World, key: Hash32) -> list[str]:
    with world.connect() as connection:
        return [one.kind for one in lot_history(connection, key, ALL, limit=100).items]


@given(
    st.builds(
        Count,
        key=st.binary(min_size=32, max_size=32),
        quantity=st.integers(0, 2**128 - 1),
        counted_at=st.integers(0, 2**48 - 1),
        sequence=st.integers(0, 2**64 - 1),
        evidence=st.binary(min_size=32, max_size=32),
    )
)
def test_what_a_counter_signs_is_what_any_wallet_signs(count: Count) -> None:
    message = encode_typed_data(full_message=count_typed_data(count, CHAIN_ID))
    wallet = Account.sign_message(message, SCALE.secret)
    assert bytes(wallet.message_hash) == count_digest(count, CHAIN_ID)


def test_keys_and_hashes_are_the_contracts(world: World) -> None:
    count = world.a_count(world.lot, 7)
    hash_ = Function.of(STOCK_ARTIFACT, "countHash")
    values = (count.key, count.quantity, count.counted_at, count.sequence, count.evidence)
    answer = world.read(STOCK_ADDRESS, hash_.calldata(values))
    assert hash_.result(answer)[0] == count_digest(count, CHAIN_ID)
    key_of = Function.of(STOCK_ARTIFACT, "keyOf")
    words = (b"port".ljust(32, b"\0"), hash_of("p"), hash_of("l"))
    found = key_of.result(world.read(STOCK_ADDRESS, key_of.calldata(*words)))[0]
    assert found == lot_key("port", hash_of("p"), hash_of("l"))


def test_a_signed_count_is_brought_by_anybody_once(world: World) -> None:
    count = world.a_count(world.lot, 900_000)
    world.stock("farm", count_signed_calldata(count, signed(count)))
    lot = stored(world, world.lot)
    assert (lot.lot.counted, lot.lot.last_count) == (900_000, 900_000)
    with world.connect() as connection:
        entry = lot_history(connection, world.lot, ALL, kind="counted").items[0]
    assert (entry.by, entry.counter) == ("weighers", SCALE.address)
    assert (entry.sequence, entry.evidence) == (count.sequence, count.evidence)
    again = count_signed_calldata(count, signed(count))
    assert world.refused("farm", STOCK_ADDRESS, again) == "CountReplayed"
    used = decode_sequence_of(
        world.read(STOCK_ADDRESS, sequence_of_calldata(world.lot, SCALE.address))
    )
    assert used == count.sequence


def test_a_signature_covers_every_field(world: World) -> None:
    count = world.a_count(world.lot, 900_000)
    signature = signed(count)
    changes = [{"quantity": 900_001}, {"counted_at": count.counted_at - 1}, {"sequence": 99}]
    for change in [*changes, {"evidence": hash_of("other")}]:
        data = count_signed_calldata(replace(count, **change), signature)
        assert world.refused("farm", STOCK_ADDRESS, data) in ("CallerNotActive", "CountTimeRefused")
    broken = count_signed_calldata(count, b"\xff" * 64 + b"\x1b")
    assert world.refused("farm", STOCK_ADDRESS, broken) == "InvalidSignature"
    with pytest.raises(CalldataValueError, match="65 bytes"):
        count_signed_calldata(count, signature[:64])


def test_a_shortfall_stops_issuing_and_is_told(world: World) -> None:
    world.issue(500_000)
    world.count(world.lot, 480_000)
    lot = stored(world, world.lot)
    assert (lot.lot.short, lot.free, lot.missing) == (True, 0, 20_000)
    refusal = issue_calldata(world.draft(1))
    words = world.words("granary", RECEIPTS_ADDRESS, refusal)
    assert "480000 was counted, receipts stand for 500000" in words
    world.count(world.lot, 495_000)  # within 2 %
    lot = stored(world, world.lot)
    assert (lot.lot.short, lot.free, lot.missing) == (False, 0, 5_000)
    assert kinds(world, world.lot)[:4] == [
        "counted",
        "shortfall-ended",
        "counted",
        "shortfall-began",
    ]


def test_a_shortfall_by_adjustment_begins_and_ends(world: World) -> None:
    id_ = world.issue(995_000)
    world.stock("granary", adjust_calldata(world.lot, 960_000, "it dried"))
    assert stored(world, world.lot).lot.short
    world.receipts("farm", request_delivery_calldata(id_, 1, 900_000))
    world.receipts("granary", deliver_calldata(id_, 2))
    lot = stored(world, world.lot)
    assert (lot.lot.short, lot.missing) == (True, 35_000)
    world.register("port", "quay", "maize")  # a count is younger than the last delivery
    world.count(world.lot, 95_000)
    assert not stored(world, world.lot).lot.short
    assert kinds(world, world.lot).count("shortfall-began") == 1


def test_every_stored_lot_is_what_the_contract_says(world: World) -> None:
    tell(world)
    lot = stored(world, world.lot)
    contract = decode_lot_of(world.read(STOCK_ADDRESS, lot_of_calldata(world.lot)))
    assert contract is not None
    assert replace(lot.lot, last_count=contract.last_count) == contract
    assert lot.lot.last_count == 1_000_000
    assert lot.lot.counted == 960_000
    assert lot.counters == ("weighers",)
    assert lot.receipts == 16


def test_what_live_receipts_stand_for_is_the_sum_of_the_receipts(world: World) -> None:
    tell(world)
    with world.connect() as connection:
        receipts = list_receipts(
            connection, ReceiptQuery(lot=world.lot, states=IN_STORE, limit=1_000), ALL
        ).items
    lot = stored(world, world.lot)
    assert sum(one.receipt.quantity for one in receipts) == lot.lot.live
    assert len(receipts) == lot.receipts


def test_a_delivery_leaves_counted_and_live(world: World) -> None:
    id_ = world.issue(100_000)
    world.receipts("farm", request_delivery_calldata(id_, 1, 40_000))
    world.receipts("granary", deliver_calldata(id_, 2))
    lot = stored(world, world.lot)
    assert (lot.lot.counted, lot.lot.live, lot.free) == (960_000, 60_000, 900_000)


@pytest.mark.feature("S1")
def test_a_lot_is_seen_by_who_keeps_counts_or_owns_of_it(world: World) -> None:
    other = world.register("port", "quay", "maize")
    id_ = world.issue(1_000, holder="mill", owner="farm")
    assert id_
    expected = {
        world.lot: {"granary", "weighers", "farm", "mill", "office", "court"},
        other: {"port", "weighers", "office", "court"},
    }
    for name, role in MEMBERS.items():
        viewer = Viewer.of(name, role)
        visible = {key for key, names in expected.items() if name in names}
        with world.connect() as connection:
            page = list_lots(connection, LotQuery(), viewer)
            places = locations(connection, viewer)
            entries = {key: lot_history(connection, key, viewer).items for key in expected}
        assert {lot.key for lot in page.items} == visible
        assert len(places) == len(visible)
        for key in expected:
            assert (stored(world, key, viewer) is not None) == (key in visible)
            assert bool(entries[key]) == (key in visible)


def test_lots_are_filtered_and_come_in_pages(world: World) -> None:
    keys = [world.register("port", f"quay {n % 2}", f"lot {n}") for n in range(5)]
    found: list[Hash32] = []
    after = None
    with world.connect() as connection:
        while True:
            page = list_lots(connection, LotQuery(warehouse="port", after=after, limit=2), ALL)
            found += [lot.key for lot in page.items]
            if (after := page.after) is None:
                break
        at_place = list_lots(connection, LotQuery(place=hash_of("quay 1")), ALL)
        short = list_lots(connection, LotQuery(short=True), ALL)
        quays = locations(connection, ALL, warehouse="port")
    assert found == keys[::-1]
    assert {lot.key for lot in at_place.items} == {keys[1], keys[3]}
    assert short.items == ()
    assert sorted(place.lots for place in quays) == [2, 3]


def test_agreement_and_counters_change_and_are_told(world: World) -> None:
    key = world.register("port", "quay", "maize")
    changed = Agreement(Nature.FIXED, "KGM", 0, 0, 60)
    world.stock("port", set_agreement_calldata(key, changed))
    world.stock("port", set_counter_calldata(key, "mill", True))
    world.stock("port", set_counter_calldata(key, "weighers", False))
    lot = stored(world, key)
    assert lot.lot.agreement == changed
    assert lot.counters == ("mill",)
    assert kinds(world, key) == ["counter-removed", "counter-added", "agreement", "registered"]
    assert stored(world, key, Viewer.of("weighers")) is not None  # it was one


def test_an_adjustment_says_why(world: World) -> None:
    world.stock("granary", adjust_calldata(world.lot, 990_000, "it dried"))
    with world.connect() as connection:
        entry = lot_history(connection, world.lot, ALL).items[0]
    assert (entry.kind, entry.by, entry.text) == ("adjusted", "granary", "it dried")
    assert (entry.former, entry.counted) == (1_000_000, 990_000)


@pytest.mark.parametrize("unit", ["", "TONS", "t\u00e9", "a b"])
def test_a_unit_that_does_not_fit_is_refused(unit: str) -> None:
    with pytest.raises(CalldataValueError, match="unit"):
        register_lot_calldata(hash_of("p"), hash_of("l"), replace(AGREEMENT, unit=unit), ["mill"])


def test_only_who_was_chosen_counts(world: World) -> None:
    data = count_calldata(world.a_count(world.lot, 5))
    assert world.refused("mill", STOCK_ADDRESS, data) == "NotCounter"
    assert world.words("mill", STOCK_ADDRESS, data).startswith("mill ")
    assert KEYS["mill"].address != SCALE.address
