"""What of events and notices is told to whom: one table for answers, transactions, feed and log.

Who is a party to a record is told of its acts. Two things stand between that and the event's own
words: what the key may read (a room at a time), and members of a record that concern fewer than its
parties do (`EVENTS`, `KINDS`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from api.principals import Principal
from contracts.financing import Mode
from contracts.instruments import Viewer
from contracts.notices import NoticeFilter, StoredNotice

INSTRUMENTS: Final = {
    "claims": ("claims", "Claims"),
    "stock": ("stock", "Stock"),
    "pledges": ("pledges", "Pledges"),
    "receipts": ("receipts", "Receipts"),
    "receivables": ("receivables", "Receivables"),
    "deposits": ("settlement", "Deposits"),
    "settlement": ("settlement", "Settlement"),
    "applications": ("financing", "Applications"),
    "financing": ("financing", "Financing"),
    "pricing": ("financing", "Pricing"),
    "pools": ("pools", "Pools"),
    "pool-book": ("pools", "PoolBook"),
}
"""Contracts of finance by their names in the Directory: rooms of `contracts`, and the compiled
contracts in them."""
OPEN: Final = frozenset(
    {"consortium", "directory", "governance", "network", "parameters", "provenance"}
)
"""Contracts whose events are for everybody."""
ROOM_OF_KIND: Final = {
    "receipt": "receipts",
    "stock": "stock",
    "pledge": "pledges",
    "receivable": "receivables",
    "deposit": "settlement",
    "interbank": "settlement",
    "deal": "settlement",
    "application": "financing",
    "offer": "financing",
    "loan": "financing",
    "points": "financing",
    "pool": "pools",
    "pool-holding": "pools",
    "pool-fee": "pools",
}
"""Rooms whose scopes count for a notice, by what its kind begins with."""

_ROOMS: Final = frozenset(ROOM_OF_KIND.values())


def room_of(contract: str) -> str | None:
    """The room whose scopes count for a contract; None for what is none of finance."""
    found = INSTRUMENTS.get(contract)
    if found is None:
        return None
    return "stock" if found[0] == "claims" else found[0]


def rooms_of(contract: str) -> frozenset[str]:
    """Rooms of which one may be read by who is told a contract's events; none for what is none of
    finance. What Claims tells is of receipts and receivables as well."""
    room = room_of(contract)
    if room is None:
        return frozenset()
    return frozenset((room, "receipts", "receivables") if contract == "claims" else (room,))


# ---- what concerns fewer than a record's parties ------------------------------------------------


@dataclass(frozen=True, slots=True)
class Veil:
    """Members that only some are shown."""

    record: str
    """The member of the event, or of the notice's body, that holds them."""
    of: tuple[str, ...]
    """Members that name who is shown them."""
    members: tuple[str, ...] = ()
    """What is hidden of the record; none: all of it."""
    beside: bool = False
    """`of` are the event's own members, not the record's."""
    lifted: Callable[[Mapping[str, Any]], bool] = lambda _: False
    """Whether nothing of such a record is hidden."""
    absent: bool = False
    """The event itself does not have the members: nobody is told what stands in their place."""

    def hides(self, values: Mapping[str, Any], viewer: Viewer) -> bool:
        """Whether something of the event or notice is for others alone."""
        record = values.get(self.record)
        if viewer.sees_all or not isinstance(record, Mapping) or self.lifted(record):
            return False
        naming = values if self.beside else record
        return viewer.organisation not in [naming.get(one) for one in self.of]

    def over(self, values: Mapping[str, Any], viewer: Viewer) -> Mapping[str, Any]:
        """The same values where he is shown all, or others without what is hidden."""
        record = values.get(self.record)
        if not isinstance(record, Mapping) or self.lifted(record):
            return values
        if not self.absent and not self.hides(values, viewer):
            return values
        if not self.members:
            return {name: value for name, value in values.items() if name != self.record}
        kept = {name: value for name, value in record.items() if name not in self.members}
        return {**values, self.record: kept}


def is_open(application: Mapping[str, Any]) -> bool:
    """Whether there is nothing to hide in an application (as an event or a notice has it): a bank
    was accepted, or no quotes are sealed."""
    sealed = application["request"]["mode"] in (Mode.MARKET.value, Mode.MARKET.name.lower())
    return bool(application["bank"]) or not sealed


SEALED: Final = ("best", "quotes", "open")
EVENTS: Final = {
    "ApplicationActed": Veil("application", ("borrower",), SEALED, lifted=is_open, absent=True),
    "OfferChanged": Veil("offer", ("borrower", "bank"), beside=True),
    "AccountChanged": Veil("content", ("bank", "owner")),
    "PositionChanged": Veil("content", ("creditor", "debtor"), beside=True),
}
"""By event. How many have quoted under seal, and who is ahead, no event says (`/loans/{id}` tells
the borrower); what an account holds is for the bank and its owner; what one bank owes another, for
the two."""
KINDS: Final = {
    "application": Veil("record", ("borrower",), SEALED, lifted=is_open, absent=True),
    "deposit": Veil("record", ("bank", "owner")),
}
"""The same by what a notice's kind begins with."""


def unveiled(notice: StoredNotice, viewer: Viewer) -> StoredNotice:
    """The notice as it is told to him: this very one where nothing is hidden."""
    veil = KINDS.get(notice.kind.partition(".")[0])
    body = notice.body if veil is None else veil.over(notice.body, viewer)
    return notice if body is notice.body else replace(notice, body=body)


# ---- what a key may read ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody is told of transactions."""

    viewer: Viewer
    rooms: frozenset[str]
    """Whose events he is told."""

    @classmethod
    def of(cls, principal: Principal) -> Sight:
        """Who reads: by the rooms' `:read` scopes."""
        return cls(principal.viewer, readable(principal))

    @classmethod
    def acting(cls, principal: Principal) -> Sight:
        """Who is answered what he has just done: also of rooms that the key may write."""
        written = {room for room in _ROOMS if principal.may(f"{room}:write")}
        return cls(principal.viewer, readable(principal) | written)

    def tells(self, contract: str) -> bool:
        """Whether events of a contract (by name) are told at all."""
        rooms = rooms_of(contract)
        return not rooms or not rooms.isdisjoint(self.rooms)

    def values(self, event: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is told of an event: these very values where nothing is hidden."""
        veil = EVENTS.get(event)
        return values if veil is None else veil.over(values, self.viewer)

    def hides(self, event: str, values: Mapping[str, Any]) -> bool:
        """Whether something of an event is for others alone."""
        veil = EVENTS.get(event)
        return veil is not None and veil.hides(values, self.viewer)


def readable(principal: Principal) -> frozenset[str]:
    """Rooms that a key may read."""
    return frozenset(room for room in _ROOMS if principal.may(f"{room}:read"))


def readable_kinds(principal: Principal) -> tuple[str, ...] | None:
    """What kinds of notices that a key may read begin with; None: all."""
    rooms = readable(principal)
    if rooms == _ROOMS:
        return None
    return tuple(sorted(kind for kind, room in ROOM_OF_KIND.items() if room in rooms))


def narrowed(wanted: NoticeFilter, principal: Principal) -> NoticeFilter:
    """The filter, of kinds that the key may read alone."""
    return replace(wanted, families=readable_kinds(principal))
