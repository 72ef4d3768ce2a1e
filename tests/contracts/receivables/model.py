"""Receivables in plain Python: what the contract is held against.

Who may do what in which state is read from the table; everything else is written out here. A `Book`
is changed by its methods, or they raise `Refused` with the name of the contract's error.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from contracts.instruments import Act, WhilePledged
from contracts.receivables import MACHINE, Draft, Endorsement, Kind, Receivable, part_id
from ledger.types import Hash32
from tests.contracts.receivables.specimens import roles_of
from tests.contracts.receivables.world import MEMBERS

OUTSIDE = ("regulator", "arbitrator")
ENDORSEMENTS_MAX = 32
KEYS_MAX = 64


class Refused(Exception):
    """The rules forbid it; the text is the contract's name for the reason."""


@dataclass
class Paper:
    """One receivable."""

    draft: Draft
    issuer: str
    holder: str
    root: Hash32
    amount: int
    issued: int
    due: int
    state: str = "proposed"
    revision: int = 1
    outstanding: int = 0
    paid: int = 0
    pledgee: str | None = None
    origin: Hash32 | None = None
    part: int = 0
    invoice: Hash32 | None = None
    presented: int = 0
    frozen: set[str] = field(default_factory=set)
    locked: bool = False
    disputable: bool = False
    undertaken: bool = False
    financed: bool = False
    endorsers: list[Endorsement] = field(default_factory=list)
    """The nearest last."""
    keys: list[Hash32] = field(default_factory=list)
    offer: tuple[str, int] | None = None
    former: tuple[int, str, list[Endorsement]] | None = None
    """Revision of an endorsement, and what was before it."""

    @property
    def guarantor(self) -> str | None:
        return next((e.endorser for e in reversed(self.endorsers) if e.recourse), None)

    @property
    def payee(self) -> str:
        return self.pledgee or self.holder

    def record(self) -> Receivable:
        """As the contract would tell it."""
        draft = self.draft
        return Receivable(
            kind=draft.kind,
            issuer=self.issuer,
            number=None if self.part else draft.number,
            creditor=draft.creditor,
            debtor=draft.debtor,
            attestor=draft.attestor,
            terms=draft.terms,
            invoice=self.invoice,
            holder=self.holder,
            pledgee=self.pledgee,
            guarantor=self.guarantor,
            origin=self.origin,
            root=self.root,
            amount=self.amount,
            outstanding=self.outstanding,
            paid=self.paid,
            currency=draft.currency,
            issued=self.issued,
            due=self.due,
            deliver_by=draft.deliver_by,
            presented=self.presented,
            grace_seconds=draft.grace_seconds,
            revision=self.revision,
            part=self.part,
            endorsements=len(self.endorsers),
            state=self.state,
            freezes=len(self.frozen),
            locked=self.locked,
            disputable=self.disputable,
            undertaken=self.undertaken,
            rejectable=self.former is not None and self.former[0] == self.revision,
            financed=self.financed,
        )

    def keep_rejectable(self) -> None:
        """The act that follows takes no recipient's right to reject."""
        if self.former is not None and self.former[0] == self.revision:
            self.former = self.revision + 1, *self.former[1:]

    def pass_on(self, by: str, to: str, *, recourse: bool) -> None:
        """The endorser's name goes behind it, unless it comes back to one before him."""
        if self.retrace(to):
            return
        if len(self.endorsers) == ENDORSEMENTS_MAX:
            raise Refused("TooManyEndorsements")
        self.endorsers.append(Endorsement(by, recourse))

    def retrace(self, to: str) -> bool:
        """Whether it comes back to an endorser who promised recourse: he is where he was."""
        promise = Endorsement(to, recourse=True)
        known = promise in self.endorsers
        if known:
            self.endorsers = self.endorsers[: self.endorsers.index(promise)]
        return known


OTHERS: Final = frozenset({"freeze", "unfreeze", "permit"})
"""Acts that take no party's right to the next one."""


