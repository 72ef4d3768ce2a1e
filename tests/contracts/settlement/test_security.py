"""What comes in for a pledgee is security for what it is owed, and nothing else."""

from __future__ import annotations

import pytest

from contracts.genesis import PLEDGES_ADDRESS, RECEIVABLES_ADDRESS
from contracts.pledges import Terms, propose_calldata
from contracts.pledges import release_calldata as release_pledge
from contracts.receivables.binding import (
    award_calldata,
    endorse_calldata,
    freeze_calldata,
    permit_calldata,
    unfreeze_calldata,
)
from contracts.settlement import (
    DEPOSITS_ADDRESS,
    AccountQuery,
    choose_home_calldata,
    collect_calldata,
    list_accounts,
    release_calldata,
)
from ledger.types import Hash32
from tests.contracts.settlement.debts import (
    account,
    outstanding,
    paid_into_hold,
    paying,
    pledge_on,
    pledged,
)
from tests.contracts.settlement.market import CNY, DECISION, EVERYTHING, EVIDENCE, Market, opened

pytestmark = pytest.mark.feature("F6")


@pytest.fixture
def market() -> Market:
    found = opened()
    found.limit("first-bank", "second-bank", 50_000)
    found.deposits("farm", choose_home_calldata("first-bank", CNY))
    return found


def refused(market: Market, by: str, data: bytes) -> str | None:
    return market.refusal(by, data, DEPOSITS_ADDRESS)


def freed(market: Market, receivable: Hash32) -> None:
    """The pledgee releases its pledge."""
    data = release_pledge(pledge_on(market, receivable), [receivable])
    assert market.send("first-bank", PLEDGES_ADDRESS, data).status == 1


# ---- who holds and owns at once -----------------------------------------------------------------


def awarded(market: Market, receivable: Hash32) -> None:
    for call in (
        freeze_calldata(receivable, 0, DECISION),
        award_calldata(receivable, 0, "first-bank", DECISION),
        unfreeze_calldata(receivable, 0, "court", DECISION),
    ):
        assert market.send("court", RECEIVABLES_ADDRESS, call).status == 1


def endorsed(market: Market, receivable: Hash32) -> None:
    call = endorse_calldata(receivable, 0, "first-bank", recourse=False)
    permit = permit_calldata(receivable, 0, call)
    assert market.send("first-bank", RECEIVABLES_ADDRESS, permit).status == 1
    assert market.send("farm", RECEIVABLES_ADDRESS, call).status == 1


@pytest.mark.parametrize("given", [awarded, endorsed])
def test_a_debtor_pays_a_pledgee_who_has_become_the_holder(market: Market, given: object) -> None:
    """It is paid as a bank that holds: no account of its own at itself, and no hold in it."""
    receivable = pledged(market)
    assert callable(given)
    given(market, receivable)
    before = market.book("first-bank").redeemed
    market.deals("mill", paying(market, receivable, 1))
    assert outstanding(market, receivable) == 3_999
    assert market.book("first-bank").redeemed == before + 1
    assert market.account("first-bank", "first-bank") is None
    with market.tables.engine.connect() as connection:
        shown = [one.account for one in list_accounts(connection, AccountQuery(), EVERYTHING).items]
    assert all(one.owner and one.owner != one.bank and not one.held for one in shown)


def test_nobody_pledges_to_himself(market: Market) -> None:
    receivable = market.receivable("first-bank", "mill", 4_000)
    terms = Terms(3_000, CNY, market.chain.time + 900_000, 5, EVIDENCE)
    own = propose_calldata(RECEIVABLES_ADDRESS, receivable, 2, "first-bank", terms)
    assert market.refusal("first-bank", own, PLEDGES_ADDRESS) == "InvalidPledgee"
    assert "against itself" in market.words("first-bank", own, PLEDGES_ADDRESS)
    other = propose_calldata(RECEIVABLES_ADDRESS, receivable, 2, "second-bank", terms)
    assert market.refusal("first-bank", other, PLEDGES_ADDRESS) is None


# ---- up to what, and how long -------------------------------------------------------------------


def test_a_bank_takes_nothing_once_its_pledge_is_released(market: Market) -> None:
    receivable = pledged(market)
    security = paid_into_hold(market, receivable)
    freed(market, receivable)
    for amount in (1, 4_000):
        assert refused(market, "first-bank", collect_calldata(security, amount)) == "NotSecured"
    for by in ("mill", "trader", "second-bank"):
        assert refused(market, by, release_calldata(security, 1)) == "NotParty"
    market.deposits("farm", release_calldata(security, 4_000))
    assert account(market, "first-bank", "farm").free == 14_000


def test_a_bank_collects_no_more_than_its_pledge_is_for(market: Market) -> None:
    """Of several payments together; what is more than that, its owner has at once."""
    receivable = pledged(market)
    first = paid_into_hold(market, receivable, 2_500)
    assert refused(market, "farm", release_calldata(first, 1)) == "StillSecured"
    market.deposits("first-bank", collect_calldata(first, 2_000))
    second = paid_into_hold(market, receivable, 1_500)
    assert refused(market, "first-bank", collect_calldata(second, 1_001)) == "NotSecured"
    assert "secures 1000 hundredths more" in market.words(
        "first-bank", collect_calldata(second, 1_001), DEPOSITS_ADDRESS
    )
    assert refused(market, "farm", release_calldata(second, 1_001)) == "StillSecured"
    market.deposits("farm", release_calldata(second, 1_000))
    assert account(market, "first-bank", "farm").held == 1_000
    market.deposits("first-bank", collect_calldata(first, 500))
    market.deposits("first-bank", collect_calldata(second, 500))
    assert account(market, "first-bank", "farm").free == 11_000


def test_a_bank_does_not_keep_its_own_debt_as_security_for_a_hundredth(market: Market) -> None:
    receivable = pledged(market, 1, debtor="first-bank")
    hold = paid_into_hold(market, receivable, by="first-bank")
    assert refused(market, "first-bank", collect_calldata(hold, 2)) == "NotSecured"
    market.deposits("farm", release_calldata(hold, 3_999))
    found = account(market, "first-bank", "farm")
    assert (outstanding(market, receivable), found.free) == (0, 13_999)


def test_an_authority_frees_what_a_pledgee_holds_by_a_decision(market: Market) -> None:
    hold = paid_into_hold(market, pledged(market))
    assert refused(market, "court", release_calldata(hold, 4_000)) == "DecisionMissing"
    market.deposits("court", release_calldata(hold, 1_500, DECISION))
    market.deposits("regulator", release_calldata(hold, 2_500, DECISION))
    assert account(market, "first-bank", "farm").free == 14_000


def test_of_money_in_another_currency_nothing_is_collected(market: Market) -> None:
    """Nobody can say how much of it is enough: it stays held until bank or authority say so."""
    receivable = pledged(market, 3_000, currency="USD")
    hold = paid_into_hold(market, receivable)
    assert refused(market, "first-bank", collect_calldata(hold, 1)) == "NotSecured"
    assert refused(market, "farm", release_calldata(hold, 1)) == "StillSecured"
    freed(market, receivable)
    market.deposits("farm", release_calldata(hold, 4_000))
