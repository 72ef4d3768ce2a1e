"""Clearing: what banks owe each other out of a day's payments, two by two and all together.

A function of the chain alone: every node finds the same for the same day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, tzinfo

from sqlalchemy import ColumnElement, Connection, select, true

from contracts.instruments.viewer import Viewer
from contracts.settlement.days import bounds_of
from contracts.settlement.queries import InterbankMovement, list_positions
from contracts.settlement.tables import interbank_movement_table
from contracts.settlement.types import PositionKind

_ROWS = 10_000
"""Fetched at once."""

Pair = tuple[str, str]
"""Creditor and debtor."""


@dataclass(frozen=True, slots=True)
class Bilateral:
    """A day between two banks in one currency; `first` comes before `second` by name."""

    currency: str
    first: str
    second: str
    opening_first: int
    """What the second owed the first before the day."""
    opening_second: int
    """What the first owed the second before the day."""
    claimed_first: int
    """Payments of the day for which the second owes the first."""
    claimed_second: int
    settled_first: int
    """What the first confirmed of its claim."""
    settled_second: int
    set_off: int
    """What payments of the day have set off of both claims."""
    payments: int

    @property
    def closing_first(self) -> int:
        """What the second owes the first after the day."""
        return self.opening_first + self.claimed_first - self.settled_first - self.set_off

    @property
    def closing_second(self) -> int:
        """What the first owes the second after the day."""
        claims = self.opening_second + self.claimed_second
        return claims - self.settled_second - self.set_off

    @property
    def day_net(self) -> int:
        """Out of the day's payments alone: what the second owes the first; below 0: is owed."""
        return self.claimed_first - self.claimed_second

    @property
    def net(self) -> int:
        """After the day, set off: what the second owes the first; below 0: is owed."""
        return self.closing_first - self.closing_second


@dataclass(frozen=True, slots=True)
class Multilateral:
    """A day of one bank in one currency, against all others that are shown."""

    currency: str
    bank: str
    received: int
    """Payments of the day to its customers: others owe it."""
    sent: int
    """Payments of the day by its customers: it owes others."""
    net: int
    """After the day, set off: what others owe it; below 0: what it owes them."""

    @property
    def day_net(self) -> int:
        """Out of the day's payments alone."""
        return self.received - self.sent


@dataclass(frozen=True, slots=True)
class Transfer:
    """One payment in central-bank money that settles net positions."""

    currency: str
    payer: str
    payee: str
    amount: int


@dataclass(frozen=True, slots=True)
class Clearing:
    """A day, in the order of currencies and names."""

    since: int
    """Unix seconds; this one too."""
    until: int
    """This one no more."""
    bilateral: tuple[Bilateral, ...]
    multilateral: tuple[Multilateral, ...]
    transfers: tuple[Transfer, ...]
    """Few payments that settle all net positions after the day; empty where `complete` is not."""
    complete: bool
    """Whether the positions of all banks are in it."""


def clear_day(
    connection: Connection,
    viewer: Viewer,
    day: date,
    *,
    zone: tzinfo = UTC,
    currency: str | None = None,
) -> Clearing:
    """Positions out of the payments of a day of that time zone.

    A bank sees its own pairs; regulators, arbitrators and the node see all, and the payments that
    would settle them.
    """
    since, until = bounds_of(day, day, zone)
    opening = _claims_before(connection, viewer, since, currency)
    changes = _changes(connection, viewer, since, until, currency)
    return _clear(opening, changes, since, until, viewer.sees_all)


def clear(
    opening: Mapping[tuple[str, Pair], int],
    movements: Iterable[InterbankMovement],
    since: int,
    until: int,
    *,
    complete: bool = True,
) -> Clearing:
    """Positions from the claims before (by currency and pair) and the changes after."""
    changes = ((m.currency, m.creditor, m.debtor, int(m.kind), m.amount) for m in movements)
    return _clear(opening, changes, since, until, complete)


_Change = tuple[str, str, str, int, int]
"""Currency, creditor, debtor, kind and amount: all that counts of a movement."""


