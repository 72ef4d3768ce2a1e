"""Receivables of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from tests.api.model.instruments import ACCEPTED, Call, Instrument, Refusals
from tests.api.model.tables import RECEIVABLE, Act

PART: Final = {"confirm-payment": "confirm-part", "discharge": "discharge-part"}
"""What payments are told as that leave something outstanding."""
OTHERS: Final = frozenset({"freeze", "unfreeze", "permit", "disencumber"})
"""Acts of nobody who has it: they take no right to reject."""


@dataclass(eq=False, kw_only=True)
class Receivable(Instrument):
    """An invoice."""

    issuer: str
    debtor: str
    amount: int
    outstanding: int
    key: str
    paid: int = 0
    disputable: bool = False
    undertaken: bool = False
    rejectable: bool = False
    endorsers: tuple[tuple[str, bool], ...] = ()
    before: tuple[str, tuple[tuple[str, bool], ...]] = ("", ())
    """Holder and endorsers before the last endorsement."""
    parts: list[Receivable] = field(default_factory=list)
    taken: bool = False
    """Whether its invoice was accepted as another one's."""

    def table(self) -> Mapping[str, Act]:
        return RECEIVABLE

    def roles(self, who: str) -> set[str]:
        found = super().roles(who)
        if who == self.issuer:
            found |= {"issuer", "creditor"}
        if who == self.debtor:
            found.add("debtor")
        return found

    def done(self, act: str, by: str) -> None:
        """An endorsement is rejected before any other act of the parties, or not at all."""
        super().done(act, by)
        self.rejectable = self.rejectable and act in OTHERS

    @property
    def claims(self) -> bool:
        """Whether its invoice is taken: once it is accepted, and for ever."""
        return self.state not in ("proposed", "refused", "cancelled")

    def hand_over(self, to: str) -> None:
        """Who stands behind it and gets it back is where he was."""
        places = [n for n, (name, recourse) in enumerate(self.endorsers) if recourse and name == to]
        if places:
            self.endorsers = self.endorsers[: places[-1]]
        else:
            self.endorsers += ((self.holder, self.undertaken),)
        self.holder, self.undertaken = to, False

    def see(self) -> None:
        now = {self.issuer, self.debtor, self.holder, self.pledgee}
        self.parties |= {one for one in now if one}

    def shown(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "issuer": self.issuer,
            "debtor": self.debtor,
            "holder": self.holder,
            "pledgee": self.pledgee,
            "amount": str(self.amount),
            "outstanding": str(self.outstanding),
            "paid": str(self.paid),
            "revision": self.revision,
            "part": self.part,
            "freezes": int(self.frozen),
            "locked": self.locked,
            "disputable": self.disputable,
            "undertaken": self.undertaken,
            "rejectable": self.rejectable,
            "endorsements": len(self.endorsers),
            "origin": self.origin.id if self.origin else None,
        }

    def left(self) -> dict[str, Any]:
        names = ("state", "holder", "pledgee", "outstanding", "paid")
        return {name: self.shown()[name] for name in names}

    def judge(self, call: Call) -> Refusals:
        """What comes of an act; what is possible has happened."""
        if (said := self.control(call)) is not None:
            return said
        bar, wrong = self.barred(call), self.wrong(call)
        if bar:
            return frozenset({bar, *wrong})
        if wrong:
            return frozenset(wrong)
        self.done(call.act, call.who)
        getattr(self, "_" + call.act.replace("-", "_"))(call.body)
        self.see()
        return ACCEPTED

    def wrong(self, call: Call) -> set[str]:
        body, act = call.body, call.act
        if act == "endorse":
            if body["to"] == call.who:
                return {"Unchanged"}
            return {"InvalidParty"} if body["to"] == self.debtor else set()
        if act == "accept":
            return {"AlreadyClaimed"} if self.taken else set()
        if act == "reject":
            return set() if self.rejectable else {"NothingToReject"}
        if act == "split":
            parts = body["amounts"]
            wrong = {"InvalidAmount"} if 0 in parts else set()
            return wrong | ({"PartsDiffer"} if sum(parts) != self.outstanding else set())
        if act == "confirm-payment":
            return set() if 0 < body["amount"] <= self.outstanding else {"InvalidAmount"}
        if act == "concede":
            return set() if 0 < body["outstanding"] < self.outstanding else {"InvalidAmount"}
        if act == "dispute":
            return set() if self.disputable else {"Unconditional"}
        if act == "undertake":
            return {"Unchanged"} if body["recourse"] == self.undertaken else set()
        return {"TooEarly"} if act in ("present", "declare-default") else set()

    def _accept(self, body: Mapping[str, Any]) -> None:
        self.disputable = body["disputable"]

    def _nothing(self, _: Mapping[str, Any]) -> None:
        pass

    _dispute = _withdraw_dispute = _nothing

    def _refuse(self, _: Mapping[str, Any]) -> None:
        self.outstanding = 0

    _cancel = _refuse

    def _undertake(self, body: Mapping[str, Any]) -> None:
        self.undertaken = body["recourse"]

    def _endorse(self, body: Mapping[str, Any]) -> None:
        self.before = (self.holder, self.endorsers)
        self.undertaken = body["recourse"]
        self.hand_over(body["to"])
        self.rejectable = True

    def _reject(self, _: Mapping[str, Any]) -> None:
        self.holder, self.endorsers = self.before
        self.undertaken = False

    def _concede(self, body: Mapping[str, Any]) -> None:
        self.outstanding = body["outstanding"]

    def _confirm_payment(self, body: Mapping[str, Any]) -> None:
        self.pay(body["amount"])

    def pay(self, amount: int) -> None:
        """So much of it was paid."""
        self.paid, self.outstanding = self.paid + amount, self.outstanding - amount
        if not self.outstanding:
            self.state = "paid"
        else:
            self.acts[-1].act = PART[self.acts[-1].act]

    def _split(self, body: Mapping[str, Any]) -> None:
        self.outstanding = 0
        for number, amount in enumerate(body["amounts"], 1):
            part = replace(
                self,
                id="",
                state="accepted",
                revision=1,
                amount=amount,
                outstanding=amount,
                paid=0,
                part=number,
                origin=self,
                undertaken=False,
                parties=set(),
                parts=[],
            )
            part.begun("arise", self.acts[-1].by)
            part.see()
            self.parts.append(part)
