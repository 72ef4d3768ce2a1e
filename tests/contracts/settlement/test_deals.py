"""Delivery versus payment, conditional payment and discharge on the real EVM."""

from __future__ import annotations

import pytest

from contracts.consortium import Role
from contracts.genesis import PLEDGES_ADDRESS, RECEIVABLES_ADDRESS
from contracts.instruments.viewer import Viewer
from contracts.pledges import Terms, propose_calldata
from contracts.pledges import accept_calldata as accept_pledge
from contracts.receivables.binding import decode_receivable, receivable_calldata
from contracts.receivables.types import Receivable
from contracts.settlement import (
    DEPOSITS_ADDRESS,
    SETTLEMENT_ADDRESS,
    Condition,
    ConditionalDraft,
    ConditionKind,
    DealQuery,
    Discharge,
    Leg,
    MovementKind,
    MovementQuery,
    OfferDraft,
    accept_calldata,
    account_key,
    agree_cancel_calldata,
    ask_cancel_calldata,
    attest_calldata,
    choose_home_calldata,
    collect_calldata,
    commit_calldata,
    deal_history,
    deal_id,
    decline_calldata,
    deny_calldata,
    discharge_calldata,
    execute_calldata,
    expire_calldata,
    find_deal,
    give_back_calldata,
    list_deals,
    list_holds,
    list_movements,
    notices,
    offer_calldata,
    quash_calldata,
    release_calldata,
    set_aside_calldata,
    withdraw_calldata,
)
from ledger.types import Hash32
from tests.contracts.scene import CHAIN_ID
from tests.contracts.settlement.market import (
    CNY,
    DECISION,
    EVERYTHING,
    EVIDENCE,
    Market,
    opened,
)

pytestmark = pytest.mark.feature("F6")
SUBJECT = Hash32(b"\x05" * 32)


@pytest.fixture
def market() -> Market:
    return opened()


def record(market: Market, id_: Hash32) -> Receivable:
    data = receivable_calldata(id_)
    found = decode_receivable(market.answer(RECEIVABLES_ADDRESS, data))
    assert found is not None
    return found


def inspection(market: Market, seconds: int = 100) -> Condition:
    deadline = market.chain.time + seconds
    return Condition(ConditionKind.INSPECTION, 0, deadline, "weighers", SUBJECT)


def offered(
    market: Market, *receivables: Hash32, condition: Condition | None = None, **terms: object
) -> Hash32:
    """The farm sells what it holds for 9,000."""
    number = market.number()
    legs = tuple(Leg(RECEIVABLES_ADDRESS, one, record(market, one).revision) for one in receivables)
    values: dict[str, object] = {
        "number": number,
        "currency": CNY,
        "amount": 9_000,
        "expires": market.chain.time + 50,
        "legs": legs,
        "buyer": "trader",
        "seller_bank": "first-bank",
        "condition": condition or Condition(),
    }
    market.deals("farm", offer_calldata(OfferDraft(**(values | terms)), "sale"))  # type: ignore[arg-type]
    return deal_id(CHAIN_ID, "farm", number)


def seen(market: Market, *receivables: Hash32) -> list[int]:
    return [record(market, one).revision for one in receivables]


def test_three_receivables_against_one_payment_in_one_transaction(market: Market) -> None:
    legs = [market.receivable("farm", "mill", 4_000) for _ in range(3)]
    id_ = offered(market, *legs)
    assert all(record(market, leg).locked for leg in legs)
    data = accept_calldata(id_, 1, "first-bank", seen(market, *legs), "agreed")
    assert market.refusal("mill", data) == "DealNotEntitled"
    receipt = market.deals("trader", data)
    assert {log.address for log in receipt.logs} == {
        DEPOSITS_ADDRESS,
        SETTLEMENT_ADDRESS,
        RECEIVABLES_ADDRESS,
    }
    assert all(record(market, leg).holder == "trader" for leg in legs)
    assert market.balance("first-bank", "trader") == 91_000
    assert market.balance("first-bank", "farm") == 19_000
    assert market.refusal("trader", data) == "StaleDeal"
    deal = market.deal(id_)
    assert deal is not None
    assert (deal.state, deal.buyer, deal.buyer_bank) == ("settled", "trader", "first-bank")
    with market.tables.engine.connect() as connection:
        stored = find_deal(connection, id_, Viewer.of("trader"))
        acts = deal_history(connection, id_, EVERYTHING).items
        lines = list_movements(connection, MovementQuery(cause=id_), EVERYTHING).items
        by_record = list_deals(connection, DealQuery(record=legs[1]), EVERYTHING).items
    assert stored is not None
    assert stored.deal == deal
    assert [(act.act, act.by, act.remark) for act in acts] == [
        ("offer", "farm", "sale"),
        ("accept", "trader", "agreed"),
    ]
    assert [line.kind for line in lines] == [MovementKind.SENT, MovementKind.RECEIVED]
    assert [one.id for one in by_record] == [id_]


