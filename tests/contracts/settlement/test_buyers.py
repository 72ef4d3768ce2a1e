"""Nobody's money waits for an instrument that he cannot become the holder of."""

from __future__ import annotations

import pytest

from contracts.genesis import RECEIVABLES_ADDRESS
from contracts.receivables.binding import (
    control_calldata,
    decode_control,
    freeze_calldata,
    unfreeze_calldata,
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
    offer_calldata,
)
from contracts.settlement.genesis import SETTLEMENT_ARTIFACT
from ledger.state.keccak import keccak
from ledger.types import Hash32
from tests.contracts.scene import CHAIN_ID
from tests.contracts.settlement.market import CNY, DECISION, EVIDENCE, Market, opened

pytestmark = pytest.mark.feature("F6")


@pytest.fixture(scope="module")
def market() -> Market:
    return opened()


def draft(market: Market, *legs: Hash32, buyer: str | None = None) -> OfferDraft:
    """The farm sells, paid once the goods are inspected."""
    now = market.chain.time
    return OfferDraft(
        number=market.number(),
        currency=CNY,
        amount=900,
        expires=now + 500,
        legs=tuple(Leg(RECEIVABLES_ADDRESS, one, 2) for one in legs),
        buyer=buyer,
        seller_bank="first-bank",
        condition=Condition(ConditionKind.INSPECTION, 0, now + 500, "weighers", EVIDENCE),
    )


def offered(market: Market, *legs: Hash32, buyer: str | None = None) -> Hash32:
    terms = draft(market, *legs, buyer=buyer)
    market.deals("farm", offer_calldata(terms))
    return deal_id(CHAIN_ID, "farm", terms.number)


def entering(deal: Hash32, bank: str = "first-bank", legs: int = 1) -> bytes:
    return commit_calldata(deal, 0, bank, [0] * legs)


@pytest.mark.parametrize(
    ("buyer", "bank"),
    [
        pytest.param("mill", "second-bank", id="who owes it"),
        pytest.param("court", "first-bank", id="an arbitrator"),
        pytest.param("regulator", "first-bank", id="a regulator"),
    ],
)
def test_who_may_not_hold_a_receivable_sets_no_money_aside_for_it(
    market: Market, buyer: str, bank: str
) -> None:
    market.issue(bank, buyer, 1_000)
    deal = offered(market, market.receivable("farm", "mill", 4_000))
    before = market.account(bank, buyer)
    assert market.refusal(buyer, entering(deal, bank)) == "InvalidParty"
    assert buyer in market.words(buyer, entering(deal, bank))
    assert market.account(bank, buyer) == before


def test_nothing_is_offered_to_who_may_not_hold_it(market: Market) -> None:
    receivable = market.receivable("farm", "mill", 4_000)
    data = offer_calldata(draft(market, receivable, buyer="mill"))
    assert market.refusal("farm", data) == "InvalidParty"
    market.deals("farm", offer_calldata(draft(market, receivable, buyer="trader")))


def test_one_of_several_that_he_may_not_hold_is_enough(market: Market) -> None:
    held = market.receivable("farm", "mill", 4_000)
    owed = market.receivable("farm", "trader", 4_000)
    deal = offered(market, held, owed)
    assert market.refusal("trader", entering(deal, legs=2)) == "InvalidParty"


def test_while_it_is_frozen_nobody_sets_money_aside_for_it(market: Market) -> None:
    receivable = market.receivable("farm", "mill", 4_000)
    deal = offered(market, receivable, buyer="trader")
    market.send("court", RECEIVABLES_ADDRESS, freeze_calldata(receivable, 0, DECISION))
    assert market.refusal("trader", entering(deal)) == "InstrumentFrozen"
    thaw = unfreeze_calldata(receivable, 0, "court", DECISION)
    market.send("court", RECEIVABLES_ADDRESS, thaw)
    assert market.refusal("trader", entering(deal)) is None


def test_of_the_trial_nothing_stays_and_the_deal_goes_through(market: Market) -> None:
    receivable = market.receivable("farm", "mill", 4_000)
    deal = offered(market, receivable)
    before = decode_control(market.answer(RECEIVABLES_ADDRESS, control_calldata(receivable)))
    mined = market.deals("trader", entering(deal))
    assert {log.address for log in mined.logs}.isdisjoint({RECEIVABLES_ADDRESS})
    held = decode_control(market.answer(RECEIVABLES_ADDRESS, control_calldata(receivable)))
    assert held == before
    market.deals("weighers", attest_calldata(deal, 0, EVIDENCE))
    after = decode_control(market.answer(RECEIVABLES_ADDRESS, control_calldata(receivable)))
    assert after is not None
    assert (after.holder, after.locked) == ("trader", False)


def test_nobody_else_makes_the_trial(market: Market) -> None:
    deal = offered(market, market.receivable("farm", "mill", 4_000))
    assert any(entry.get("name") == "rehearse" for entry in SETTLEMENT_ARTIFACT.abi)
    data = keccak(b"rehearse(bytes32)")[:4] + bytes(deal)
    for by in ("farm", "trader", "court", "operator"):
        assert market.refusal(by, data, SETTLEMENT_ADDRESS) == "NotCaller"
