"""Random members against a plain model: the contract, its refusals, its events and SQL."""

from __future__ import annotations

import random
from collections import Counter
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contracts.claims import claim_of_calldata, decode_claim_of, reserved_key
from contracts.consortium import organisation_id_word
from contracts.genesis import CLAIMS_ADDRESS, PLEDGES_ADDRESS, RECEIVABLES_ADDRESS
from contracts.instruments import Viewer
from contracts.pledges import Terms, pledge_key, propose_calldata, release_calldata
from contracts.pledges import accept_calldata as bank_accepts
from contracts.receivables import (
    MACHINE,
    Kind,
    accept_calldata,
    agree_cancel_calldata,
    annul_calldata,
    award_calldata,
    cancel_calldata,
    concede_calldata,
    confirm_payment_calldata,
    create_calldata,
    declare_default_calldata,
    deliver_calldata,
    discharge_calldata,
    dispute_calldata,
    endorse_calldata,
    find_receivable,
    freeze_calldata,
    invoice_calldata,
    lapse_calldata,
    offer_cancel_calldata,
    present_calldata,
    receivable_endorsements,
    receivable_id,
    recourse_calldata,
    refuse_calldata,
    reject_calldata,
    split_calldata,
    undertake_calldata,
    unfreeze_calldata,
    uphold_calldata,
    withdraw_dispute_calldata,
)
from ledger.types import Hash32, Receipt
from tests.contracts.receivables.model import Book, Paper
from tests.contracts.receivables.specimens import call_of
from tests.contracts.receivables.world import (
    DAY,
    DECISION,
    DOCUMENT,
    KEYS,
    MEMBERS,
    World,
    founders,
    hash_of,
    invoice,
)
from tests.contracts.scene import CHAIN_ID, entries
from tests.contracts.tables import Tables

TRADERS: Final = ("supplier", "maker", "tier-two", "bank", "other-bank")
PAYMENTS: Final = ("confirm-payment", "discharge")
ACTS: Final = (
    *("endorse", "settle", "split", "reject", "undertake", "recourse", "lock", "unlock"),
    *("present", "declare-default", *PAYMENTS, *PAYMENTS, "invoice", "deliver", "lapse"),
    *("dispute", "dispute", "withdraw-dispute", "concede", "uphold", "annul"),
    *("freeze", "unfreeze", "award", "offer-cancel", "agree-cancel", "refuse", "cancel"),
)
EVERYTHING: Final = Viewer.everything()


