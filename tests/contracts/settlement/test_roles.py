"""Every call of Deposits and Settlement × every role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import pytest

from contracts.consortium import organisation_id_word
from contracts.genesis import (
    DEPOSITS_ADDRESS,
    PLEDGES_ADDRESS,
    RECEIPTS_ADDRESS,
    RECEIVABLES_ADDRESS,
    SETTLEMENT_ADDRESS,
)
from contracts.pledges import accept_calldata as accept_pledge
from contracts.pledges import pledge_key, propose_calldata
from contracts.settlement import (
    Condition,
    ConditionalDraft,
    ConditionKind,
    Discharge,
    Leg,
    OfferDraft,
    Payment,
    accept_calldata,
    account_key,
    affirm_calldata,
    agree_cancel_calldata,
    ask_cancel_calldata,
    attest_calldata,
    choose_home_calldata,
    collect_calldata,
    commit_calldata,
    confirm_redemption_calldata,
    confirm_settlement_calldata,
    deal_id,
    decline_calldata,
    deny_calldata,
    discharge_calldata,
    execute_calldata,
    expire_calldata,
    give_back_calldata,
    hold_calldata,
    hold_id,
    issue_calldata,
    offer_calldata,
    pay_calldata,
    payment_id,
    quash_calldata,
    refuse_redemption_calldata,
    release_calldata,
    request_redemption_calldata,
    rescind_calldata,
    set_aside_calldata,
    set_limit_calldata,
    withdraw_calldata,
    withdraw_redemption_calldata,
)
from contracts.settlement.genesis import DEPOSITS_ARTIFACT, SETTLEMENT_ARTIFACT
from ledger.types import Hash32
from tests.contracts.financing.loans import CURRENCY, Loans
from tests.contracts.receipts.world import DAY, hash_of
from tests.contracts.roles import SUSPENDED, Call, check, opened, read_table
from tests.contracts.scene import CHAIN_ID, call_of

pytestmark = pytest.mark.feature("F6")
TABLE: Final = read_table(__file__)
DECISION: Final = hash_of("decision 7 of 2027")
EVIDENCE: Final = hash_of("slip")


@dataclass
class Desk:
    """Deals, payments and debts between the farm, the mill and the bank."""

    world: Loans
    last: int = 0

    def number(self) -> str:
        self.last += 1
        return f"S-{self.last}"

    def deposits(self, who: str, data: bytes) -> None:
        self.world.act(who, DEPOSITS_ADDRESS, data)

    def deals(self, who: str, data: bytes) -> None:
        self.world.act(who, SETTLEMENT_ADDRESS, data)

    def condition(self, days: int = 9) -> Condition:
        deadline = self.world.chain.time + days * DAY
        return Condition(ConditionKind.INSPECTION, 0, deadline, "weighers", hash_of("wheat"))

    def date(self) -> Condition:
        return Condition(ConditionKind.DATE, self.world.chain.time + DAY)

    def offer(self, condition: Condition | None = None, **terms: object) -> OfferDraft:
        """A receipt of the farm's for 5."""
        receipt = self.world.issue()
        values: dict[str, object] = {
            "number": self.number(),
            "currency": CURRENCY,
            "amount": 5,
            "expires": self.world.chain.time + 9 * DAY,
            "legs": (Leg(RECEIPTS_ADDRESS, receipt, self.world.get(receipt).revision),),
            "seller_bank": "bank",
            "condition": condition or Condition(),
        }
        return OfferDraft(**(values | terms))  # type: ignore[arg-type]

    def offered(self, condition: Condition | None = None, **terms: object) -> Hash32:
        draft = self.offer(condition, **terms)
        self.deals("farm", offer_calldata(draft))
        return deal_id(CHAIN_ID, "farm", draft.number)

    def committed(self, condition: Condition) -> Hash32:
        deal = self.offered(condition)
        self.deals("mill", commit_calldata(deal, 0, "bank", [0]))
        return deal

    def changed(self) -> Hash32:
        """The farm sells what the mill's neighbour owes it, who pays a part before the date."""
        debt = self.debt("bank")
        legs = (Leg(RECEIVABLES_ADDRESS, debt, 2),)
        draft = replace(self.offer(self.date(), buyer="mill"), legs=legs)
        self.deals("farm", offer_calldata(draft))
        deal = deal_id(CHAIN_ID, "farm", draft.number)
        self.deals("mill", commit_calldata(deal, 0, "bank", [0]))
        self.deals("bank", self.discharge(debt, 1))
        return deal

    def redemption(self) -> Hash32:
        number = self.number()
        self.deposits("farm", request_redemption_calldata("bank", CURRENCY, 10, number))
        return payment_id(CHAIN_ID, "farm", number)

    def debt(self, debtor: str = "mill") -> Hash32:
        """The farm is owed 100, and the debtor has accepted it."""
        return self.world.receivable(self.number(), debtor, amount=100)

    def discharge(self, debt: Hash32, amount: int = 100) -> bytes:
        return discharge_calldata(
            Discharge(RECEIVABLES_ADDRESS, debt, 0, "bank", amount, self.number())
        )

    def security(self) -> Hash32:
        """What the bank holds of the farm's money, since a pledged receivable was paid."""
        debt, terms = self.debt(), self.world.terms()
        what = (RECEIVABLES_ADDRESS, debt, 2)
        self.world.act("farm", PLEDGES_ADDRESS, propose_calldata(*what, "bank", terms))
        key = pledge_key(*what, "farm", "bank", terms)
        self.world.act("bank", PLEDGES_ADDRESS, accept_pledge(key))
        data = self.discharge(debt)
        self.deals("mill", data)
        return payment_id(CHAIN_ID, "mill", f"S-{self.last}", SETTLEMENT_ADDRESS)

    def flow(self) -> tuple[object, ...]:
        """Five hundredths from the farm to the mill, for a deal."""
        parties = (organisation_id_word(name) for name in ("farm", "farm", "bank", "mill", "bank"))
        return (
            hash_of("f"),
            *parties,
            CURRENCY.encode(),
            5,
            hash_of("n"),
            hash_of("c"),
            False,
            False,
            False,
        )


