"""A receivable in every state: held, pledged, locked, frozen, passed on."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from contracts.consortium import organisation_id_word
from contracts.genesis import RECEIVABLES_ADDRESS
from contracts.pledges import Terms, accept_calldata, pledge_key, propose_calldata
from contracts.receivables import (
    RECEIVABLES_ARTIFACT,
    Receivable,
    agree_cancel_calldata,
    annul_calldata,
    cancel_calldata,
    declare_default_calldata,
    discharge_calldata,
    dispute_calldata,
    endorse_calldata,
    freeze_calldata,
    invoice_calldata,
    lapse_calldata,
    offer_cancel_calldata,
    present_calldata,
    refuse_calldata,
    split_calldata,
    undertake_calldata,
)
from contracts.receivables import accept_calldata as debtor_accepts
from ledger.types import Hash32
from tests.contracts import scene
from tests.contracts.receivables.world import (
    DAY,
    DECISION,
    DOCUMENT,
    MEMBERS,
    World,
    bill,
    hash_of,
    invoice,
    order,
)

AUTHORITIES: Final = ("court", "regulator")
LOCKED_BEFORE: Final = ("disputed", "annulled", "paid", "lapsed")
"""States that only others bring about while it is locked."""
BURDENS: Final = ("free", "pledged", "locked", "frozen")


call_of = partial(scene.call_of, RECEIVABLES_ARTIFACT)


def lock_calldata(id_: Hash32, by: str) -> bytes:
    return call_of("lock", id_, 0, organisation_id_word(by))


def settle_calldata(id_: Hash32, by: str, to: str) -> bytes:
    return call_of("settle", id_, 0, organisation_id_word(by), organisation_id_word(to))


@dataclass(frozen=True)
class Specimen:
    """One receivable and what is known of it."""

    id: Hash32
    state: str
    burden: str
    flavour: str
    """Plain; passed (to tier two, with recourse); drawn (a bill); offered; endorsed; invoiced."""

    def __str__(self) -> str:
        return f"{self.state} {self.burden} {self.flavour}"


def roles_of(record: Receivable | None, organisation: str) -> set[str]:
    """Which parties of the table an organisation is."""
    roles = {"anybody"}
    if MEMBERS[organisation].word in ("regulator", "arbitrator"):
        roles.add("authority")
    if record is None:
        return roles
    named = {
        "holder": record.holder,
        "pledgee": record.pledgee,
        "issuer": record.issuer,
        "creditor": record.creditor,
        "debtor": record.debtor,
        "attestor": record.attestor,
    }
    roles |= {role for role, who in named.items() if who == organisation}
    if {"holder", "creditor"} <= roles:
        roles.add("seller")
    return roles


@contextmanager
def undone(world: World) -> Iterator[None]:
    """Whatever is done within has not happened afterwards."""
    state, number = copy.deepcopy(world.chain.state), world.chain.number
    try:
        yield
    finally:
        world.chain.state, world.chain.number = state, number


class Maker:
    """Makes specimens on one chain."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.count = 0

    def make(self, state: str, burden: str = "free", flavour: str = "plain") -> Specimen | None:
        """None where there is no such thing."""
        self.count += 1
        if state == "none":
            made = burden == "free" and flavour == "plain"
            return Specimen(hash_of("nothing"), state, burden, flavour) if made else None
        if not _possible(state, burden, flavour):
            return None
        id_ = self._begun(state, flavour)
        if state not in ("proposed", "refused") and (state, flavour) != ("cancelled", "drawn"):
            self.world.act("maker", debtor_accepts(id_, 0, disputable=flavour != "drawn"))
            self._before(id_, state, burden, flavour)
            self._move(id_, state)
            self._after(id_, state, burden, flavour)
        else:
            self._answer(id_, state)
        if burden == "frozen":
            for authority in AUTHORITIES:
                self.world.act(authority, freeze_calldata(id_, 0, DECISION))
        return Specimen(id_, state, burden, flavour)

    def _begun(self, state: str, flavour: str) -> Hash32:
        number = f"N-{self.count}"
        if flavour == "drawn":
            return self.world.create(bill(self.world, number), by="tier-three")
        if state in ("confirmed", "lapsed"):
            return self.world.create(order(self.world, number))
        return self.world.create(invoice(self.world, number))

    def _answer(self, id_: Hash32, state: str) -> None:
        if state == "refused":
            self.world.act("maker", refuse_calldata(id_, 0))
        elif state == "cancelled":
            self.world.act("tier-three", cancel_calldata(id_, 0))

    def _before(self, id_: Hash32, state: str, burden: str, flavour: str) -> None:
        """While it has just been accepted."""
        if flavour == "passed" and state in ("confirmed", "lapsed"):
            self.world.act("supplier", undertake_calldata(id_, 0, recourse=True))
            self.world.act("settlement", settle_calldata(id_, "supplier", "tier-two"))
        elif flavour == "passed":
            self.world.act("supplier", endorse_calldata(id_, 0, "tier-two", recourse=True))
        if burden == "pledged":
            self._pledge(id_)
        if burden == "locked" and state in LOCKED_BEFORE:
            self._lock(id_)

    def _lock(self, id_: Hash32) -> None:
        self.world.act("settlement", lock_calldata(id_, self.world.get(id_).holder))

    def _pledge(self, id_: Hash32) -> None:
        record = self.world.get(id_)
        terms = Terms(1, "CNY", self.world.now + DAY, 0, DOCUMENT)
        draft = (RECEIVABLES_ADDRESS, id_, record.revision)
        self.world.pledges(record.holder, propose_calldata(*draft, "bank", terms))
        key = pledge_key(*draft, record.holder, "bank", terms)
        self.world.pledges("bank", accept_calldata(key))

    def _move(self, id_: Hash32, state: str) -> None:
        world, record = self.world, self.world.get(id_)
        holder = record.holder
        if state in ("disputed", "annulled"):
            world.act("maker", dispute_calldata(id_, 0, DOCUMENT, "mouldy"))
        if state == "annulled":
            world.act("court", annul_calldata(id_, 0, DECISION))
        if state in ("presented", "defaulted"):
            with self._later(record.due + record.grace_seconds + 1):
                world.act(holder, present_calldata(id_, 0))
                if state == "defaulted":
                    world.act(holder, declare_default_calldata(id_, 0))
        if state == "paid":
            world.act("settlement", discharge_calldata(id_, 0, "maker", record.outstanding))
        if state == "split":
            world.act(holder, split_calldata(id_, 0, [1, record.outstanding - 1]))
        if state == "cancelled":
            world.act("maker", offer_cancel_calldata(id_, 0))
            world.act("supplier", agree_cancel_calldata(id_, 0))
        if state == "lapsed":
            with self._later(record.deliver_by + 1):
                world.act(record.pledgee or holder, lapse_calldata(id_, 0))

    def _after(self, id_: Hash32, state: str, burden: str, flavour: str) -> None:
        if flavour == "invoiced":
            call = invoice_calldata(id_, 0, [hash_of(f"invoice {self.count}")], DOCUMENT)
            self.world.act("supplier", call)
        if burden == "locked" and state not in LOCKED_BEFORE:
            self._lock(id_)
        if flavour == "offered":
            self.world.act("maker", offer_cancel_calldata(id_, 0))
        if flavour == "endorsed":
            self.world.act("supplier", endorse_calldata(id_, 0, "tier-two", recourse=True))

    @contextmanager
    def _later(self, time: int) -> Iterator[None]:
        """Blocks of another time; then back, so that others are not due."""
        number = self.world.chain.number
        self.world.wait_until(time)
        try:
            yield
        finally:
            self.world.chain.number = number


def _possible(state: str, burden: str, flavour: str) -> bool:
    early, ended = ("proposed", "refused"), ("refused", "cancelled", "split")
    burdens = {
        "pledged": state not in (*early, *ended),
        "locked": state in ("confirmed", "accepted", "presented", "defaulted", *LOCKED_BEFORE),
        "frozen": state
        in ("proposed", "confirmed", "accepted", "disputed", "presented", "defaulted"),
        "free": True,
    }
    flavours = {
        "plain": True,
        "passed": state not in (*early, "cancelled")
        and (state, burden) != ("accepted", "free"),  # that is: endorsed
        "drawn": state in ("proposed", "cancelled"),
        "offered": state in ("confirmed", "accepted", "disputed") and burden == "free",
        "endorsed": state == "accepted" and burden == "free",
        "invoiced": state == "confirmed",
    }
    return burdens[burden] and flavours[flavour]
