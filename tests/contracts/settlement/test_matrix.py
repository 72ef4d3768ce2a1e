"""Every act on a deal, in every state, by every party: allowed exactly when the table says so."""

from __future__ import annotations

import itertools

import pytest

from contracts.genesis import RECEIVABLES_ADDRESS
from contracts.receivables.binding import control_calldata, decode_control
from contracts.settlement import (
    MACHINE,
    SETTLEMENT_ADDRESS,
    Condition,
    ConditionKind,
    Leg,
    OfferDraft,
    accept_calldata,
    affirm_calldata,
    agree_cancel_calldata,
    ask_cancel_calldata,
    attest_calldata,
    commit_calldata,
    deal_id,
    decline_calldata,
    deny_calldata,
    execute_calldata,
    expire_calldata,
    give_back_calldata,
    offer_calldata,
    quash_calldata,
    rescind_calldata,
    withdraw_calldata,
)
from ledger.types import Hash32
from tests.contracts.scene import CHAIN_ID
from tests.contracts.settlement.market import CNY, DECISION, EVIDENCE, Market, opened

pytestmark = pytest.mark.feature("F6")

WHO = {
    "farm": {"anybody", "seller"},
    "trader": {"anybody", "buyer", "named"},
    "weighers": {"anybody", "attestor"},
    "mill": {"anybody"},
    "first-bank": {"anybody"},
    "court": {"anybody", "authority"},
    "regulator": {"anybody", "authority"},
}
CREATING = ("offer", "set-aside")
OTHER_REASONS = {
    "WrongCondition",  # accept for commit, and the other way round
    "TooEarly",
    "AskTheOther",
    "Unchanged",  # to affirm what is as it was
    "AsAgreed",  # to rescind it
    "LimitExceeded",  # what keeps a deal that is met from being settled here
}


class Stage:
    """One deal with a condition, brought into a state; the seller is paid at the second bank."""

    def __init__(self, conditional: bool) -> None:
        self.market: Market = opened()
        self.market.issue("second-bank", "farm", 1)
        self.leg = self.market.receivable("farm", "mill", 4_000)
        deadline = self.market.chain.time + 1_000
        condition = Condition(
            ConditionKind.INSPECTION, 0, deadline, "weighers", Hash32(b"\x05" * 32)
        )
        draft = OfferDraft(
            number="D-1",
            currency=CNY,
            amount=900,
            expires=self.market.chain.time + 500,
            legs=(Leg(RECEIVABLES_ADDRESS, self.leg, 2),),
            buyer="trader",
            seller_bank="second-bank",
            condition=condition if conditional else Condition(),
        )
        self.market.deals("farm", offer_calldata(draft))
        self.id = deal_id(CHAIN_ID, "farm", "D-1")

    def call(self, act: str) -> bytes:
        answer = self.market.answer(RECEIVABLES_ADDRESS, control_calldata(self.leg))
        control = decode_control(answer)
        assert control is not None
        entering = (self.id, 0, "first-bank", [control.revision])
        return {
            "accept": lambda: accept_calldata(*entering),
            "commit": lambda: commit_calldata(*entering),
            "decline": lambda: decline_calldata(self.id, 0),
            "withdraw": lambda: withdraw_calldata(self.id, 0),
            "expire": lambda: expire_calldata(self.id, 0),
            "attest": lambda: attest_calldata(self.id, 0, EVIDENCE),
            "deny": lambda: deny_calldata(self.id, 0, EVIDENCE),
            "execute": lambda: execute_calldata(self.id, 0),
            "give-back": lambda: give_back_calldata(self.id, 0),
            "ask-cancel": lambda: ask_cancel_calldata(self.id, 0),
            "agree-cancel": lambda: agree_cancel_calldata(self.id, 0),
            "affirm": lambda: affirm_calldata(self.id, 0, [control.revision]),
            "rescind": lambda: rescind_calldata(self.id, 0),
            "quash": lambda: quash_calldata(self.id, 0, DECISION),
        }[act]()

    def do(self, by: str, act: str) -> None:
        self.market.deals(by, self.call(act))

    def state(self) -> str:
        deal = self.market.deal(self.id)
        assert deal is not None
        return deal.state


def brought_to(state: str) -> Stage:
    stage = Stage(conditional=True)
    if state in ("open", "met", "returned", "settled"):
        stage.do("trader", "commit")
    if state == "settled":
        stage.market.limit("second-bank", "first-bank", 900)
    if state in ("met", "settled"):
        stage.do("weighers", "attest")  # without a limit between the banks the payment waits
    elif state == "returned":
        stage.do("weighers", "deny")
    elif state == "declined":
        stage.do("trader", "decline")
    elif state == "withdrawn":
        stage.do("farm", "withdraw")
    elif state == "cancelled":
        stage.do("court", "quash")
    elif state == "expired":
        stage.market.chain.number += 600
        stage.do("mill", "expire")
    assert stage.state() == state
    return stage


@pytest.mark.parametrize("state", [state for state in MACHINE.states if state != "none"])
def test_an_act_is_possible_exactly_when_the_table_says_so(state: str) -> None:
    stage = brought_to(state)
    before = stage.market.chain.state.root
    own = [act for act in MACHINE.acts[10:] if act.name not in CREATING]
    for act, (name, parties) in itertools.product(own, WHO.items()):
        why = stage.market.refusal(name, stage.call(act.name), SETTLEMENT_ADDRESS)
        if not parties & set(act.by):
            expected = {"DealNotEntitled"}
        elif state not in act.states:
            expected = {"DealState"}
        else:
            assert why is None or why in OTHER_REASONS, (act.name, name, why)
            continue
        assert why in expected, (act.name, name, state, why)
    assert stage.market.chain.state.root == before


def test_each_transition_leads_where_the_table_says() -> None:
    ways = {
        "accept": ("offered", "trader"),
        "commit": ("offered", "trader"),
        "decline": ("offered", "trader"),
        "withdraw": ("offered", "farm"),
        "deny": ("open", "weighers"),
        "attest": ("open", "weighers"),
        "quash": ("met", "court"),
        "ask-cancel": ("met", "farm"),
    }
    for name, (state, by) in ways.items():
        stage = brought_to(state) if name != "accept" else Stage(conditional=False)
        if name == "accept":
            stage.market.limit("second-bank", "first-bank", 900)
        stage.do(by, name)
        assert stage.state() == MACHINE.after(MACHINE.act(name), state), name


def test_nobody_acts_on_what_is_not_there() -> None:
    stage = Stage(conditional=True)
    stage.id = Hash32(b"\x99" * 32)
    for act in MACHINE.acts[10:]:
        if act.name not in CREATING:
            assert stage.market.refusal("court", stage.call(act.name)) == "UnknownDeal"
