"""Who is suspended stands in nobody's way: debts are paid; and no hold stops what comes in."""

from __future__ import annotations

import pytest

from contracts.consortium import CONSORTIUM_ADDRESS, Status, set_organisation_status
from contracts.genesis import RECEIVABLES_ADDRESS
from contracts.settlement import (
    DEPOSITS_ADDRESS,
    Condition,
    ConditionalDraft,
    ConditionKind,
    Leg,
    OfferDraft,
    Payment,
    account_key,
    choose_home_calldata,
    collect_calldata,
    hold_calldata,
    hold_id,
    offer_calldata,
    pay_calldata,
    release_calldata,
    set_aside_calldata,
)
from ledger.types import Hash32
from tests.contracts.scene import govern
from tests.contracts.settlement.debts import account, outstanding, paid_into_hold, paying, pledged
from tests.contracts.settlement.market import (
    CNY,
    DECISION,
    EVIDENCE,
    KEYS,
    Market,
    opened,
)

pytestmark = pytest.mark.feature("F6")
EVERYTHING_HELD = (1 << 128) - 1


@pytest.fixture
def market() -> Market:
    found = opened()
    found.limit("first-bank", "second-bank", 50_000)
    found.deposits("farm", choose_home_calldata("first-bank", CNY))
    return found


def suspend(market: Market, organisation: str, status: Status = Status.SUSPENDED) -> None:
    call = CONSORTIUM_ADDRESS, set_organisation_status(organisation, status)
    assert govern(market.chain, call, by=KEYS["operator"]).status == 1


def held(market: Market, by: str, amount: int, decision: Hash32) -> Hash32:
    market.deposits(by, hold_calldata("first-bank", CNY, "farm", amount, decision))
    return hold_id(account_key("first-bank", CNY, "farm"), by, decision)


# ---- holds --------------------------------------------------------------------------------------


def test_a_hold_of_everything_stops_no_other_hold_and_no_debtor(market: Market) -> None:
    receivable = pledged(market)
    first = held(market, "court", EVERYTHING_HELD, DECISION)
    second = held(market, "regulator", EVERYTHING_HELD, EVIDENCE)
    assert account(market, "first-bank", "farm").held == EVERYTHING_HELD
    security = paid_into_hold(market, receivable)
    paid = account(market, "first-bank", "farm")
    assert (paid.balance, paid.held, paid.free) == (14_000, EVERYTHING_HELD, 0)
    taking = collect_calldata(security, 3_000)
    assert market.refusal("first-bank", taking, DEPOSITS_ADDRESS) == "Insufficient"
    market.deposits("court", release_calldata(first, EVERYTHING_HELD, DECISION))
    assert account(market, "first-bank", "farm").held == EVERYTHING_HELD
    assert market.refusal("first-bank", taking, DEPOSITS_ADDRESS) == "Insufficient"
    market.deposits("regulator", release_calldata(second, EVERYTHING_HELD - 7, EVIDENCE))
    assert account(market, "first-bank", "farm").held == 4_007
    market.deposits("first-bank", taking)
    left = account(market, "first-bank", "farm")
    assert (left.balance, left.held, left.free) == (11_000, 1_007, 9_993)


# ---- standing -----------------------------------------------------------------------------------


def test_a_debtor_pays_a_holder_who_is_suspended_and_cannot_dispose_of_it(market: Market) -> None:
    receivable = market.receivable("farm", "mill", 4_000)
    suspend(market, "farm")
    market.deals("mill", paying(market, receivable))
    assert outstanding(market, receivable) == 0
    assert account(market, "first-bank", "farm").balance == 14_000
    spend = pay_calldata(Payment("first-bank", "trader", CNY, 1, market.number(), "first-bank"))
    assert market.refusal("farm", spend, DEPOSITS_ADDRESS) == "CallerNotActive"
    suspend(market, "farm", Status.ACTIVE)
    assert market.refusal("farm", spend, DEPOSITS_ADDRESS) is None


