"""What a buyer has committed his money to is what he gets for it, or he has it back."""

from __future__ import annotations

import pytest

from contracts.genesis import RECEIVABLES_ADDRESS
from contracts.receivables.binding import (
    decode_receivable,
    freeze_calldata,
    receivable_calldata,
)
from contracts.receivables.types import Receivable
from contracts.settlement import (
    SETTLEMENT_ADDRESS,
    Condition,
    ConditionKind,
    Deal,
    DealQuery,
    Discharge,
    Leg,
    OfferDraft,
    affirm_calldata,
    agree_cancel_calldata,
    ask_cancel_calldata,
    attest_calldata,
    choose_home_calldata,
    commit_calldata,
    deal_id,
    discharge_calldata,
    execute_calldata,
    give_back_calldata,
    list_deals,
    offer_calldata,
    rescind_calldata,
)
from ledger.types import Hash32
from tests.contracts.scene import CHAIN_ID
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
PRICE, OWED = 3_900, 4_000


@pytest.fixture(scope="module")
def town() -> Market:
    market = opened()
    market.limit("first-bank", "second-bank", 50_000)
    market.deposits("farm", choose_home_calldata("first-bank", CNY))
    return market


@pytest.fixture
def market(town: Market) -> Market:
    return town


def record(market: Market, id_: Hash32) -> Receivable:
    data = receivable_calldata(id_)
    found = decode_receivable(market.answer(RECEIVABLES_ADDRESS, data))
    assert found is not None
    return found


def on_date(market: Market) -> Condition:
    return Condition(ConditionKind.DATE, market.chain.time + 50)


def on_inspection(market: Market) -> Condition:
    deadline = market.chain.time + 400
    return Condition(ConditionKind.INSPECTION, 0, deadline, "weighers", EVIDENCE)


def committed(
    market: Market, receivable: Hash32, condition: Condition, buyer: str = "trader"
) -> Hash32:
    """The farm sells what the mill owes it, and the buyer's money waits (a bank's own does not)."""
    draft = OfferDraft(
        number=market.number(),
        currency=CNY,
        amount=PRICE,
        expires=market.chain.time + 500,
        legs=(Leg(RECEIVABLES_ADDRESS, receivable, 2),),
        buyer=buyer,
        seller_bank="first-bank",
        condition=condition,
    )
    market.deals("farm", offer_calldata(draft))
    deal = deal_id(CHAIN_ID, "farm", draft.number)
    bank = buyer if buyer.endswith("bank") else "first-bank"
    market.deals(buyer, commit_calldata(deal, 0, bank, [3]))
    return deal


def paid(market: Market, receivable: Hash32, amount: int) -> None:
    debt = Discharge(RECEIVABLES_ADDRESS, receivable, 0, "second-bank", amount, market.number())
    market.deals("mill", discharge_calldata(debt))


def money(market: Market, owner: str) -> tuple[int, int]:
    """Balance, and what is free of it."""
    account = market.account("first-bank", owner)
    assert account is not None
    return account.balance, account.free


def state(market: Market, deal: Hash32) -> str:
    found = market.deal(deal)
    assert found is not None
    return found.state


def stored(market: Market, receivable: Hash32) -> Deal:
    """The only deal of a receivable, in the tables."""
    with market.tables.engine.connect() as connection:
        (found,) = list_deals(connection, DealQuery(record=receivable), EVERYTHING).items
    return found.deal


@pytest.mark.parametrize("amount", [1, OWED - 1, OWED], ids=["a little", "nearly all", "all"])
def test_nobody_pays_the_full_price_for_what_the_debtor_has_paid_meanwhile(
    market: Market, amount: int
) -> None:
    receivable = market.receivable("farm", "mill", OWED)
    before = money(market, "trader")
    deal = committed(market, receivable, on_date(market))
    paid(market, receivable, amount)
    market.chain.number += 60
    for by in ("mill", "farm", "trader"):
        assert market.refusal(by, execute_calldata(deal, 0)) == "StaleRevision"
    assert record(market, receivable).holder == "farm"
    market.deals("trader", rescind_calldata(deal, 0))
    assert money(market, "trader") == before
    assert (state(market, deal), record(market, receivable).locked) == ("returned", False)


