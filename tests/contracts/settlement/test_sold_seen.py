"""A named buyer sees what he is to buy, as long as the deal stands; nobody else does by it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from contracts.consortium import Role
from contracts.genesis import DEPOSITS_ADDRESS, RECEIPTS_ADDRESS, RECEIVABLES_ADDRESS
from contracts.instruments import Viewer
from contracts.instruments import now as clock
from contracts.receipts import ReceiptQuery, find_receipt, list_receipts, receipt_history
from contracts.receivables import (
    ReceivableQuery,
    find_receivable,
    list_receivables,
    receivable_history,
)
from contracts.settlement import (
    SETTLEMENT_ADDRESS,
    Condition,
    ConditionKind,
    Leg,
    OfferDraft,
    attest_calldata,
    commit_calldata,
    deal_id,
    decline_calldata,
    deny_calldata,
    expire_calldata,
    issue_calldata,
    offer_calldata,
    quash_calldata,
    withdraw_calldata,
)
from ledger.types import Hash32
from tests.contracts.financing.loans import CURRENCY, DAY, Loans, hash_of
from tests.contracts.scene import CHAIN_ID

pytestmark = pytest.mark.feature("F6")
TRADER, WEIGHERS = Viewer.of("trader", Role.RETAILER), Viewer.of("weighers", Role.CARRIER)
EVIDENCE = hash_of("evidence")
ENDS: dict[str, tuple[str, Callable[[Hash32], bytes]]] = {
    "declined": ("trader", partial(decline_calldata, revision=0)),
    "withdrawn": ("farm", partial(withdraw_calldata, revision=0)),
    "quashed": ("court", partial(quash_calldata, revision=0, decision=EVIDENCE)),
    "expired": ("mill", partial(expire_calldata, revision=0)),
}


@pytest.fixture(scope="module")
def world() -> Loans:
    world = Loans.opened()
    for owner in ("trader", "farm"):
        world.act("bank", DEPOSITS_ADDRESS, issue_calldata(owner, CURRENCY, 10**6, f"D-{owner}"))
    return world


def sold(world: Loans, receipt: Hash32, buyer: str | None = "trader") -> Hash32:
    """The farm's receipt is offered for a price, paid once it is inspected."""
    world.applications += 1
    now, number = world.chain.time, f"S-{world.applications}"
    draft = OfferDraft(
        number=number,
        currency=CURRENCY,
        amount=900,
        expires=now + DAY,
        legs=(Leg(RECEIPTS_ADDRESS, receipt, 1),),
        buyer=buyer,
        seller_bank="bank",
        condition=Condition(ConditionKind.INSPECTION, 0, now + DAY, "weighers", EVIDENCE),
    )
    world.act("farm", SETTLEMENT_ADDRESS, offer_calldata(draft))
    return deal_id(CHAIN_ID, "farm", number)


def sees(world: Loans, receipt: Hash32, viewer: Viewer = TRADER) -> bool:
    """By id, in the list (also of few among many) and with its history, or nowhere."""
    with world.connect() as connection:
        found = find_receipt(connection, receipt, viewer) is not None
        acts = receipt_history(connection, receipt, viewer).items
        for query in (ReceiptQuery(), ReceiptQuery(expiring_before=2**40)):
            items = list_receipts(connection, query, viewer).items
            assert (receipt in [one.id for one in items]) == found
    assert bool(acts) == found
    return found


def test_whom_the_seller_has_named_sees_it_and_nobody_else_does(world: Loans) -> None:
    receipt = world.issue()
    assert not sees(world, receipt)
    sold(world, receipt)
    assert sees(world, receipt)
    for other in (WEIGHERS, Viewer.of("other-bank", Role.BANK), Viewer.nobody()):
        assert not sees(world, receipt, other)


def test_what_is_offered_to_anybody_is_shown_to_nobody(world: Loans) -> None:
    receipt = world.issue()
    deal = sold(world, receipt, buyer=None)
    assert not sees(world, receipt)
    world.act("trader", SETTLEMENT_ADDRESS, commit_calldata(deal, 0, "bank", [2]))
    assert sees(world, receipt)


@pytest.mark.parametrize("end", ENDS)
def test_an_offer_that_came_to_nothing_shows_it_no_longer(world: Loans, end: str) -> None:
    receipt = world.issue()
    deal = sold(world, receipt)
    assert sees(world, receipt)
    if end == "expired":
        world.wait(2 * DAY)
    who, make = ENDS[end]
    world.act(who, SETTLEMENT_ADDRESS, make(deal))
    assert not sees(world, receipt)


def test_an_offer_is_over_with_its_time_even_if_nobody_says_so(
    world: Loans, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt, now = world.issue(), world.chain.time
    sold(world, receipt)
    monkeypatch.setattr(clock.time, "time", lambda: now + DAY)
    assert sees(world, receipt)
    monkeypatch.setattr(clock.time, "time", lambda: now + 2 * DAY)
    assert not sees(world, receipt)


@pytest.mark.parametrize("met", [True, False])
def test_whose_money_waits_sees_it_until_the_deal_ends(world: Loans, met: bool) -> None:
    receipt = world.issue()
    deal = sold(world, receipt)
    world.act("trader", SETTLEMENT_ADDRESS, commit_calldata(deal, 0, "bank", [2]))
    assert sees(world, receipt)
    make = attest_calldata if met else deny_calldata
    world.act("weighers", SETTLEMENT_ADDRESS, make(deal, 0, EVIDENCE))
    assert sees(world, receipt) == met
    if met:
        assert world.get(receipt).holder == "trader"


def test_a_receivable_is_shown_in_the_same_way(world: Loans) -> None:
    id_, now = world.receivable(), world.chain.time
    legs = (Leg(RECEIVABLES_ADDRESS, id_, 2),)
    draft = OfferDraft("S-0", CURRENCY, 900, now + DAY, legs, buyer="trader", seller_bank="bank")

    def shown(viewer: Viewer) -> bool:
        with world.connect() as connection:
            found = find_receivable(connection, id_, viewer) is not None
            acts = receivable_history(connection, id_, viewer).items
            for query in (ReceivableQuery(), ReceivableQuery(due_before=2**40)):
                assert bool(list_receivables(connection, query, viewer).items) == found
        assert bool(acts) == found
        return found

    assert not shown(TRADER)
    world.act("farm", SETTLEMENT_ADDRESS, offer_calldata(draft))
    assert (shown(TRADER), shown(WEIGHERS)) == (True, False)
    deal = deal_id(CHAIN_ID, "farm", "S-0")
    world.act("farm", SETTLEMENT_ADDRESS, withdraw_calldata(deal, 0))
    assert not shown(TRADER)