class ReceivablesMachine(RuleBasedStateMachine):
    """What the model does, the contract does; what it refuses, the contract refuses so."""

    @initialize()
    def begin(self) -> None:
        self.world = World.founded()
        self.tables = Tables.of(entries(founders(), votes={"operator": 1}))
        self.book = Book()
        self.touched: set[Hash32] = set()
        self.invoices = 0
        self.done: Counter[str] = Counter()
        self.tried: Counter[str] = Counter()
        self.last = DOCUMENT
        for number, kind in enumerate((Kind.INVOICE, Kind.ORDER, Kind.BILL, Kind.INVOICE)):
            by = "tier-two" if kind is Kind.BILL else "supplier"
            self.make(kind, by, 40, f"first {number}", answered=True, disputable=True)

    # ---- one act, in both ---------------------------------------------------------------------

    def both(self, act: str, id_: Hash32, by: str, calldata: bytes, *arguments: object) -> bool:
        refusal = self.world.refusal(by, calldata)
        self.book.now = self.world.now + 1
        reason = self.book.attempt(act, id_, by, *arguments)
        receipt = self.take(self.world.attempt(by, calldata))
        assert refusal == reason, f"{act} by {by}"
        assert receipt.status == (reason is None)
        self.done[act] += reason is None
        self.last = id_
        self.touched.add(id_)
        return reason is None

    def take(self, receipt: Receipt) -> Receipt:
        self.tables.take(receipt, self.world.chain.number, self.world.now)
        return receipt

    def some(self, data: st.DataObject) -> tuple[Hash32, Paper] | None:
        """Rather a new one."""
        if not self.book.papers:
            return None
        ids = list(self.book.papers)[::-1]
        id_ = data.draw(st.sampled_from(ids[:5]) | st.sampled_from(ids))
        return id_, self.book.papers[id_]

    # ---- rules --------------------------------------------------------------------------------

    @rule(
        kind=st.sampled_from(Kind),
        by=st.sampled_from(("supplier", "supplier", "tier-two", "maker")),
        amount=st.integers(1, 50),
        key=st.integers(0, 30),
        answered=st.sampled_from((True, True, True, False)),
        disputable=st.booleans(),
    )
    def create(
        self, kind: Kind, by: str, amount: int, key: int, answered: bool, disputable: bool
    ) -> None:
        self.make(kind, by, amount, f"k{key}", answered=answered, disputable=disputable)

    def make(
        self, kind: Kind, by: str, amount: int, key: str, *, answered: bool, disputable: bool
    ) -> None:
        number = f"N-{len(self.book.papers)}"
        more: dict[str, object] = {"kind": kind, "amount": amount, "keys": (hash_of(key),)}
        if kind is Kind.BANK_BILL:
            more["debtor"] = "other-bank"
        if kind is Kind.ORDER:
            more |= {"deliver_by": self.world.now + 10 * DAY, "attestor": "carrier"}
        draft = invoice(self.world, number, **more)
        id_ = receivable_id(CHAIN_ID, by, number)
        if not self.both("create", id_, by, create_calldata(draft), draft):
            self.touched.discard(id_)
            return
        disputable = disputable and not kind.is_bill
        if answered:
            call = accept_calldata(id_, 0, disputable=disputable)
            self.both("accept", id_, draft.debtor, call, disputable)

    @rule(data=st.data())
    def act(self, data: st.DataObject) -> None:
        """Half of the acts are what comes next where they stand, half are anything."""
        found = self.some(data)
        if found is None:
            return
        id_, paper = found
        here = [act for act in ACTS if possible(act, paper)]
        act = data.draw(st.sampled_from(here or ACTS) | st.sampled_from(ACTS))
        by = data.draw(st.just(entitled(act, paper)) | st.sampled_from(sorted(MEMBERS)))
        if act in ("lock", "unlock", "settle"):
            by = "settlement"
        elif by == "settlement" and act != "discharge":
            return
        to = data.draw(st.sampled_from((*TRADERS, "court")))
        amount = data.draw(
            st.just(paper.outstanding) | st.integers(0, max(1, paper.outstanding + 1))
        )
        self.perform(act, id_, by, to, amount, flag=data.draw(st.booleans()))

    def perform(self, act: str, id_: Hash32, by: str, to: str, amount: int, *, flag: bool) -> None:
        paper = self.book.papers[id_]
        holder, goal = organisation_id_word(paper.holder), organisation_id_word(to)
        self.invoices += 1
        key = hash_of(f"invoice {self.invoices // 16}")  # several name the same one
        rest = paper.outstanding - amount
        parts = [amount, rest] if flag and rest >= 0 else [amount, 1]
        calls: dict[str, tuple[bytes, tuple[object, ...]]] = {
            "endorse": (endorse_calldata(id_, 0, to, recourse=flag), (to, flag)),
            "settle": (call_of("settle", id_, 0, holder, goal), (to,)),
            "lock": (call_of("lock", id_, 0, holder), ()),
            "unlock": (call_of("unlock", id_), ()),
            "split": (split_calldata(id_, 0, parts), (parts,)),
            "reject": (reject_calldata(id_, 0), ()),
            "undertake": (undertake_calldata(id_, 0, recourse=flag), (flag,)),
            "recourse": (recourse_calldata(id_, 0), ()),
            "present": (present_calldata(id_, 0), ()),
            "declare-default": (declare_default_calldata(id_, 0), ()),
            "confirm-payment": (confirm_payment_calldata(id_, 0, amount), (amount,)),
            "discharge": (
                discharge_calldata(id_, 0, paper.draft.debtor if flag else to, amount),
                (paper.draft.debtor if flag else to, amount),
            ),
            "invoice": (invoice_calldata(id_, 0, [key], DOCUMENT), ([key], DOCUMENT)),
            "deliver": (deliver_calldata(id_, 0, DOCUMENT), ()),
            "lapse": (lapse_calldata(id_, 0), ()),
            "dispute": (dispute_calldata(id_, 0, DOCUMENT, "why"), ()),
            "withdraw-dispute": (withdraw_dispute_calldata(id_, 0), ()),
            "concede": (concede_calldata(id_, 0, amount), (amount,)),
            "uphold": (uphold_calldata(id_, 0, amount, DECISION), (amount,)),
            "annul": (annul_calldata(id_, 0, DECISION), ()),
            "freeze": (freeze_calldata(id_, 0, DECISION), ()),
            "unfreeze": (unfreeze_calldata(id_, 0, by, DECISION), ()),
            "award": (award_calldata(id_, 0, to, DECISION), (to,)),
            "offer-cancel": (offer_cancel_calldata(id_, 0), ()),
            "agree-cancel": (agree_cancel_calldata(id_, 0), ()),
            "refuse": (refuse_calldata(id_, 0), ()),
            "cancel": (cancel_calldata(id_, 0), ()),
        }
        calldata, arguments = calls[act]
        if self.both(act, id_, by, calldata, *arguments):
            self.touched |= set(list(self.book.papers)[-2:])

    @rule(data=st.data())
    def pledge_or_release(self, data: st.DataObject) -> None:
        found = self.some(data)
        if found is None:
            return
        id_, paper = found
        if paper.pledgee:
            calldata = release_calldata(self.world.keys.pop(id_), [id_])
            self.take(self.world.pledges(paper.pledgee, calldata))
            self.book.free(id_)
        elif paper.holder != "bank":
            self.pledge(id_, paper)
        self.touched.add(id_)

    def pledge(self, id_: Hash32, paper: Paper) -> None:
        terms = Terms(1, "CNY", self.world.now + DAY, 0, DOCUMENT)
        draft = (RECEIVABLES_ADDRESS, id_, paper.revision)
        key = pledge_key(*draft, paper.holder, "bank", terms)
        chain, sender = self.world.chain, KEYS[paper.holder]
        proposal = propose_calldata(*draft, "bank", terms)
        self.take(chain.send(sender, PLEDGES_ADDRESS, proposal))
        receipt = self.take(chain.send(KEYS["bank"], PLEDGES_ADDRESS, bank_accepts(key)))
        assert receipt.status == self.book.encumber(id_, "bank")
        if receipt.status:
            self.world.keys[id_] = key

    @rule(days=st.integers(1, 12))
    def time_passes(self, days: int) -> None:
        self.world.wait_until(self.world.now + days * DAY)

    # ---- what is always so ----------------------------------------------------------------------

    @invariant()
    def contract_and_sql_say_what_the_model_says(self) -> None:
        touched, self.touched = self.touched & set(self.book.papers), set()
        with self.tables.engine.connect() as connection:
            for id_ in touched:
                paper = self.book.papers[id_]
                record, chain = paper.record(), tuple(reversed(paper.endorsers))
                assert self.world.get(id_) == record
                assert self.world.chain_of(id_) == chain
                found = find_receivable(connection, id_, EVERYTHING)
                assert found is not None
                assert found.receivable == record
                assert receivable_endorsements(connection, id_, EVERYTHING) == chain

    @invariant()
    def claims_are_the_models(self) -> None:
        kept = {reserved_key(*between): id_ for between, id_ in self.book.kept.items()}
        for key, id_ in [*list(self.book.claims.items())[-3:], *list(kept.items())[-3:]]:
            claim = decode_claim_of(self.world.answer(claim_of_calldata(key), CLAIMS_ADDRESS))
            assert claim is not None
            assert (claim.instrument, claim.id) == (RECEIVABLES_ADDRESS, id_)

    @invariant()
    def nothing_is_owed_twice(self) -> None:
        for id_, paper in self.book.papers.items():
            assert 0 <= paper.outstanding + paper.paid <= paper.amount
            if paper.state == "split":
                parts = [p for p in self.book.papers.values() if p.origin == id_]
                assert sum(part.amount for part in parts) <= paper.amount - paper.paid