def test_what_changed_since_the_buyer_looked_is_not_bought(market: Market) -> None:
    leg = market.receivable("farm", "mill", 4_000)
    id_ = offered(market, leg)
    data = accept_calldata(id_, 1, "first-bank", [record(market, leg).revision - 1])
    assert market.refusal("trader", data) == "StaleRevision"
    assert record(market, leg).holder == "farm"


def test_too_little_money_leaves_both_where_they_were(market: Market) -> None:
    leg = market.receivable("farm", "mill", 4_000)
    id_ = offered(market, leg, amount=100_001)
    data = accept_calldata(id_, 1, "first-bank", seen(market, leg))
    assert market.refusal("trader", data) == "Insufficient"
    assert "100000 hundredths are free" in market.words("trader", data)
    market.deals("farm", withdraw_calldata(id_, 1))
    assert not record(market, leg).locked


@pytest.mark.parametrize("end", ["decline", "withdraw", "expire", "quash"])
def test_an_offer_that_comes_to_nothing_unlocks(market: Market, end: str) -> None:
    leg = market.receivable("farm", "mill", 4_000)
    id_ = offered(market, leg)
    by, data = {
        "decline": ("trader", decline_calldata(id_, 1)),
        "withdraw": ("farm", withdraw_calldata(id_, 1)),
        "expire": ("mill", expire_calldata(id_, 1)),
        "quash": ("court", quash_calldata(id_, 1, DECISION)),
    }[end]
    if end == "expire":
        assert market.refusal(by, data) == "TooEarly"
        market.chain.number += 60
    market.deals(by, data)
    assert not record(market, leg).locked
    assert record(market, leg).holder == "farm"
    assert market.refusal(by, data) in ("StaleDeal", "DealNotEntitled")


@pytest.mark.feature("S1")
def test_an_open_offer_is_seen_by_those_who_may_accept_it(market: Market) -> None:
    leg = market.receivable("farm", "mill", 4_000)
    for_banks = offered(market, leg, buyer=None, role=Role.BANK)

    def seen_by(name: str) -> bool:
        with market.tables.engine.connect() as connection:
            found = find_deal(connection, for_banks, Viewer.of(name)) is not None
            listed = list_deals(connection, DealQuery(), Viewer.of(name)).items != ()
            history = deal_history(connection, for_banks, Viewer.of(name)).items != ()
        assert found == listed == history
        return found

    assert seen_by("second-bank")
    assert seen_by("farm")
    assert not seen_by("trader")
    with market.tables.engine.connect() as connection:
        assert find_deal(connection, for_banks, Viewer.nobody()) is None
    market.limit("first-bank", "second-bank", 9_000)
    data = accept_calldata(for_banks, 1, "second-bank", seen(market, leg))
    assert market.refusal("trader", data) == "DealNotEntitled"
    market.deals("second-bank", data)
    assert record(market, leg).holder == "second-bank"
    assert market.position("first-bank", "second-bank").claim == 9_000
    market.receivable("mill", "farm", 5)
    assert not seen_by("weighers")


def test_a_conditional_sale_waits_for_the_inspection(market: Market) -> None:
    leg = market.receivable("farm", "mill", 4_000)
    id_ = offered(market, leg, condition=inspection(market))
    revisions = seen(market, leg)
    assert market.refusal("trader", accept_calldata(id_, 1, "first-bank", revisions)) == (
        "WrongCondition"
    )
    market.deals("trader", commit_calldata(id_, 1, "first-bank", revisions))
    account = market.account("first-bank", "trader")
    assert account is not None
    assert account.set_aside == 9_000
    assert market.refusal("farm", execute_calldata(id_, 2)) == "WrongCondition"
    assert market.refusal("farm", attest_calldata(id_, 2, EVIDENCE)) == "DealNotEntitled"
    receipt = market.deals("weighers", attest_calldata(id_, 2, EVIDENCE, "12.1 % moisture"))
    assert record(market, leg).holder == "trader"
    assert market.balance("first-bank", "farm") == 19_000
    kinds = [
        notice.kind
        for log in receipt.logs
        if log.address == SETTLEMENT_ADDRESS
        for notice in notices(log)
    ]
    assert kinds == ["deal.attest", "deal.execute"]


def test_a_denied_condition_gives_both_back(market: Market) -> None:
    leg = market.receivable("farm", "mill", 4_000)
    id_ = offered(market, leg, condition=inspection(market))
    market.deals("trader", commit_calldata(id_, 1, "first-bank", seen(market, leg)))
    market.deals("weighers", deny_calldata(id_, 2, EVIDENCE))
    account = market.account("first-bank", "trader")
    assert account is not None
    assert (account.free, account.set_aside) == (100_000, 0)
    assert not record(market, leg).locked
    deal = market.deal(id_)
    assert deal is not None
    assert (deal.state, deal.evidence) == ("returned", EVIDENCE)


def conditional(market: Market, condition: Condition, payer_bank: str = "first-bank") -> Hash32:
    number = market.number()
    payer = "trader" if payer_bank == "first-bank" else "mill"
    draft = ConditionalDraft(number, "farm", payer_bank, CNY, 700, condition, "first-bank")
    market.deals(payer, set_aside_calldata(draft))
    return deal_id(CHAIN_ID, payer, number)