def made(name: str, *arguments: object) -> bytes:
    artifact = DEPOSITS_ARTIFACT if name in INNER else SETTLEMENT_ARTIFACT
    return call_of(artifact, name, *arguments)


INNER: Final = ("move", "setAside", "giveBack", "holdFor")


def deposit_calls(desk: Desk) -> Mapping[str, Call]:
    desk.deposits("farm", choose_home_calldata("bank", CURRENCY))
    asked = desk.redemption()
    desk.deposits("court", hold_calldata("bank", CURRENCY, "farm", 5, DECISION))
    held = hold_id(account_key("bank", CURRENCY, "farm"), "court", DECISION)
    secured = desk.security()
    desk.deals("farm", promise(desk))
    desk.deposits("bank", set_limit_calldata("other-bank", CURRENCY, 1_000))
    desk.world.fund(100, bank="other-bank")
    across = Payment("other-bank", "mill", CURRENCY, 50, desk.number(), "bank")
    desk.deposits("farm", pay_calldata(across))
    within = Payment("bank", "mill", CURRENCY, 5, desk.number(), "bank")
    number = desk.number()
    return {
        "chooseHome": choose_home_calldata("other-bank", CURRENCY),
        "issue": issue_calldata("farm", CURRENCY, 5, number),
        "requestRedemption": request_redemption_calldata("bank", CURRENCY, 5, number),
        "confirmRedemption": confirm_redemption_calldata(asked),
        "refuseRedemption": refuse_redemption_calldata(asked),
        "withdrawRedemption": withdraw_redemption_calldata(asked),
        "pay": pay_calldata(within),
        "move": made("move", desk.flow(), ""),
        "setAside": made("setAside", desk.flow(), ""),
        "giveBack": made("giveBack", desk.flow(), ""),
        "holdFor": made("holdFor", desk.flow(), hash_of("pledge"), ""),
        "setLimit": set_limit_calldata("other-bank", CURRENCY, 2_000),
        "confirmSettlement": confirm_settlement_calldata("other-bank", CURRENCY, 50, number),
        "hold": hold_calldata("bank", CURRENCY, "farm", 5, hash_of("another decision")),
        "release": release_calldata(held, 5, DECISION),
        "collect": collect_calldata(secured, 100),
    }


