"""An account's statement: what changed its balance in some days, between two balances."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, tzinfo
from typing import Final

from sqlalchemy import Connection, select

from contracts.instruments.pages import LIMIT_MAX
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
    connection: Connection, key: Hash32, viewer: Viewer, since: int, until: int
) -> tuple[StoredMovement, ...]:
    """What changed an account's balance, oldest first. Raises `PeriodTooLarge`."""
    found: list[StoredMovement] = []
    after: str | None = None
    while True:
        query = MovementQuery(
            account=key, kinds=_CHANGES, since=since, until=until, after=after, limit=LIMIT_MAX
        )
        page = list_movements(connection, query, viewer)
        found += page.items
        _check_count(len(found))
        if page.after is None:
            return tuple(found)
        after = page.after


def settlements(
    connection: Connection, viewer: Viewer, currency: str, since: int, until: int
) -> tuple[InterbankMovement, ...]:
    """What was settled between banks, of which the viewer is one. Raises `PeriodTooLarge`."""
    found: list[InterbankMovement] = []
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
        found += [one for one in page.items if one.kind is PositionKind.SETTLED]
        _check_count(len(found))
        if page.after is None:
            return tuple(found)
        after = page.after


def _check_count(count: int) -> None:
    if count > LINES_MAX:
        raise PeriodTooLarge(f"more than {LINES_MAX} lines in these days: ask for fewer days")


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