def possible(act: str, paper: Paper) -> bool:
    """Whether there is something in it here, as far as the table says."""
    row = MACHINE.act(act)
    if act in ("unfreeze", "award"):
        return bool(paper.frozen) and paper.state in row.states
    if act == "unlock":
        return paper.locked
    kept = (paper.frozen and not row.while_frozen) or (paper.locked and not row.while_locked)
    return paper.state in row.states and not kept


def entitled(act: str, paper: Paper) -> str:
    """Who could do it."""
    draft = paper.draft
    return {
        "discharge": "settlement",
        "dispute": draft.debtor,
        "withdraw-dispute": draft.debtor,
        "deliver": "carrier",
        "invoice": draft.creditor,
        "offer-cancel": draft.debtor,
        "agree-cancel": draft.creditor,
        "refuse": draft.debtor,
        "cancel": paper.issuer,
        "uphold": "court",
        "annul": "court",
        "freeze": "court",
        "unfreeze": "court",
        "award": "court",
    }.get(act, paper.holder)


TestReceivablesMachine = pytest.mark.feature("F5")(ReceivablesMachine.TestCase)
TestReceivablesMachine.settings = settings(
    max_examples=8,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.feature("F5")
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_long_walk_does_everything_there_is_to_do() -> None:
    """The same machine by a seeded hand, which goes further than short examples do."""
    chance, machine = random.Random(17), ReceivablesMachine()
    machine.begin()
    begin_with_what_is_seldom(machine)
    for step in range(300):
        walk(machine, chance, step)
        machine.contract_and_sql_say_what_the_model_says()
    machine.nothing_is_owed_twice()
    assert {act for act in ("create", "accept", *ACTS) if not machine.done[act]} == set()


def begin_with_what_is_seldom(machine: ReceivablesMachine) -> None:
    """A withdrawal before acceptance, each end of a dispute, a decision, a drawer's recourse."""
    machine.make(Kind.INVOICE, "supplier", 40, "early", answered=False, disputable=True)
    machine.perform("cancel", machine.last, "supplier", "bank", 40, flag=True)
    for end in ("withdraw-dispute", "concede", "uphold", "annul"):
        machine.make(Kind.INVOICE, "supplier", 40, end, answered=True, disputable=True)
        id_ = machine.last
        machine.perform("dispute", id_, "maker", "bank", 40, flag=True)
        by = entitled(end, machine.book.papers[id_])
        machine.perform(end, id_, by, "bank", 30, flag=True)
    machine.make(Kind.INVOICE, "supplier", 40, "awarded", answered=True, disputable=False)
    id_ = machine.last
    for act in ("freeze", "award", "unfreeze"):
        machine.perform(act, id_, "court", "tier-two", 40, flag=True)
    machine.make(Kind.BILL, "tier-two", 40, "drawn", answered=True, disputable=False)
    id_ = machine.last
    machine.world.wait_until(machine.book.papers[id_].due + 4 * DAY)
    for act in ("present", "declare-default", "recourse"):
        machine.perform(act, id_, "supplier", "bank", 40, flag=True)
        machine.contract_and_sql_say_what_the_model_says()


FOLLOWING: Final = {
    "offer-cancel": ("agree-cancel",),
    "dispute": ("withdraw-dispute", "concede", "uphold", "annul"),
    "declare-default": ("recourse",),
    "endorse": ("reject", "endorse", "endorse"),
    "freeze": ("unfreeze", "award"),
    "unfreeze": ("reject", "reject", "endorse"),
    "lock": ("unlock", "settle"),
}
"""What a walk would meet too seldom: acts that follow at once."""


def walk(machine: ReceivablesMachine, chance: random.Random, step: int) -> None:
    if chance.random() < 0.1:
        kind = chance.choice(list(Kind))
        by = "tier-two" if kind.is_bill else "supplier"
        key = f"walk {chance.randrange(step + 3)}"
        answered = chance.random() < 0.8
        machine.make(kind, by, 40, key, answered=answered, disputable=chance.random() < 0.8)
        return
    id_ = chance.choice(list(machine.book.papers)[-6:])
    act = stroll(machine, chance, id_, ACTS)
    if act in FOLLOWING and machine.last == id_:
        stroll(machine, chance, id_, FOLLOWING[act])


def stroll(
    machine: ReceivablesMachine, chance: random.Random, id_: Hash32, acts: tuple[str, ...]
) -> str:
    """One act of these: that which was tried least of what there is to do here."""
    paper = machine.book.papers[id_]
    here = [act for act in acts if possible(act, paper)] or list(acts)
    act = min(here, key=lambda act: machine.tried[act])
    machine.tried[act] += 1
    if act in ("present", "declare-default", "lapse") and chance.random() < 0.5:
        machine.world.wait_until(max(paper.due, paper.draft.deliver_by) + 4 * DAY)
    by = entitled(act, paper) if chance.random() < 0.9 else chance.choice(sorted(MEMBERS))
    if act in ("lock", "unlock", "settle"):
        by = "settlement"
    amount = paper.outstanding if chance.random() < 0.3 else chance.randrange(paper.outstanding + 2)
    to = chance.choice((*TRADERS, "court"))
    machine.perform(act, id_, by, to, amount, flag=chance.random() < 0.6)
    return act
