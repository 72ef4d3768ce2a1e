"""Who acts over HTTP: an organisation with its role on the ledger, and what its key may do.

A scope is `<room>:read` or `<room>:write` (`<room>:*` for both), or one of `SINGLE_SCOPES`. What a
key was given is a bound; what the organisation may do at all, the contracts decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from api.errors import Forbidden, KeyRefused
from contracts.consortium import Role
from contracts.instruments.viewer import Viewer

ROOMS: Final = (
    "receipts",
    "stock",
    "pledges",
    "receivables",
    "settlement",
    "financing",
    "pools",
    "notices",
)
"""Rooms with scopes of their own: the contracts of finance by their names, and notices
(read: the feed; write: webhooks)."""
MODES: Final = ("read", "write")
CAPTURE: Final = "capture"
SUPERVISE: Final = "supervise"
"""See what all members see: counts for regulators and arbitrators only."""
SINGLE_SCOPES: Final = (CAPTURE, SUPERVISE)
SCOPES: Final = frozenset(
    {*SINGLE_SCOPES, *(f"{room}:{mode}" for room in ROOMS for mode in (*MODES, "*"))}
)
INSTRUMENTS_MAX: Final = 50
"""Records that one key can be bound to."""

_INSTRUMENT: Final = re.compile(r"0x[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who sent a request. Good for that request: role and standing are those of this moment."""

    organisation: str
    role: Role
    scopes: frozenset[str]
    """As given: may hold `<room>:*`."""
    key_id: str
    instruments: frozenset[str] | None = None
    """Ids (0x…) of the only records that the key is for; None: no such bound."""
    token: bytes | None = None
    """Digest of the OAuth token that stands for the key; None: the key itself was sent."""
    until_ms: int | None = None
    """Until when that token is good at most, Unix milliseconds."""

    def may(self, scope: str) -> bool:
        """Whether the key has a scope (of `SCOPES`, without `*`)."""
        return covers(self.scopes, scope)

    def check(self, scope: str | None, instrument: str | None = None) -> None:
        """Raises `Forbidden` unless the key has the scope, and is for that record.

        A key that is bound to records can neither list nor make others: name the record. Without
        a scope any will do.
        """
        if scope is not None and not self.may(scope):
            raise Forbidden(f"the key {self.key_id} has no scope {scope}")
        if self.instruments is not None and instrument not in self.instruments:
            told = "lists and makes no records" if instrument is None else "is for other records"
            raise Forbidden(f"the key {self.key_id} {told}: it is bound to some by id")

    @property
    def viewer(self) -> Viewer:
        """What is seen of instruments: one's own; all for who supervises and has that scope."""
        return Viewer.of(self.organisation, self.role if self.may(SUPERVISE) else None)


def covers(scopes: Iterable[str], scope: str) -> bool:
    """Whether a set of scopes, which may hold `<room>:*`, has this one."""
    held = frozenset(scopes)
    return scope in held or f"{scope.partition(':')[0]}:*" in held


def check_scopes(scopes: Iterable[str]) -> frozenset[str]:
    """The scopes, if all are known and there is one. Raises `KeyRefused`."""
    wanted = frozenset(scopes)
    unknown = sorted(wanted - SCOPES)
    if unknown or not wanted:
        told = f"there is no scope {unknown[0][:40]!r}" if unknown else "a key needs a scope"
        raise KeyRefused(
            f"{told}: scopes are {', '.join(SINGLE_SCOPES)} and ROOM:read, ROOM:write or ROOM:* "
            f"where ROOM is {', '.join(ROOMS)}"
        )
    return wanted


def check_instruments(instruments: Iterable[str]) -> frozenset[str] | None:
    """Ids that a key is bound to; None where none is named. Raises `KeyRefused`."""
    wanted = frozenset(instruments)
    for one in sorted(wanted):
        if not _INSTRUMENT.fullmatch(one):
            raise KeyRefused(f"{one[:80]!r} is no id of a record: 0x and 64 lower-case hex digits")
    if len(wanted) > INSTRUMENTS_MAX:
        raise KeyRefused(f"a key is bound to at most {INSTRUMENTS_MAX} records")
    return wanted or None
