"""An account's statement: what changed its balance in some days, between two balances."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, tzinfo
from functools import partial
from typing import Final, TypeVar

from sqlalchemy import Connection, select

from contracts.instruments.pages import LIMIT_MAX, Page
from contracts.instruments.viewer import Viewer
from contracts.settlement.days import bounds_of
from contracts.settlement.errors import PeriodTooLarge
from contracts.settlement.queries import (
    InterbankMovement,
    MovementQuery,
    StoredAccount,
    StoredMovement,
    find_account,
    list_interbank,
    list_movements,
)
from contracts.settlement.tables import deposit_movement_table
from contracts.settlement.types import MovementKind, PositionKind
from ledger.types import Hash32

LINES_MAX: Final = 50_000
_CHANGES: Final = tuple(kind for kind in MovementKind if kind.sign)
_NUMBERS_AT_ONCE: Final = 500

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class AccountStatement:
    """The ledger's own lines of an account, oldest first, of whole days."""

    account: StoredAccount
    """As it is now."""
    first: date
    last: date
    zone: tzinfo
    """In which days begin."""
    opening: int
    """Balance before the first day, in hundredths."""
    lines: tuple[StoredMovement, ...]

    @property
    def closing(self) -> int:
        """Balance after the last day."""
        return self.opening + sum(one.kind.sign * one.movement.amount for one in self.lines)


def account_statement(
    connection: Connection,
    key: Hash32,
    viewer: Viewer,
    first: date,
    last: date,
    *,
    zone: tzinfo = UTC,
) -> AccountStatement | None:
    """The statement, or None where there is no such account or the viewer may not see it.

    Raises `PeriodTooLarge`.
    """
    account = find_account(connection, key, viewer)
    if account is None:
        return None
    since, until = bounds_of(first, last, zone)
    lines = changes(connection, key, viewer, since, until)
    opening = _balance_before(connection, key, since)
    return AccountStatement(account, first, last, zone, opening, lines)


def changes(
    connection: Connection,
    key: Hash32,
    viewer: Viewer,
    since: int,
    until: int,
    numbers: Collection[str] | None = None,
) -> tuple[StoredMovement, ...]:
    """What changed an account's balance, oldest first; of those `numbers` alone where given.

    Raises `PeriodTooLarge`.
    """
    query = MovementQuery(account=key, kinds=_CHANGES, since=since, until=until, limit=LIMIT_MAX)
    if numbers is None:
        return _all(partial(_page, connection, query, viewer))
    found: list[StoredMovement] = []
    for part in _parts(numbers):
        some = replace(query, numbers=part)
        found += _all(partial(_page, connection, some, viewer))
    return tuple(sorted(found, key=lambda one: one.place.leaf_index))


def _page(
    connection: Connection, query: MovementQuery, viewer: Viewer, after: str | None
) -> Page[StoredMovement]:
    return list_movements(connection, replace(query, after=after), viewer)


def settlements(
    connection: Connection, viewer: Viewer, currency: str, since: int, until: int
) -> tuple[InterbankMovement, ...]:
    """What was settled between banks, of which the viewer is one. Raises `PeriodTooLarge`."""

    def page(after: str | None) -> Page[InterbankMovement]:
        return list_interbank(
            connection,
            viewer,
            currency=currency,
            kinds=(PositionKind.SETTLED,),
            since=since,
            until=until,
            after=after,
            limit=LIMIT_MAX,
        )

    return _all(page)


def _all(page: Callable[[str | None], Page[Item]]) -> tuple[Item, ...]:
    """Every page of a list."""
    found: list[Item] = []
    after: str | None = None
    while True:
        one = page(after)
        found += one.items
        if len(found) > LINES_MAX:
            raise PeriodTooLarge(f"more than {LINES_MAX} lines in these days: ask for fewer days")
        if one.after is None:
            return tuple(found)
        after = one.after


def _parts(numbers: Collection[str]) -> Iterator[tuple[str, ...]]:
    known = sorted(set(numbers))
    for at in range(0, len(known), _NUMBERS_AT_ONCE):
        yield tuple(known[at : at + _NUMBERS_AT_ONCE])


def _balance_before(connection: Connection, key: Hash32, moment: int) -> int:
    table = deposit_movement_table
    query = (
        select(table.c.balance)
        .where(table.c.account == f"0x{key.hex()}", table.c.block_time < moment)
        .order_by(table.c.leaf_index.desc())
        .limit(1)
    )
    found: int | None = connection.execute(query).scalar_one_or_none()
    return found or 0
