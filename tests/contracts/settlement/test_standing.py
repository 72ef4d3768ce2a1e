"""Who is suspended stands in nobody's way: debts are paid; and no hold stops what comes in."""

from __future__ import annotations

import pytest

from contracts.consortium import CONSORTIUM_ADDRESS, Status, set_organisation_status
from contracts.genesis import PLEDGES_ADDRESS, RECEIVABLES_ADDRESS
from contracts.pledges import Terms, pledge_key, propose_calldata
from contracts.pledges import accept_calldata as accept_pledge
from contracts.receivables.binding import decode_receivable, receivable_calldata
from contracts.settlement import (
    DEPOSITS_ADDRESS,
    SETTLEMENT_ADDRESS,
    Account,
    AccountQuery,
    Condition,
    ConditionalDraft,
    ConditionKind,
    Discharge,
    Leg,
    OfferDraft,
    Payment,
    account_key,
    choose_home_calldata,
    collect_calldata,
    discharge_calldata,
    hold_calldata,
    hold_id,
    list_accounts,
    offer_calldata,
    pay_calldata,
    payment_id,
    release_calldata,
    set_aside_calldata,
)
from ledger.types import Hash32
from tests.contracts.scene import CHAIN_ID, govern
from tests.contracts.settlement.market import (
    CNY,
    DECISION,
    EVERYTHING,
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


def pledged(market: Market) -> Hash32:
    """The mill owes the farm 4,000, and the first bank has it as its security."""
    what = (RECEIVABLES_ADDRESS, market.receivable("farm", "mill", 4_000), 2)
    terms = Terms(3_000, CNY, market.chain.time + 900_000, 5, EVIDENCE)
    data = propose_calldata(*what, "first-bank", terms)
    assert market.send("farm", PLEDGES_ADDRESS, data).status == 1
    key = pledge_key(*what, "farm", "first-bank", terms)
    assert market.send("first-bank", PLEDGES_ADDRESS, accept_pledge(key)).status == 1
    return what[1]


def paying(market: Market, receivable: Hash32, amount: int = 4_000) -> bytes:
    number = market.number()
    debt = Discharge(RECEIVABLES_ADDRESS, receivable, 0, "second-bank", amount, number)
    return discharge_calldata(debt)


def outstanding(market: Market, id_: Hash32) -> int:
    output = market.answer(RECEIVABLES_ADDRESS, receivable_calldata(id_))
    found = decode_receivable(output)
    assert found is not None
    return found.outstanding


def account(market: Market, bank: str, owner: str) -> Account:
    found = market.account(bank, owner)
    assert found is not None
    with market.tables.engine.connect() as connection:
        query = AccountQuery(bank=bank, owner=owner)
        (stored,) = list_accounts(connection, query, EVERYTHING).items
    assert stored.account == found
    return found


def held(market: Market, by: str, amount: int, decision: Hash32) -> Hash32:
    market.deposits(by, hold_calldata("first-bank", CNY, "farm", amount, decision))
    return hold_id(account_key("first-bank", CNY, "farm"), by, decision)


# ---- holds --------------------------------------------------------------------------------------


def test_a_hold_of_everything_stops_no_other_hold_and_no_debtor(market: Market) -> None:
    receivable = pledged(market)
    first = held(market, "court", EVERYTHING_HELD, DECISION)
    second = held(market, "regulator", EVERYTHING_HELD, EVIDENCE)
    assert account(market, "first-bank", "farm").held == EVERYTHING_HELD
    market.deals("mill", paying(market, receivable))
    paid = account(market, "first-bank", "farm")
    assert (paid.balance, paid.held, paid.free) == (14_000, EVERYTHING_HELD, 0)
    security = payment_id(CHAIN_ID, "mill", f"N-{market.numbers}", SETTLEMENT_ADDRESS)
    taking = collect_calldata(security, 4_000)
    assert market.refusal("first-bank", taking, DEPOSITS_ADDRESS) == "Insufficient"
    market.deposits("court", release_calldata(first, EVERYTHING_HELD, DECISION))
    assert account(market, "first-bank", "farm").held == EVERYTHING_HELD
    assert market.refusal("first-bank", taking, DEPOSITS_ADDRESS) == "Insufficient"
    market.deposits("regulator", release_calldata(second, EVERYTHING_HELD - 7, EVIDENCE))
    assert account(market, "first-bank", "farm").held == 4_007
    market.deposits("first-bank", taking)
    left = account(market, "first-bank", "farm")
    assert (left.balance, left.held, left.free) == (10_000, 7, 9_993)


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
    market.deals("mill", paying(market, receivable))
    paid = account(market, "first-bank", "farm")
    assert (paid.balance, paid.held, outstanding(market, receivable)) == (14_000, 4_000, 0)
    hold = payment_id(CHAIN_ID, "mill", f"N-{market.numbers}", SETTLEMENT_ADDRESS)
    free = release_calldata(hold, 4_000, DECISION)
    assert market.refusal("farm", free, DEPOSITS_ADDRESS) == "NotParty"
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