def promise(desk: Desk) -> bytes:
    """Five hundredths for the retailer, on a date."""
    draft = ConditionalDraft(
        desk.number(), "trader", "bank", CURRENCY, 5, desk.date(), payee_bank="bank"
    )
    return set_aside_calldata(draft)


def deal_calls(desk: Desk) -> Mapping[str, Call]:
    world = desk.world
    short = desk.offered(expires=world.chain.time + DAY // 2)
    dated, late = desk.committed(desk.date()), desk.committed(desk.condition(days=1))
    world.wait(2 * DAY)
    world.count(world.lot, 1_000_000)
    offered, conditional = desk.offered(), desk.offered(desk.condition())
    named, open_ = desk.offered(buyer="mill"), desk.committed(desk.condition())
    disputed = desk.committed(desk.condition())
    desk.deals("farm", ask_cancel_calldata(disputed, 0))
    changed = desk.changed()
    bank, farm = organisation_id_word("bank"), organisation_id_word("farm")
    payment = (bank, organisation_id_word("mill"), bank, CURRENCY.encode(), 5, hash_of("n"))
    to_farm = (bank, CURRENCY.encode(), farm, 5, hash_of("loan"))
    return {
        "offer": offer_calldata(desk.offer()),
        "accept": accept_calldata(offered, 0, "bank", [0]),
        "commit": commit_calldata(conditional, 0, "bank", [0]),
        "setAside": promise(desk),
        "decline": decline_calldata(named, 0),
        "withdraw": withdraw_calldata(named, 0),
        "expire": expire_calldata(short, 0),
        "attest": attest_calldata(open_, 0, EVIDENCE),
        "deny": deny_calldata(open_, 0, EVIDENCE),
        "execute": execute_calldata(dated, 0),
        "giveBack": give_back_calldata(late, 0),
        "askCancel": ask_cancel_calldata(disputed, 0),
        "agreeCancel": agree_cancel_calldata(disputed, 0),
        "affirm": affirm_calldata(changed, 0, [0]),
        "rescind": rescind_calldata(changed, 0),
        "quash": quash_calldata(open_, 0, DECISION),
        "discharge": desk.discharge(desk.debt()),
        "issueFor": made("issueFor", *to_farm),
        "redeemFor": made("redeemFor", *to_farm),
        "payFor": made("payFor", farm, payment, hash_of("pool")),
        "proceed": made("proceed", open_, organisation_id_word("weighers")),
        "rehearse": made("rehearse", open_),
    }


def test_every_call_of_settlement_answers_every_role_as_the_table_says() -> None:
    desk = Desk(opened())
    for owner in ("farm", "mill"):
        desk.world.fund(1_000, owner)
    deposits = deposit_calls(desk)
    deals = deal_calls(desk)
    desk.world.suspend(SUSPENDED)
    calls = {f"Deposits.{name}": call for name, call in deposits.items()}
    calls |= {f"Settlement.{name}": call for name, call in deals.items()}
    artifacts = {DEPOSITS_ADDRESS: DEPOSITS_ARTIFACT, SETTLEMENT_ADDRESS: SETTLEMENT_ARTIFACT}
    check(desk.world, TABLE, artifacts, calls)