def test_a_payment_on_a_date(market: Market) -> None:
    id_ = conditional(market, Condition(ConditionKind.DATE, market.chain.time + 30))
    assert market.refusal("farm", execute_calldata(id_, 1)) == "TooEarly"
    market.chain.number += 30
    market.deals("weighers", execute_calldata(id_, 1))
    assert market.balance("first-bank", "farm") == 10_700


def test_silence_until_the_deadline_gives_back(market: Market) -> None:
    id_ = conditional(market, inspection(market, 20))
    assert market.refusal("trader", give_back_calldata(id_, 1)) == "TooEarly"
    market.chain.number += 30
    assert market.refusal("weighers", attest_calldata(id_, 1, EVIDENCE)) == "TooLate"
    market.deals("mill", give_back_calldata(id_, 1))
    account = market.account("first-bank", "trader")
    assert account is not None
    assert account.free == 100_000


def test_a_word_stands_while_the_payment_waits_for_a_limit(market: Market) -> None:
    id_ = conditional(market, inspection(market), "second-bank")
    market.deals("weighers", attest_calldata(id_, 1, EVIDENCE))
    deal = market.deal(id_)
    assert deal is not None
    assert deal.state == "met"
    assert market.refusal("farm", execute_calldata(id_, 2)) == "LimitExceeded"
    market.limit("first-bank", "second-bank", 700)
    market.deals("farm", execute_calldata(id_, 2))
    assert market.balance("first-bank", "farm") == 10_700
    assert market.balance("second-bank", "mill") == 49_300


def test_both_parties_end_it_together(market: Market) -> None:
    id_ = conditional(market, inspection(market))
    market.deals("trader", ask_cancel_calldata(id_, 1))
    assert market.refusal("trader", agree_cancel_calldata(id_, 2)) == "AskTheOther"
    market.deals("farm", agree_cancel_calldata(id_, 2))
    account = market.account("first-bank", "trader")
    assert account is not None
    assert account.set_aside == 0


@pytest.mark.feature("F5")
def test_a_debtor_pays_the_holder_and_the_receivable_knows(market: Market) -> None:
    id_ = market.receivable("farm", "mill", 4_000)
    market.deposits("farm", choose_home_calldata("first-bank", CNY))
    market.limit("first-bank", "second-bank", 10_000)

    def order(amount: int, number: str) -> bytes:
        debt = Discharge(RECEIVABLES_ADDRESS, id_, 0, "second-bank", amount, number)
        return discharge_calldata(debt, "invoice")

    assert market.refusal("trader", order(1_000, "d-1")) == "NotDebtor"
    market.deals("mill", order(1_000, "d-1"))
    assert market.refusal("mill", order(1_000, "d-1")) == "NumberUsed"
    assert record(market, id_).outstanding == 3_000
    market.deals("mill", order(3_000, "d-2"))
    assert record(market, id_).state == "paid" or record(market, id_).outstanding == 0
    assert market.refusal("mill", order(1, "d-3")) is not None
    assert market.balance("first-bank", "farm") == 14_000
    with market.tables.engine.connect() as connection:
        query = MovementQuery(cause=id_, owner="farm")
        lines = list_movements(connection, query, Viewer.of("farm")).items
    assert [line.movement.amount for line in lines] == [1_000, 3_000]


@pytest.mark.feature("F2")
def test_a_pledged_receivables_money_is_held_by_the_pledgee(market: Market) -> None:
    id_ = market.receivable("farm", "mill", 4_000)
    terms = Terms(3_000, CNY, market.chain.time + 500, 10, SUBJECT)
    receipt = market.send(
        "farm", PLEDGES_ADDRESS, propose_calldata(RECEIVABLES_ADDRESS, id_, 2, "second-bank", terms)
    )
    assert receipt.status == 1
    key = Hash32(receipt.logs[0].topics[1])
    assert market.send("second-bank", PLEDGES_ADDRESS, accept_pledge(key)).status == 1
    debt = Discharge(RECEIVABLES_ADDRESS, id_, 0, "second-bank", 4_000, "d-1")
    market.deals("mill", discharge_calldata(debt))
    account = market.account("second-bank", "farm")
    assert account is not None
    assert (account.balance, account.held, account.free) == (4_000, 4_000, 0)
    payment = deal_id(CHAIN_ID, "mill", "d-1")
    market.deposits("second-bank", collect_calldata(payment, 3_000, "loan"))
    market.deposits("second-bank", release_calldata(payment, 1_000))
    account = market.account("second-bank", "farm")
    assert account is not None
    assert account.free == 1_000
    assert market.book("second-bank").owed == 47_000
    with market.tables.engine.connect() as connection:
        key = account_key("second-bank", CNY, "farm")
        (hold,) = list_holds(connection, key, Viewer.of("farm"))
    assert (hold.hold.by, hold.hold.cause, hold.hold.amount) == ("second-bank", id_, 0)
