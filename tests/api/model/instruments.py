"""Instruments of the model: control, freezing, pledging; lots, and receipts for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.api.model.tables import COURT, IN_STORE, RECEIPT, Act

Refusals = frozenset[str]
"""Any of these may be the answer; none: it happens."""
ACCEPTED: Refusals = frozenset()


@dataclass
class Call:
    """An act as it is asked for."""

    act: str
    who: str
    body: Mapping[str, Any] = field(default_factory=dict)
    revision: int = 0
    """As If-Match tells it; 0: whichever."""


@dataclass
class Line:
    """An act as the history is to tell it."""

    act: str
    by: str
    revision: int
    after: dict[str, Any] = field(default_factory=dict)
    """The record as the act left it."""

    def shown(self) -> dict[str, Any]:
        return {"act": self.act, "by": self.by, "revision": self.revision, **self.after}


@dataclass(eq=False)
class Instrument:
    """What both have."""

    id: str
    state: str
    holder: str
    revision: int = 1
    pledgee: str | None = None
    frozen: bool = False
    locked: bool = False
    permit: tuple[str, Mapping[str, Any], int] | None = None
    """Act, body and revision that the pledgee has allowed."""
    origin: Instrument | None = None
    part: int = 0
    """Which part of its origin it is, from 1."""
    parties: set[str] = field(default_factory=set)
    """Who is or was one."""
    acts: list[Line] = field(default_factory=list)
    """Whatever was done with it, in order."""

    def table(self) -> Mapping[str, Act]:
        raise NotImplementedError

    def roles(self, who: str) -> set[str]:
        """What an organisation is to this instrument."""
        found = {"anybody"}
        if who == self.holder:
            found.add("holder")
        if who == self.pledgee:
            found.add("pledgee")
        if who == COURT:
            found.add("authority")
        return found

    def disposes(self, who: str) -> bool:
        """Whether it may pledge or sell alone."""
        return who == self.holder

    def barred(self, call: Call, roles: Iterable[str] | None = None) -> str | None:
        """Why the act is not possible, by the order of docs/finance.md; None: it is."""
        act = self.table()[call.act]
        held = self.roles(call.who) if roles is None else set(roles)
        if not held & set(act.by):
            return "NotEntitled"
        if call.revision not in (0, self.revision):
            return "StaleRevision"
        if self.state not in act.states:
            return "WrongState"
        if self.frozen and not act.frozen:
            return "InstrumentFrozen"
        if self.locked and not act.locked:
            return "InstrumentLocked"
        if self.pledgee and act.pledged != "free":
            permitted = (call.act, dict(call.body), call.revision) == self.permit
            if act.pledged == "no" or not permitted:
                return "InstrumentPledged"
        return None

    def done(self, act: str, by: str) -> None:
        """The act has happened: its state, one revision more, the permit is used up."""
        self.history()
        self.state = self.table()[act].to or self.state
        self.revision += 1
        self.permit = None
        self.acts.append(Line(act, by, self.revision))

    def begun(self, act: str, by: str) -> None:
        """The act that made it."""
        self.acts = [Line(act, by, 1)]

    def history(self) -> list[dict[str, Any]]:
        """Its acts, as every party is told them: between two acts nothing changes."""
        self.acts[-1].after = self.left()
        return [one.shown() for one in self.acts]

    def left(self) -> dict[str, Any]:
        """What a line of the history says of the record."""
        raise NotImplementedError

    def by_contract(self, act: str, contract: str, revision: int = 0) -> str | None:
        """Why another contract may not do this to it now."""
        return self.barred(Call(act, "", {}, revision), {contract})

    def hand_over(self, to: str) -> None:
        """Full control goes to somebody."""
        raise NotImplementedError

    def close(self) -> None:
        """Nothing stands open between its parties any more."""

    def promised(self) -> None:
        """It was promised in a deal, which is an act of its holder."""

    def see(self) -> None:
        """Note who is a party now."""
        raise NotImplementedError

    def shown(self) -> dict[str, Any]:
        """What every party is told of it."""
        raise NotImplementedError

    def control(self, call: Call) -> Refusals | None:
        """Acts that both have; None where it is none of them."""
        if call.act not in ("freeze", "unfreeze", "award", "permit"):
            return None
        bar, wrong = self.barred(call), set()
        if call.act != "permit" and self.frozen != (call.act != "freeze"):
            wrong.add("FreezeUnchanged")
        if bar or wrong:
            return frozenset({bar} if bar else wrong)
        self.done(call.act, call.who)
        if call.act == "permit":
            body = call.body
            self.permit = (body["act"], dict(body["arguments"]), self.revision)
        elif call.act == "award":
            self.hand_over(call.body["to"])
        else:
            self.frozen = call.act == "freeze"
        self.see()
        return ACCEPTED


@dataclass(eq=False)
class Lot:
    """Goods that receipts stand for."""

    key: str
    keeper: str
    counted: int = 0
    sequence: int = 0
    since: int = 0
    """Unix seconds; counts of before it come too late."""
    receipts: list[Receipt] = field(default_factory=list)

    @property
    def live(self) -> int:
        return sum(one.quantity for one in self.receipts if one.state in IN_STORE)

    @property
    def short(self) -> bool:
        return self.live > self.counted

    @property
    def parties(self) -> set[str]:
        """Who has or had a receipt for it, or keeps it."""
        return {self.keeper}.union(*(one.parties for one in self.receipts))

    def shown(self) -> dict[str, Any]:
        return {
            "warehouse": self.keeper,
            "counted": str(self.counted),
            "live": str(self.live),
            "free": str(max(0, self.counted - self.live)),
            "missing": str(max(0, self.live - self.counted)),
            "short": self.short,
        }

    def give(self, quantity: int) -> None:
        """Handed out."""
        self.counted = max(0, self.counted - quantity)


@dataclass(eq=False, kw_only=True)
class Receipt(Instrument):
    """A warehouse receipt."""

    lot: Lot
    warehouse: str
    owner: str
    quantity: int
    goods: str = "wheat"
    nominee: str | None = None
    requested: int = 0
    purpose: str = "none"
    before: tuple[str, str, str] | None = None
    """What the very next act may reject, and owner and holder before."""

    def table(self) -> Mapping[str, Act]:
        return RECEIPT

    def roles(self, who: str) -> set[str]:
        found = super().roles(who)
        if who == self.warehouse:
            found.add("warehouse")
        if who == self.owner:
            found.add("owner")
        if who == self.owner == self.holder:
            found.add("sole")
        return found

    def disposes(self, who: str) -> bool:
        return who == self.holder == self.owner

    def hand_over(self, to: str) -> None:
        self.close()
        self.holder = self.owner = to
        if self.state == "surrendered":  # nobody else's surrender is acted upon
            self.state, self.purpose = "live", "none"

    def promised(self) -> None:
        self.before = None

    def close(self) -> None:
        self.before, self.nominee, self.requested = None, None, 0

    def see(self) -> None:
        now = {self.warehouse, self.holder, self.owner, self.nominee, self.pledgee}
        self.parties |= {one for one in now if one}

    def shown(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "warehouse": self.warehouse,
            "lot": self.lot.key,
            "holder": self.holder,
            "owner": self.owner,
            "nominee": self.nominee,
            "pledgee": self.pledgee,
            "quantity": str(self.quantity),
            "requested": str(self.requested),
            "purpose": self.purpose,
            "revision": self.revision,
            "part": self.part,
            "freezes": int(self.frozen),
            "locked": self.locked,
            "origin": self.origin.id if self.origin else None,
            "rejectable": self.before[0] if self.before else "nothing",
        }

    def left(self) -> dict[str, Any]:
        names = ("state", "holder", "owner", "pledgee", "quantity")
        return {name: self.shown()[name] for name in names}

    # ---- its own acts ---------------------------------------------------------------------------

    def judge(self, call: Call) -> Refusals:
        """What comes of an act; what is possible has happened."""
        if (said := self.control(call)) is not None:
            return said
        bar, wrong = self.barred(call), self.wrong(call)
        if bar:
            return frozenset({bar, *wrong})
        if wrong:
            return frozenset(wrong)
        before = self.before
        self.done(call.act, call.who)
        self.before = None
        getattr(self, "_" + call.act.replace("-", "_"))(call.body, before)
        self.see()
        return ACCEPTED

    def wrong(self, call: Call) -> set[str]:
        """What is wrong with the act itself."""
        body, act = call.body, call.act
        wrong = {"Unchanged"} if self._same(act, body) else set()
        if act in ("endorse", "transfer-both") and self.holder != self.owner:
            return wrong | (set() if body["owner"] == self.nominee else {"NotNominated"})
        if wrong:
            return wrong
        if act.startswith("reject-"):
            what = act.removeprefix("reject-")
            fits = self.before is not None and self.before[0] == what
            return set() if fits else {"NothingToReject"}
        if act in ("shred", "cancel"):
            purpose = {"shred": "delivery", "cancel": "correction"}[act]
            return set() if self.purpose == purpose else {"WrongPurpose"}
        if act == "split":
            parts = body["quantities"]
            wrong = {"InvalidQuantity"} if 0 in parts else set()
            return wrong | ({"PartsDiffer"} if sum(parts) != self.quantity else set())
        if act == "request-delivery":
            return {"InvalidQuantity"} if body["quantity"] >= self.quantity else set()
        if act == "deliver":
            return set() if self.requested else {"NotRequested"}
        return {"NotExpired"} if act == "expire" else set()

    def _same(self, act: str, body: Mapping[str, Any]) -> bool:
        """Whether nothing would change."""
        now: dict[str, object] = {
            "endorse": {"owner": self.owner},
            "transfer-holding": {"holder": self.holder},
            "request-delivery": {"quantity": self.requested},
        }
        if act == "nominate":
            return body["nominee"] in (self.nominee, self.owner)
        if act == "transfer-both":
            return body["owner"] == self.owner or body["holder"] == self.holder
        return act in now and now[act] == dict(body)

    def _nominate(self, body: Mapping[str, Any], _: object) -> None:
        self.nominee = body["nominee"]

    def _remember(self, what: str) -> None:
        """What was given can be given back; what the giver had asked for is over."""
        self.before, self.requested = (what, self.owner, self.holder), 0

    def _endorse(self, body: Mapping[str, Any], _: object) -> None:
        self._remember("ownership")
        self.owner, self.nominee = body["owner"], None

    def _transfer_holding(self, body: Mapping[str, Any], _: object) -> None:
        self._remember("holding")
        self.holder = body["holder"]

    def _transfer_both(self, body: Mapping[str, Any], _: object) -> None:
        self._remember("both")
        self.owner, self.holder, self.nominee = body["owner"], body["holder"], None

    def _give_back(self, _: Mapping[str, Any], before: tuple[str, str, str]) -> None:
        _, self.owner, self.holder = before

    _reject_ownership = _reject_holding = _reject_both = _give_back

    def _surrender(self, body: Mapping[str, Any], _: object) -> None:
        self.purpose, self.requested, self.nominee = body["purpose"], 0, None

    def _recall(self, _: Mapping[str, Any], __: object) -> None:
        self.purpose = "none"

    _restore = _recall

    def _shred(self, _: Mapping[str, Any], __: object) -> None:
        self.lot.give(self.quantity)

    def _cancel(self, _: Mapping[str, Any], __: object) -> None:
        pass

    def _request_delivery(self, body: Mapping[str, Any], _: object) -> None:
        self.requested = body["quantity"]

    def _deliver(self, _: Mapping[str, Any], __: object) -> None:
        self.lot.give(self.requested)
        self.quantity, self.requested = self.quantity - self.requested, 0

    def _split(self, body: Mapping[str, Any], _: object) -> None:
        self.close()
        for number, quantity in enumerate(body["quantities"], 1):
            part = replace(
                self,
                id="",
                state="live",
                revision=1,
                quantity=quantity,
                part=number,
                origin=self,
                parties=set(),
            )
            part.begun("arise", self.acts[-1].by)
            part.see()
            self.lot.receipts.append(part)