def test_an_attestation_does_not_settle_what_has_lost_its_worth(market: Market) -> None:
    receivable = market.receivable("farm", "mill", OWED)
    before = money(market, "trader")
    deal = committed(market, receivable, on_inspection(market))
    paid(market, receivable, OWED)
    market.deals("weighers", attest_calldata(deal, 0, EVIDENCE))
    assert (state(market, deal), record(market, receivable).holder) == ("met", "farm")
    # Every other way out needs somebody else, or is not there: the buyer's own is.
    assert market.refusal("trader", give_back_calldata(deal, 0)) == "TooEarly"
    market.deals("trader", rescind_calldata(deal, 0))
    assert money(market, "trader") == before


def test_the_buyer_alone_gets_his_money_out_of_a_date_deal_that_cannot_be(market: Market) -> None:
    receivable = market.receivable("farm", "mill", OWED)
    deal = committed(market, receivable, on_date(market))
    paid(market, receivable, OWED)
    market.chain.number += 1_000
    assert market.refusal("trader", give_back_calldata(deal, 0)) == "TooEarly"
    assert market.refusal("trader", agree_cancel_calldata(deal, 0)) == "AskTheOther"
    for by in ("farm", "mill", "first-bank", "court"):
        assert market.refusal(by, rescind_calldata(deal, 0)) == "DealNotEntitled"
    market.deals("trader", rescind_calldata(deal, 0))
    assert stored(market, receivable).state == "returned"


def test_the_buyer_stands_by_what_is_left_and_pays_for_it(market: Market) -> None:
    receivable = market.receivable("farm", "mill", OWED)
    balance, _ = money(market, "trader")
    deal = committed(market, receivable, on_date(market))
    paid(market, receivable, 100)
    for by in ("farm", "mill", "court"):
        assert market.refusal(by, affirm_calldata(deal, 0, [4])) == "DealNotEntitled"
    assert market.refusal("trader", affirm_calldata(deal, 0, [3])) == "StaleRevision"
    assert market.refusal("trader", affirm_calldata(deal, 0, [])) == "WrongLegs"
    market.deals("trader", affirm_calldata(deal, 0, [4]))
    found = market.deal(deal)
    assert found is not None
    assert (found.state, found.legs[0].revision) == ("open", 4)
    assert stored(market, receivable) == found
    market.chain.number += 60
    market.deals("mill", execute_calldata(deal, 0))
    assert (record(market, receivable).holder, record(market, receivable).outstanding) == (
        "trader",
        OWED - 100,
    )
    assert money(market, "trader")[0] == balance - PRICE


def given_back_late(market: Market, deal: Hash32, seconds: int = 7 * 86_400 + 1) -> None:
    """Anybody may, a week later and not before."""
    late = give_back_calldata(deal, 0)
    assert market.refusal("farm", late) == "TooEarly"
    market.chain.number += seconds
    for by in ("farm", "mill", "weighers"):
        assert market.refusal(by, late) is None
    market.deals("farm", late)
    assert state(market, deal) == "returned"


def test_a_seller_has_his_instrument_back_though_his_debtor_pays_a_hundredth_of_it(
    market: Market,
) -> None:
    """The buyer is a bank: nothing of its own waits, so that it loses nothing by doing nothing."""
    receivable = market.receivable("farm", "mill", OWED)
    deal = committed(market, receivable, on_date(market), "second-bank")
    paid(market, receivable, 1)
    market.chain.number += 60
    assert market.refusal("farm", execute_calldata(deal, 0)) == "StaleRevision"
    given_back_late(market, deal)
    held = record(market, receivable)
    assert (held.holder, held.locked, held.outstanding) == ("farm", False, OWED - 1)
    assert stored(market, receivable).state == "returned"


def test_so_he_has_where_the_condition_was_met(market: Market) -> None:
    receivable = market.receivable("farm", "mill", OWED)
    deal = committed(market, receivable, on_inspection(market), "second-bank")
    paid(market, receivable, 1)
    market.deals("weighers", attest_calldata(deal, 0, EVIDENCE))
    assert state(market, deal) == "met"
    given_back_late(market, deal)
    assert not record(market, receivable).locked


