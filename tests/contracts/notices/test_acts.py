"""What the real contracts do is told to whom it concerns."""

from __future__ import annotations

import pytest

from contracts.consortium import Role
from contracts.genesis import PLEDGES_ADDRESS, RECEIPTS_ADDRESS, STOCK_ADDRESS
from contracts.pledges import (
    Terms,
    accept_calldata,
    declare_default_calldata,
    pledge_key,
    propose_calldata,
    release_calldata,
)
from contracts.receipts import (
    Purpose,
    freeze_calldata,
    shred_calldata,
    split_calldata,
    surrender_calldata,
    transfer_both_calldata,
)
from contracts.stock import set_counter_calldata
from ledger.types import Hash32
from tests.contracts.notices.grain import LOT, WHOLE, Grain, text

pytestmark = [pytest.mark.feature("A2"), pytest.mark.feature("F3")]


@pytest.fixture
def grain() -> Grain:
    scene = Grain()
    scene.register()
    scene.count(10_000)
    return scene


def pledged(grain: Grain, receipt: Hash32, revision: int = 1, by: str = "trader") -> Hash32:
    terms = Terms(500_000, "CNY", grain.chain.time + 1_000, 60, WHOLE)
    data = propose_calldata(RECEIPTS_ADDRESS, receipt, revision, "bank", terms)
    grain.act(by, PLEDGES_ADDRESS, data)
    key = pledge_key(RECEIPTS_ADDRESS, receipt, revision, by, "bank", terms)
    grain.act("bank", PLEDGES_ADDRESS, accept_calldata(key))
    return key


def test_an_act_is_told_to_the_parties_with_the_record_after_it(grain: Grain) -> None:
    receipt = grain.issue("W-1", 4_000, "trader")
    notice = grain.seen("trader")[-1]
    assert notice.kind == "receipt.issue"
    assert notice.record == text(receipt)
    assert notice.body["by"] == "silo"
    record = notice.body["record"]
    assert isinstance(record, dict)
    assert (record["holder"], record["state"], record["quantity"]) == ("trader", "live", "4000")
    assert (record["revision"], record["pledgee"], record["lot"]) == (1, None, text(LOT))
    assert grain.kinds("silo")[-1] == "receipt.issue"
    assert grain.kinds("miller") == []
    assert grain.kinds("bank") == []


def test_who_hands_over_is_told_of_it_and_of_nothing_more(grain: Grain) -> None:
    receipt = grain.issue("W-1", 4_000, "trader")
    hand_over = transfer_both_calldata(receipt, 1, "miller", "miller", "sold")
    grain.act("trader", RECEIPTS_ADDRESS, hand_over)
    back = surrender_calldata(receipt, 2, Purpose.DELIVERY)
    grain.act("miller", RECEIPTS_ADDRESS, back)
    assert grain.kinds("trader") == ["receipt.issue", "receipt.transfer-both"]
    assert grain.kinds("miller") == ["receipt.transfer-both", "receipt.surrender"]


def test_an_authority_that_freezes_is_told_of_its_own_act_alone(grain: Grain) -> None:
    receipt = grain.issue("W-1", 4_000, "trader")
    grain.act("regulator", RECEIPTS_ADDRESS, freeze_calldata(receipt, 1, WHOLE, "file 7"))
    assert grain.kinds("regulator") == ["receipt.freeze"]
    assert grain.kinds("trader")[-1] == "receipt.freeze"
    everything = [one.kind for one in grain.seen("regulator", Role.REGULATOR)]
    assert everything == [
        "stock.registered",
        "stock.counted",
        "receipt.issue",
        "receipt.freeze",
    ]


def test_a_pledge_is_told_to_both_sides_from_offer_to_release(grain: Grain) -> None:
    receipt = grain.issue("W-1", 4_000, "trader")
    key = pledged(grain, receipt)
    grain.act("bank", PLEDGES_ADDRESS, release_calldata(key, [receipt]))
    expected = [
        "pledge.proposed",
        "pledge.active",
        "pledge.covered",
        "receipt.encumber",
        "pledge.freed",
        "pledge.released",
        "receipt.disencumber",
    ]
    assert grain.kinds("bank") == expected
    assert grain.kinds("trader") == ["receipt.issue", *expected]
    assert "pledge.active" not in grain.kinds("silo")
    active = next(one for one in grain.seen("bank") if one.kind == "pledge.active")
    record = active.body["record"]
    assert isinstance(record, dict)
    terms = record["terms"]
    assert isinstance(terms, dict)
    assert (terms["amount"], terms["currency"], record["state"]) == ("500000", "CNY", "active")


def test_a_shortfall_reaches_every_holder_owner_and_pledgee_of_the_lot(grain: Grain) -> None:
    grain.issue("W-1", 3_000, "trader")
    second = grain.issue("W-2", 3_000, "miller", "miller")
    pledged(grain, second, by="miller")
    grain.count(5_000)
    for name in ("silo", "inspector", "trader", "miller", "bank"):
        assert grain.kinds(name).count("stock.shortfall-began") == 1, name
    assert grain.kinds("other-bank") == []
    alert = next(one for one in grain.seen("bank") if one.kind == "stock.shortfall-began")
    assert alert.record == text(LOT)
    assert (alert.body["counted"], alert.body["live"]) == ("5000", "6000")
    # Counts are for those who keep and count the goods.
    assert "stock.counted" not in grain.kinds("bank")
    grain.count(6_000)
    assert grain.kinds("bank")[-1] == "stock.shortfall-ended"


def test_who_has_nothing_left_in_the_lot_hears_no_alarm(grain: Grain) -> None:
    first = grain.issue("W-1", 3_000, "trader")
    grain.issue("W-2", 3_000, "miller")
    grain.act("trader", RECEIPTS_ADDRESS, surrender_calldata(first, 1, Purpose.DELIVERY))
    grain.act("silo", RECEIPTS_ADDRESS, shred_calldata(first, 2))
    grain.count(100)
    assert "stock.shortfall-began" not in grain.kinds("trader")
    assert "stock.shortfall-began" in grain.kinds("miller")


def test_parts_of_a_split_stand_in_its_place(grain: Grain) -> None:
    whole = grain.issue("W-1", 3_000, "trader")
    grain.act("trader", RECEIPTS_ADDRESS, split_calldata(whole, 1, [1_000, 2_000], [[], []]))
    kinds = grain.kinds("trader")
    assert kinds[-3:] == ["receipt.split", "receipt.arise", "receipt.arise"]
    grain.count(100)
    assert "stock.shortfall-began" in grain.kinds("trader")


def test_counters_hear_of_a_lot_as_long_as_they_count_it(grain: Grain) -> None:
    add = set_counter_calldata(LOT, "miller", True)
    grain.act("silo", STOCK_ADDRESS, add)
    grain.count(9_000)
    grain.act("silo", STOCK_ADDRESS, set_counter_calldata(LOT, "miller", False))
    grain.count(8_000)
    assert grain.kinds("miller") == [
        "stock.counter-added",
        "stock.counted",
        "stock.counter-removed",
    ]


def test_a_default_is_told(grain: Grain) -> None:
    receipt = grain.issue("W-1", 3_000, "trader")
    key = pledged(grain, receipt)
    grain.chain.number += 2_000
    grain.act("bank", PLEDGES_ADDRESS, declare_default_calldata(key, "not paid"))
    last = grain.seen("trader")[-1]
    assert last.kind == "pledge.defaulted"
    assert last.body["remark"] == "not paid"
