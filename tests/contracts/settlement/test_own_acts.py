"""A buyer does not get out of what he has agreed to by an act of his own."""

from __future__ import annotations

import pytest

from contracts.genesis import DEPOSITS_ADDRESS, RECEIPTS_ADDRESS, SETTLEMENT_ADDRESS
from contracts.receipts.binding import extend_calldata
from contracts.settlement import (
    Condition,
    ConditionKind,
    Leg,
    OfferDraft,
    choose_home_calldata,
    commit_calldata,
    deal_id,
    execute_calldata,
    issue_calldata,
    offer_calldata,
    rescind_calldata,
)
from tests.contracts.receipts.world import World
from tests.contracts.scene import CHAIN_ID


@pytest.mark.feature("F6")
def test_the_warehouse_that_buys_what_it_keeps_stands_by_it() -> None:
    """Prices fall before the date; a longer storage period would take nothing away from it."""
    world = World.founded()
    world.act("bank", DEPOSITS_ADDRESS, issue_calldata("granary", "CNY", 10_000, "M-1"))
    world.act("farm", DEPOSITS_ADDRESS, choose_home_calldata("bank", "CNY"))
    receipt, now = world.issue(), world.chain.time
    draft = OfferDraft(
        number="D-1",
        currency="CNY",
        amount=9_000,
        expires=now + 500,
        legs=(Leg(RECEIPTS_ADDRESS, receipt, world.get(receipt).revision),),
        buyer="granary",
        seller_bank="bank",
        condition=Condition(ConditionKind.DATE, now + 20),
    )
    world.act("farm", SETTLEMENT_ADDRESS, offer_calldata(draft))
    deal = deal_id(CHAIN_ID, "farm", draft.number)
    world.act("granary", SETTLEMENT_ADDRESS, commit_calldata(deal, 0, "bank", [0]))
    longer = extend_calldata(receipt, 0, world.get(receipt).expires + 1)
    assert world.refused("granary", RECEIPTS_ADDRESS, longer) == "InstrumentLocked"
    assert world.refused("granary", SETTLEMENT_ADDRESS, rescind_calldata(deal, 0)) == "AsAgreed"
    world.chain.number += 20
    world.act("farm", SETTLEMENT_ADDRESS, execute_calldata(deal, 0))
    assert world.get(receipt).holder == "granary"
    world.act("granary", RECEIPTS_ADDRESS, longer)