def test_a_seller_keeps_nothing_that_is_as_agreed(market: Market) -> None:
    """What can be paid is paid, however late; and what nobody has attested goes back at once."""
    receivable = market.receivable("farm", "mill", OWED)
    deal = committed(market, receivable, on_date(market))
    market.chain.number += 30 * 86_400
    assert market.refusal("farm", give_back_calldata(deal, 0)) == "AsAgreed"
    data, farm = give_back_calldata(deal, 0), KEYS["farm"].address
    for gas in range(50_000, 500_000, 25_000):
        tried = market.chain.call(farm, SETTLEMENT_ADDRESS, data, gas)
        assert tried.reverted or tried.error == "out of gas", gas
    market.deals("mill", execute_calldata(deal, 0))
    assert record(market, receivable).holder == "trader"


@pytest.mark.parametrize("met", [False, True], ids=["on a date", "once it is met"])
def test_no_debtor_holds_up_a_sale_by_a_hundredth_each_time(market: Market, met: bool) -> None:
    """What is due is paid by the act with which the buyer stands by it."""
    receivable = market.receivable("farm", "mill", OWED)
    balance, _ = money(market, "trader")
    condition = on_inspection(market) if met else on_date(market)
    deal = committed(market, receivable, condition)
    market.chain.number += 60
    paid(market, receivable, 1)
    if met:
        market.deals("weighers", attest_calldata(deal, 0, EVIDENCE))
    assert market.refusal("farm", execute_calldata(deal, 0)) == "StaleRevision"
    market.deals("trader", affirm_calldata(deal, 0, [0]))
    assert (state(market, deal), record(market, receivable).holder) == ("settled", "trader")
    assert money(market, "trader")[0] == balance - PRICE
    assert stored(market, receivable).state == "settled"


def test_what_is_affirmed_stands_where_the_payment_must_wait(market: Market) -> None:
    receivable = market.receivable("farm", "mill", OWED)
    deal = committed(market, receivable, on_date(market), "second-bank")
    market.chain.number += 60
    paid(market, receivable, 1)
    claim = market.position("first-bank", "second-bank").claim
    market.limit("first-bank", "second-bank", claim)
    market.deals("second-bank", affirm_calldata(deal, 0, [0]))
    assert state(market, deal) == "open"
    assert market.refusal("farm", execute_calldata(deal, 0)) == "LimitExceeded"
    market.limit("first-bank", "second-bank", 50_000)
    market.deals("farm", execute_calldata(deal, 0))
    assert record(market, receivable).holder == "second-bank"


def test_what_is_as_agreed_is_neither_rescinded_nor_affirmed(market: Market) -> None:
    receivable = market.receivable("farm", "mill", OWED)
    deal = committed(market, receivable, on_date(market))
    assert market.refusal("trader", rescind_calldata(deal, 0)) == "AsAgreed"
    assert market.refusal("trader", affirm_calldata(deal, 0, [3])) == "Unchanged"
    # The buyer cannot make the trial fail by sending too little for it.
    data, trader = rescind_calldata(deal, 0), KEYS["trader"].address
    for gas in range(50_000, 500_000, 5_000):
        tried = market.chain.call(trader, SETTLEMENT_ADDRESS, data, gas)
        assert tried.reverted or tried.error == "out of gas", gas
    market.deals("trader", ask_cancel_calldata(deal, 0))
    market.deals("farm", agree_cancel_calldata(deal, 0))


def test_nobodys_money_waits_for_what_an_authority_has_frozen(market: Market) -> None:
    receivable = market.receivable("farm", "mill", OWED)
    before = money(market, "trader")
    deal = committed(market, receivable, on_date(market))
    market.send("court", RECEIVABLES_ADDRESS, freeze_calldata(receivable, 0, DECISION))
    assert market.refusal("trader", affirm_calldata(deal, 0, [4])) == "InstrumentFrozen"
    market.deals("trader", rescind_calldata(deal, 0))
    assert money(market, "trader") == before