class Book:
    """All receivables, and what is claimed."""

    def __init__(self) -> None:
        self.papers: dict[Hash32, Paper] = {}
        self.claims: dict[Hash32, Hash32] = {}
        self.kept: dict[tuple[str, str, Hash32], Hash32] = {}
        """Invoices that orders name before they are delivered, between creditor and debtor."""
        self.now = 0

    def attempt(self, act: str, id_: Hash32, by: str, *arguments: object) -> str | None:
        """Do it, or say why not; nothing has changed then."""
        before = copy.deepcopy((self.papers, self.claims, self.kept))
        try:
            getattr(self, act.replace("-", "_"))(id_, by, *arguments)
        except Refused as reason:
            self.papers, self.claims, self.kept = before
            return str(reason)
        return None

    # ---- the table -------------------------------------------------------------------------------

    def _begin(self, name: str, id_: Hash32, by: str) -> Paper:
        act, paper = MACHINE.act(name), self.papers[id_]
        roles = {by} if by == "settlement" else roles_of(paper.record(), by)
        self._check(act, paper, roles)
        paper.state = MACHINE.after(act, paper.state)
        if name in OTHERS:
            paper.keep_rejectable()
        paper.revision += 1
        return paper

    @staticmethod
    def _check(act: Act, paper: Paper, roles: set[str]) -> None:
        if not roles & set(act.by):
            raise Refused("NotEntitled")
        if paper.state not in act.states:
            raise Refused("WrongState")
        if paper.frozen and not act.while_frozen:
            raise Refused("InstrumentFrozen")
        if paper.locked and not act.while_locked:
            raise Refused("InstrumentLocked")
        if paper.pledgee and act.while_pledged is not WhilePledged.FREE:
            raise Refused("InstrumentPledged")

    # ---- coming into being, and ending -----------------------------------------------------------

    def create(self, id_: Hash32, by: str, draft: Draft) -> None:
        if draft.creditor != by and not draft.kind.is_bill:
            raise Refused("InvalidParty")
        if draft.debtor == draft.creditor:
            raise Refused("InvalidParty")
        if draft.kind is Kind.BANK_BILL and MEMBERS[draft.debtor].word != "bank":
            raise Refused("InvalidParty")
        self._check_free(draft, draft.keys)
        paper = Paper(draft, by, draft.creditor, id_, draft.amount, self.now, draft.due)
        paper.outstanding, paper.keys = draft.amount, list(draft.keys)
        if by not in (draft.creditor, draft.debtor):
            paper.endorsers = [Endorsement(by, True)]
        self.papers[id_] = paper

    def _check_free(self, draft: Draft, keys: Sequence[Hash32], of: Hash32 | None = None) -> None:
        """Claimed by nobody, and kept for nothing else between these two."""
        kept = (self.kept.get((draft.creditor, draft.debtor, key), of) for key in keys)
        if any(key in self.claims for key in keys) or any(other != of for other in kept):
            raise Refused("AlreadyClaimed")

    def _claim(self, id_: Hash32, keys: Sequence[Hash32]) -> None:
        self._check_free(self.papers[id_].draft, keys, id_)
        self.claims |= dict.fromkeys(keys, id_)

    def accept(self, id_: Hash32, by: str, disputable: bool) -> None:
        kind = self.papers[id_].draft.kind
        paper = self._begin("confirm" if kind is Kind.ORDER else "accept", id_, by)
        if disputable and kind.is_bill:
            raise Refused("Unconditional")
        if (paper.draft.deliver_by or paper.due) <= self.now:
            raise Refused("PastDue")
        paper.disputable = disputable
        self._claim(id_, paper.keys)

    def refuse(self, id_: Hash32, by: str) -> None:
        paper = self._begin("refuse", id_, by)
        paper.outstanding, paper.keys = 0, []

    def cancel(self, id_: Hash32, by: str) -> None:
        paper = self._begin("cancel", id_, by)
        paper.outstanding, paper.keys = 0, []

    def offer_cancel(self, id_: Hash32, by: str) -> None:
        paper = self._begin("offer-cancel", id_, by)
        if paper.holder != paper.draft.creditor:
            raise Refused("InvalidParty")
        paper.offer = by, paper.revision

    def agree_cancel(self, id_: Hash32, by: str) -> None:
        last = self.papers[id_].revision
        paper = self._begin("agree-cancel", id_, by)
        if paper.offer is None or paper.offer[1] != last or paper.offer[0] == by:
            raise Refused("NotOffered")
        self._end(paper)

    def _end(self, paper: Paper) -> None:
        paper.outstanding = 0
        if paper.financed or paper.part:
            return
        for key in paper.keys:
            if self.claims.get(key) == paper.root:
                del self.claims[key]
            self._keep_no_more(paper, key)
        paper.keys = []

    def _keep_no_more(self, paper: Paper, key: Hash32) -> bool:
        """Whether it was kept for the order, or for what the order is a part of."""
        place = paper.draft.creditor, paper.draft.debtor, key
        kept = self.kept.get(place) == paper.root
        if kept:
            del self.kept[place]
        return kept

    # ---- orders ----------------------------------------------------------------------------------

    def invoice(self, id_: Hash32, by: str, keys: Sequence[Hash32], document: Hash32) -> None:
        paper = self._begin("invoice", id_, by)
        if paper.invoice is not None and (by == paper.draft.creditor or by != paper.payee):
            raise Refused("InvoiceUnchanged")
        paper.invoice = document
        paper.keys += keys
        if len(paper.keys) > (2 * KEYS_MAX if by == paper.payee else KEYS_MAX):
            raise Refused("WrongKeys")
        new = [key for key in keys if self.claims.get(key) != paper.root]
        self._check_free(paper.draft, new, paper.root)
        draft = paper.draft
        self.kept |= {(draft.creditor, draft.debtor, key): paper.root for key in new}

    def deliver(self, id_: Hash32, by: str) -> None:
        paper = self._begin("deliver", id_, by)
        if paper.invoice is None:
            raise Refused("NotInvoiced")
        paper.due += max(0, self.now - paper.draft.deliver_by)
        for key in paper.keys:
            if self._keep_no_more(paper, key):
                self.claims.setdefault(key, paper.root)

    def lapse(self, id_: Hash32, by: str) -> None:
        paper = self._begin("lapse", id_, by)
        until = paper.draft.deliver_by
        if paper.payee not in (by, paper.draft.creditor):
            until = paper.due + paper.draft.grace_seconds
        if self.now <= until:
            raise Refused("TooEarly")
        paper.outstanding = 0

    # ---- title -----------------------------------------------------------------------------------

    def undertake(self, id_: Hash32, by: str, recourse: bool) -> None:
        paper = self._begin("undertake", id_, by)
        if paper.undertaken == recourse:
            raise Refused("Unchanged")
        paper.undertaken = recourse

    def endorse(self, id_: Hash32, by: str, to: str, recourse: bool) -> None:
        paper = self._begin("endorse", id_, by)
        if paper.due <= self.now:
            raise Refused("PastDue")
        if to == by:
            raise Refused("Unchanged")
        paper.former = paper.revision, by, list(paper.endorsers)
        self._hand_over(paper, to)
        paper.pass_on(by, to, recourse=recourse)
        paper.undertaken, paper.financed = False, True

    @staticmethod
    def _hand_over(paper: Paper, to: str) -> None:
        if MEMBERS[to].word in OUTSIDE or to == paper.draft.debtor:
            raise Refused("InvalidParty")
        paper.holder = to

    def reject(self, id_: Hash32, by: str) -> None:
        last = self.papers[id_].revision
        paper = self._begin("reject", id_, by)
        if paper.former is None or paper.former[0] != last:
            raise Refused("NothingToReject")
        _, paper.holder, paper.endorsers = paper.former

    def recourse(self, id_: Hash32, by: str) -> None:
        paper = self._begin("recourse", id_, by)
        guarantor = paper.guarantor
        if guarantor is None:
            raise Refused("NobodyStandsBehind")
        paper.retrace(guarantor)
        paper.holder, paper.undertaken = guarantor, False

    def split(self, id_: Hash32, by: str, amounts: Sequence[int]) -> None:
        is_order = self.papers[id_].state == "confirmed"
        paper = self._begin("split", id_, by)
        if is_order and paper.invoice is not None:
            raise Refused("InvoiceUnchanged")
        if 0 in amounts:
            raise Refused("InvalidAmount")
        if sum(amounts) != paper.outstanding:
            raise Refused("PartsDiffer")
        for number, amount in enumerate(amounts, 1):
            part = copy.deepcopy(paper)
            part.state, part.revision = "confirmed" if is_order else "accepted", 1
            part.origin, part.part, part.keys, part.offer, part.former = id_, number, [], None, None
            part.amount = part.outstanding = amount
            part.paid, part.issued, part.undertaken = 0, self.now, False
            self.papers[part_id(id_, number)] = part
        paper.outstanding = 0

    # ---- money -----------------------------------------------------------------------------------

    def present(self, id_: Hash32, by: str) -> None:
        paper = self._begin("present", id_, by)
        if self.now < paper.due:
            raise Refused("TooEarly")
        paper.presented = self.now

    def discharge(self, id_: Hash32, by: str, payer: str, amount: int) -> None:
        whole = amount == self.papers[id_].outstanding
        paper = self._begin("discharge" if whole else "discharge-part", id_, by)
        if payer != paper.draft.debtor:
            raise Refused("NotDebtor")
        self._receive(paper, amount)

    def confirm_payment(self, id_: Hash32, by: str, amount: int) -> None:
        whole = amount == self.papers[id_].outstanding
        paper = self._begin("confirm-payment" if whole else "confirm-part", id_, by)
        self._receive(paper, amount)

    @staticmethod
    def _receive(paper: Paper, amount: int) -> None:
        if not 0 < amount <= paper.outstanding:
            raise Refused("InvalidAmount")
        paper.outstanding -= amount
        paper.paid += amount

    def declare_default(self, id_: Hash32, by: str) -> None:
        paper = self._begin("declare-default", id_, by)
        if self.now <= paper.due + paper.draft.grace_seconds:
            raise Refused("TooEarly")
        if paper.draft.kind.is_bill and not paper.presented:
            raise Refused("NotPresented")

    # ---- disputes --------------------------------------------------------------------------------

    def dispute(self, id_: Hash32, by: str) -> None:
        paper = self._begin("dispute", id_, by)
        if not paper.disputable:
            raise Refused("Unconditional")
        if paper.due <= self.now:
            raise Refused("PastDue")

    def withdraw_dispute(self, id_: Hash32, by: str) -> None:
        self._begin("withdraw-dispute", id_, by)

    def concede(self, id_: Hash32, by: str, outstanding: int) -> None:
        paper = self._begin("concede", id_, by)
        if not 0 < outstanding < paper.outstanding:
            raise Refused("InvalidAmount")
        paper.outstanding = outstanding

    def uphold(self, id_: Hash32, by: str, outstanding: int) -> None:
        paper = self._begin("uphold", id_, by)
        if not 0 < outstanding <= paper.outstanding:
            raise Refused("InvalidAmount")
        paper.outstanding = outstanding

    def annul(self, id_: Hash32, by: str) -> None:
        self._begin("annul", id_, by).outstanding = 0

    # ---- what all instruments have ---------------------------------------------------------------

    def freeze(self, id_: Hash32, by: str) -> None:
        paper = self._begin("freeze", id_, by)
        if by in paper.frozen:
            raise Refused("FreezeUnchanged")
        paper.frozen.add(by)

    def unfreeze(self, id_: Hash32, by: str) -> None:
        paper = self._begin("unfreeze", id_, by)
        if by not in paper.frozen:
            raise Refused("FreezeUnchanged")
        paper.frozen.remove(by)

    def award(self, id_: Hash32, by: str, to: str) -> None:
        paper = self._begin("award", id_, by)
        if by not in paper.frozen:
            raise Refused("FreezeUnchanged")
        self._hand_over(paper, to)
        paper.retrace(to)
        paper.undertaken = False

    def lock(self, id_: Hash32, by: str) -> None:
        self._begin("lock", id_, by).locked = True

    def unlock(self, id_: Hash32, by: str) -> None:
        paper = self._begin("unlock", id_, by)
        if not paper.locked:
            raise Refused("NotLocked")
        paper.locked = False

    def settle(self, id_: Hash32, by: str, to: str) -> None:
        paper = self._begin("settle", id_, by)
        former, paper.locked = paper.holder, False
        self._hand_over(paper, to)
        paper.pass_on(former, to, recourse=paper.undertaken)
        paper.undertaken, paper.financed = False, True

    def encumber(self, id_: Hash32, bank: str) -> bool:
        """Whether the holder can pledge it now; then it is."""
        paper = self.papers[id_]
        try:
            self._check(MACHINE.act("encumber"), paper, {"pledges"})
        except Refused:
            return False
        paper.pledgee, paper.financed = bank, True
        paper.revision += 1
        return True

    def free(self, id_: Hash32) -> None:
        paper = self.papers[id_]
        paper.pledgee = None
        paper.keep_rejectable()
        paper.revision += 1
