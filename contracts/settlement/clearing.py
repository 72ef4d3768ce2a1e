"""Clearing: what banks owe each other out of a day's payments, two by two and all together.

A function of the chain alone: every node finds the same for the same day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, tzinfo

from sqlalchemy import Connection, func, select, true

from contracts.instruments.pages import LIMIT_MAX
from contracts.instruments.viewer import Viewer
from contracts.settlement.days import bounds_of
from contracts.settlement.queries import InterbankMovement, list_interbank
from contracts.settlement.tables import interbank_movement_table
from contracts.settlement.types import PositionKind

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
    payments: int

    @property
    def closing_first(self) -> int:
        """What the second owes the first after the day."""
        return self.opening_first + self.claimed_first - self.settled_first

    @property
    def closing_second(self) -> int:
        """What the first owes the second after the day."""
        return self.opening_second + self.claimed_second - self.settled_second

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
    movements = _movements(connection, viewer, since, until, currency)
    return clear(opening, movements, since, until, complete=viewer.sees_all)


def clear(
    opening: Mapping[tuple[str, Pair], int],
    movements: Iterable[InterbankMovement],
    since: int,
    until: int,
    *,
    complete: bool = True,
) -> Clearing:
    """Positions from the claims before (by currency and pair) and the changes after."""
    claimed: dict[tuple[str, Pair], int] = defaultdict(int)
    settled: dict[tuple[str, Pair], int] = defaultdict(int)
    payments: dict[tuple[str, Pair], int] = defaultdict(int)
    for one in movements:
        key = (one.currency, (one.creditor, one.debtor))
        if one.kind is PositionKind.CLAIMED:
            claimed[key] += one.amount
            payments[key] += 1
        elif one.kind is PositionKind.SETTLED:
            settled[key] += one.amount
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


def _movements(
    connection: Connection, viewer: Viewer, since: int, until: int, currency: str | None
) -> Iterable[InterbankMovement]:
    after: str | None = None
    while True:
        page = list_interbank(
            connection,
            viewer,
            currency=currency,
            since=since,
            until=until,
            after=after,
            limit=LIMIT_MAX,
        )
        yield from page.items
        if page.after is None:
            return
        after = page.after


def _claims_before(
    connection: Connection, viewer: Viewer, moment: int, currency: str | None
) -> dict[tuple[str, Pair], int]:
    """Claims as the last change before a moment has left them."""
    table = interbank_movement_table
    between = (table.c.creditor, table.c.debtor, table.c.currency)
    own = (
        true()
        if viewer.sees_all
        else (table.c.creditor == viewer.organisation) | (table.c.debtor == viewer.organisation)
    )
    last = select(func.max(table.c.leaf_index)).where(table.c.block_time < moment, own)
    if currency is not None:
        last = last.where(table.c.currency == currency)
    last = last.group_by(*between)
    query = select(*between, table.c.claim).where(table.c.leaf_index.in_(last))
    return {
        (row.currency, (row.creditor, row.debtor)): row.claim for row in connection.execute(query)
    }