def _clear(
    opening: Mapping[tuple[str, Pair], int],
    changes: Iterable[_Change],
    since: int,
    until: int,
    complete: bool,
) -> Clearing:
    claimed: dict[tuple[str, Pair], int] = defaultdict(int)
    settled: dict[tuple[str, Pair], int] = defaultdict(int)
    set_off: dict[tuple[str, Pair], int] = defaultdict(int)
    payments: dict[tuple[str, Pair], int] = defaultdict(int)
    for currency, creditor, debtor, kind, amount in changes:
        key = (currency, (creditor, debtor))
        if kind == PositionKind.CLAIMED:
            claimed[key] += amount
            payments[key] += 1
        elif kind == PositionKind.SETTLED:
            settled[key] += amount
        elif kind == PositionKind.SET_OFF:
            set_off[key] += amount
    keys = {key for key, claim in opening.items() if claim} | set(claimed) | set(settled)
    pairs = sorted({(currency, *sorted(pair)) for currency, pair in keys})
    bilateral = []
    for currency, first, second in pairs:
        ours, theirs = (currency, (first, second)), (currency, (second, first))
        bilateral.append(
            Bilateral(
                currency=currency,
                first=first,
                second=second,
                opening_first=opening.get(ours, 0),
                opening_second=opening.get(theirs, 0),
                claimed_first=claimed[ours],
                claimed_second=claimed[theirs],
                settled_first=settled[ours],
                settled_second=settled[theirs],
                set_off=set_off[ours],  # told of both sides alike
                payments=payments[ours] + payments[theirs],
            )
        )
    multilateral = _multilateral(bilateral)
    transfers = _transfers(multilateral) if complete else ()
    return Clearing(since, until, tuple(bilateral), multilateral, transfers, complete)


def _multilateral(pairs: Iterable[Bilateral]) -> tuple[Multilateral, ...]:
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for pair in pairs:
        first, second = sums[pair.currency, pair.first], sums[pair.currency, pair.second]
        first[0] += pair.claimed_first
        first[1] += pair.claimed_second
        first[2] += pair.net
        second[0] += pair.claimed_second
        second[1] += pair.claimed_first
        second[2] -= pair.net
    return tuple(Multilateral(*key, *sums[key]) for key in sorted(sums))


def _transfers(positions: Iterable[Multilateral]) -> tuple[Transfer, ...]:
    """The largest debtor pays the largest creditor, until all are even: at most n - 1 payments.

    Among equals, in the order of their names.
    """
    found = []
    open_: dict[str, dict[str, int]] = defaultdict(dict)
    for one in positions:
        if one.net:
            open_[one.currency][one.bank] = one.net
    for currency, nets in sorted(open_.items()):
        while nets:
            payee = min(nets, key=lambda bank: (-nets[bank], bank))
            payer = min(nets, key=lambda bank: (nets[bank], bank))
            amount = min(nets[payee], -nets[payer])
            found.append(Transfer(currency, payer, payee, amount))
            nets[payee] -= amount
            nets[payer] += amount
            for bank in (payer, payee):
                if nets[bank] == 0:
                    del nets[bank]
    return tuple(found)


# ---- from the tables ----------------------------------------------------------------------------


def _changes(
    connection: Connection, viewer: Viewer, since: int, until: int, currency: str | None
) -> Iterator[_Change]:
    table = interbank_movement_table
    wanted = (table.c.currency, table.c.creditor, table.c.debtor, table.c.kind, table.c.amount)
    query = select(*wanted).where(
        table.c.block_time >= since, table.c.block_time < until, _own(viewer)
    )
    if currency is not None:
        query = query.where(table.c.currency == currency)
    rows = connection.execute(query.execution_options(yield_per=_ROWS))
    return ((one[0], one[1], one[2], one[3], one[4]) for one in rows)


def _claims_before(
    connection: Connection, viewer: Viewer, moment: int, currency: str | None
) -> dict[tuple[str, Pair], int]:
    """Claims before a moment: as they are now, or as the first change since then has found them."""
    table = interbank_movement_table
    first = select(table.c.leaf_index).where(table.c.block_time >= moment)
    first = first.order_by(table.c.block_time, table.c.leaf_index).limit(1)
    boundary: int | None = connection.execute(first).scalar_one_or_none()
    found = {}
    for one in list_positions(connection, viewer, currency=currency):
        pair = (one.creditor, one.debtor)
        unchanged = boundary is None or one.place.leaf_index < boundary
        found[one.currency, pair] = (
            one.position.claim
            if unchanged
            else _claim_found(connection, pair, one.currency, boundary or 0)
        )
    return found


def _claim_found(connection: Connection, pair: Pair, currency: str, boundary: int) -> int:
    """What the first change of a pair from that leaf on has found."""
    table = interbank_movement_table
    query = (
        select(table.c.kind, table.c.amount, table.c.claim)
        .where(
            table.c.creditor == pair[0],
            table.c.debtor == pair[1],
            table.c.currency == currency,
            table.c.leaf_index >= boundary,
        )
        .order_by(table.c.leaf_index)
        .limit(1)
    )
    kind, amount, claim = connection.execute(query).one()
    less = kind in (PositionKind.SETTLED, PositionKind.SET_OFF)
    change = amount if kind == PositionKind.CLAIMED else -amount if less else 0
    return int(claim) - int(change)


def _own(viewer: Viewer) -> ColumnElement[bool]:
    if viewer.sees_all:
        return true()
    table = interbank_movement_table
    return (table.c.creditor == viewer.organisation) | (table.c.debtor == viewer.organisation)