def test_a_debtor_pays_where_the_holder_wants_it_though_that_bank_is_suspended(
    market: Market,
) -> None:
    receivable = market.receivable("farm", "mill", 4_000)
    suspend(market, "first-bank")
    market.deals("mill", paying(market, receivable))
    assert (outstanding(market, receivable), market.balance("first-bank", "farm")) == (0, 14_000)


def test_a_debtor_pays_while_the_pledgee_is_suspended_and_it_stays_held(market: Market) -> None:
    receivable = pledged(market)
    suspend(market, "first-bank")
    hold = paid_into_hold(market, receivable)
    paid = account(market, "first-bank", "farm")
    assert (paid.balance, paid.held, outstanding(market, receivable)) == (14_000, 4_000, 0)
    free = release_calldata(hold, 4_000, DECISION)
    assert market.refusal("farm", free, DEPOSITS_ADDRESS) == "StillSecured"
    assert market.refusal("mill", free, DEPOSITS_ADDRESS) == "NotParty"
    market.deposits("court", free)
    assert account(market, "first-bank", "farm").held == 0


def test_a_debtor_pays_a_bank_that_is_suspended(market: Market) -> None:
    receivable = market.receivable("first-bank", "mill", 4_000)
    suspend(market, "first-bank")
    market.deals("mill", paying(market, receivable))
    assert outstanding(market, receivable) == 0
    assert market.position("first-bank", "second-bank").claim == 4_000
    assert market.book("first-bank").redeemed == 4_000


def test_a_customer_pays_his_own_bank_whatever_has_become_of_it(market: Market) -> None:
    suspend(market, "first-bank")
    number = market.number()
    market.deposits("trader", pay_calldata(Payment("first-bank", "first-bank", CNY, 300, number)))
    assert market.balance("first-bank", "trader") == 99_700
    # To anybody else nothing goes out of a bank that is suspended, nor in to it by an order.
    out = pay_calldata(Payment("first-bank", "farm", CNY, 1, market.number(), "first-bank"))
    assert market.refusal("trader", out, DEPOSITS_ADDRESS) == "PartyNotActive"
    over = pay_calldata(Payment("second-bank", "first-bank", CNY, 1, market.number()))
    assert market.refusal("mill", over, DEPOSITS_ADDRESS) == "NotBank"
    to_farm = pay_calldata(Payment("second-bank", "farm", CNY, 1, market.number(), "first-bank"))
    assert market.refusal("mill", to_farm, DEPOSITS_ADDRESS) == "PartyNotActive"


# ---- attestors ----------------------------------------------------------------------------------


def test_who_is_paid_on_a_word_does_not_say_it(market: Market) -> None:
    deadline = market.chain.time + 500
    mine = Condition(ConditionKind.DELIVERY, 0, deadline, "farm", EVIDENCE)
    receivable = market.receivable("farm", "mill", 4_000)
    legs = (Leg(RECEIVABLES_ADDRESS, receivable, 2),)
    offer = OfferDraft(
        number=market.number(),
        currency=CNY,
        amount=3_900,
        expires=deadline,
        legs=legs,
        seller_bank="first-bank",
        condition=mine,
    )
    assert market.refusal("farm", offer_calldata(offer)) == "InvalidAttestor"
    assert "farm" in market.words("farm", offer_calldata(offer))
    payment = ConditionalDraft(market.number(), "farm", "first-bank", CNY, 500, mine, "first-bank")
    assert market.refusal("trader", set_aside_calldata(payment)) == "InvalidAttestor"
    # The payer may reserve the word for himself: it is his own money.
    own = Condition(ConditionKind.DELIVERY, 0, deadline, "trader", EVIDENCE)
    data = ConditionalDraft(market.number(), "farm", "first-bank", CNY, 500, own, "first-bank")
    assert market.refusal("trader", set_aside_calldata(data)) is None
