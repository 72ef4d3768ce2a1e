"""Accounts, movements and interbank positions, from SQL, for whoever may see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, true
from sqlalchemy.engine import Row

from contracts.instruments.pages import Page, bounded, page_of, parse_cursor
from contracts.instruments.places import ChainPlace, place_of
from contracts.instruments.viewer import Viewer
from contracts.settlement.tables import (
    deposit_account_table,
    deposit_hold_table,
    deposit_home_table,
    deposit_movement_table,
    deposit_party_table,
    deposit_redemption_table,
    interbank_movement_table,
    interbank_position_table,
)
from contracts.settlement.types import (
    Account,
    Hold,
    Movement,
    MovementKind,
    Position,
    PositionKind,
    Redemption,
    RedemptionState,
)
from ledger.types import Hash32


@dataclass(frozen=True, slots=True)
class AccountQuery:
    """Which accounts are asked for; what is None does not matter."""

    bank: str | None = None
    owner: str | None = None
    currency: str | None = None
    after: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class MovementQuery:
    """Which lines are asked for; what is None does not matter."""

    account: Hash32 | None = None
    bank: str | None = None
    owner: str | None = None
    currency: str | None = None
    id: Hash32 | None = None
    """Of the payment, redemption, hold or deal."""
    cause: Hash32 | None = None
    kinds: tuple[MovementKind, ...] | None = None
    since: int | None = None
    """Unix seconds, this one too."""
    until: int | None = None
    """Unix seconds, this one no more."""
    after: str | None = None
    limit: int = 50
    numbers: tuple[str, ...] | None = None
    """Of the organisations that acted."""


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """An account as it is now."""

    key: Hash32
    account: Account
    place: ChainPlace
    """Of its last change."""


@dataclass(frozen=True, slots=True)
class StoredMovement:
    """One line of an account's statement."""

    account: Hash32
    bank: str
    owner: str
    currency: str
    id: Hash32 | None
    kind: MovementKind
    movement: Movement
    balance: int
    """Afterwards."""
    set_aside: int
    held: int
    remark: str
    place: ChainPlace


@dataclass(frozen=True, slots=True)
class StoredRedemption:
    """A redemption as it is now."""

    id: Hash32
    redemption: Redemption
    remark: str
    place: ChainPlace
    """Of its last act."""


@dataclass(frozen=True, slots=True)
class StoredHold:
    """A hold as it is now."""

    id: Hash32
    hold: Hold
    amount: int
    """In the beginning."""
    place: ChainPlace
    """Of its last change."""


@dataclass(frozen=True, slots=True)
class StoredPosition:
    """What one bank owes another now."""

    creditor: str
    debtor: str
    currency: str
    position: Position
    place: ChainPlace


@dataclass(frozen=True, slots=True)
class InterbankMovement:
    """One change between two banks, with what it left behind."""

    creditor: str
    debtor: str
    currency: str
    id: Hash32 | None
    kind: PositionKind
    amount: int
    position: Position
    number: str | None
    remark: str
    place: ChainPlace


# ---- accounts -----------------------------------------------------------------------------------


def find_account(connection: Connection, key: Hash32, viewer: Viewer) -> StoredAccount | None:
    """The account, or None where there is none or the viewer may not see it."""
    table = deposit_account_table
    query = select(table).where(table.c.key == _hex(key), _seen(viewer))
    row = connection.execute(query).one_or_none()
    return None if row is None else _stored(row)


def list_accounts(
    connection: Connection, query: AccountQuery, viewer: Viewer
) -> Page[StoredAccount]:
    """A page of the accounts that the viewer may see, newest first. Raises `CursorInvalid`."""
    table, limit = deposit_account_table, bounded(query.limit)
    wanted = {
        table.c.bank: query.bank,
        table.c.owner: query.owner,
        table.c.currency: query.currency,
    }
    conditions = [column == value for column, value in wanted.items() if value is not None]
    if (since := parse_cursor(query.after, 1)) is not None:
        conditions.append(table.c.position < since[0])
    statement = select(table).where(_seen(viewer), *conditions).order_by(table.c.position.desc())
    rows = connection.execute(statement.limit(limit + 1)).all()
    return page_of(rows, limit, _stored, lambda row: [row.position])


def list_movements(
    connection: Connection, query: MovementQuery, viewer: Viewer
) -> Page[StoredMovement]:
    """A page of lines of the accounts that the viewer may see, oldest first.

    Raises `CursorInvalid`.
    """
    table, accounts, limit = deposit_movement_table, deposit_account_table, bounded(query.limit)
    statement = (
        select(table, accounts.c.bank, accounts.c.owner, accounts.c.currency)
        .join(accounts, accounts.c.key == table.c.account)
        .where(_seen(viewer), *_conditions(query))
        .order_by(table.c.leaf_index)
        .limit(limit + 1)
    )
    rows = connection.execute(statement).all()
    return page_of(rows, limit, _movement, lambda row: [row.leaf_index])


def _conditions(query: MovementQuery) -> list[ColumnElement[bool]]:
    table, accounts = deposit_movement_table, deposit_account_table
    wanted = {
        table.c.account: None if query.account is None else _hex(query.account),
        table.c.id: None if query.id is None else _hex(query.id),
        table.c.cause: None if query.cause is None else _hex(query.cause),
        accounts.c.bank: query.bank,
        accounts.c.owner: query.owner,
        accounts.c.currency: query.currency,
    }
    conditions = [column == value for column, value in wanted.items() if value is not None]
    if query.kinds is not None:
        conditions.append(table.c.kind.in_([int(kind) for kind in query.kinds]))
    if query.numbers is not None:
        conditions.append(table.c.number.in_(query.numbers))
    if query.since is not None:
        conditions.append(table.c.block_time >= query.since)
    if query.until is not None:
        conditions.append(table.c.block_time < query.until)
    if (since := parse_cursor(query.after, 1)) is not None:
        conditions.append(table.c.leaf_index > since[0])
    return conditions


def list_redemptions(
    connection: Connection,
    viewer: Viewer,
    *,
    account: Hash32 | None = None,
    states: tuple[RedemptionState, ...] | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[StoredRedemption]:
    """A page of redemptions that the viewer may see, newest first. Raises `CursorInvalid`."""
    table, limit = deposit_redemption_table, bounded(limit)
    statement = select(table).where(viewer.may_see(deposit_party_table, table.c.account))
    if account is not None:
        statement = statement.where(table.c.account == _hex(account))
    if states is not None:
        statement = statement.where(table.c.state.in_([int(state) for state in states]))
    if (since := parse_cursor(after, 1)) is not None:
        statement = statement.where(table.c.position < since[0])
    statement = statement.order_by(table.c.position.desc()).limit(limit + 1)
    rows = connection.execute(statement).all()
    return page_of(rows, limit, _redemption, lambda row: [row.position])


def find_redemption(connection: Connection, id_: Hash32, viewer: Viewer) -> StoredRedemption | None:
    """The redemption, or None where there is none or the viewer may not see it."""
    table = deposit_redemption_table
    seen = viewer.may_see(deposit_party_table, table.c.account)
    row = connection.execute(select(table).where(table.c.id == _hex(id_), seen)).one_or_none()
    return None if row is None else _redemption(row)


def find_hold(connection: Connection, id_: Hash32, viewer: Viewer) -> StoredHold | None:
    """The hold, or None where there is none or the viewer may not see it: neither its account's
    owner or bank nor who made it."""
    table = deposit_hold_table
    seen = viewer.may_see(deposit_party_table, table.c.account)
    if viewer.organisation is not None:
        seen = seen | (table.c.by == viewer.organisation)
    row = connection.execute(select(table).where(table.c.id == _hex(id_), seen)).one_or_none()
    return None if row is None else _hold(row)


def list_holds(
    connection: Connection, account: Hash32, viewer: Viewer, *, limit: int = 50
) -> tuple[StoredHold, ...]:
    """Holds on an account, newest first, also those that are over."""
    table = deposit_hold_table
    query = (
        select(table)
        .where(
            table.c.account == _hex(account),
            viewer.may_see(deposit_party_table, table.c.account),
        )
        .order_by(table.c.position.desc())
        .limit(bounded(limit))
    )
    return tuple(_hold(row) for row in connection.execute(query))


def find_home(
    connection: Connection, organisation: str, currency: str, viewer: Viewer
) -> str | None:
    """Where an organisation wants to be paid. All members see it: it is there to be paid by."""
    if viewer.organisation is None and not viewer.sees_all:
        return None
    table = deposit_home_table
    query = select(table.c.bank).where(
        table.c.organisation == organisation, table.c.currency == currency
    )
    found: str | None = connection.execute(query).scalar_one_or_none()
    return found


# ---- between banks ------------------------------------------------------------------------------


def list_positions(
    connection: Connection, viewer: Viewer, *, bank: str | None = None, currency: str | None = None
) -> tuple[StoredPosition, ...]:
    """What stands between banks, of which the viewer is one, in the order of their names."""
    table = interbank_position_table
    query = select(table).where(_between(viewer, table.c.creditor, table.c.debtor))
    if bank is not None:
        query = query.where((table.c.creditor == bank) | (table.c.debtor == bank))
    if currency is not None:
        query = query.where(table.c.currency == currency)
    query = query.order_by(table.c.currency, table.c.creditor, table.c.debtor)
    return tuple(
        StoredPosition(
            row.creditor, row.debtor, row.currency, Position(row.claim, row.limit), place_of(row)
        )
        for row in connection.execute(query)
    )


def list_interbank(
    connection: Connection,
    viewer: Viewer,
    *,
    currency: str | None = None,
    kinds: tuple[PositionKind, ...] | None = None,
    since: int | None = None,
    until: int | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[InterbankMovement]:
    """A page of changes between banks, of which the viewer is one, oldest first.

    `since` and `until` (this one no more) are unix seconds. Raises `CursorInvalid`.
    """
    table, limit = interbank_movement_table, bounded(limit)
    query = select(table).where(_between(viewer, table.c.creditor, table.c.debtor))
    if currency is not None:
        query = query.where(table.c.currency == currency)
    if kinds is not None:
        query = query.where(table.c.kind.in_([int(kind) for kind in kinds]))
    if since is not None:
        query = query.where(table.c.block_time >= since)
    if until is not None:
        query = query.where(table.c.block_time < until)
    if (start := parse_cursor(after, 1)) is not None:
        query = query.where(table.c.leaf_index > start[0])
    rows = connection.execute(query.order_by(table.c.leaf_index).limit(limit + 1)).all()
    return page_of(rows, limit, _interbank, lambda row: [row.leaf_index])


# ---- within -------------------------------------------------------------------------------------


def _seen(viewer: Viewer) -> ColumnElement[bool]:
    return viewer.may_see(deposit_party_table, deposit_account_table.c.key)


def _between(
    viewer: Viewer, creditor: ColumnElement[Any], debtor: ColumnElement[Any]
) -> ColumnElement[bool]:
    if viewer.sees_all:
        return true()
    return (creditor == viewer.organisation) | (debtor == viewer.organisation)


def _hex(word: Hash32) -> str:
    return f"0x{word.hex()}"


def _hash(text: str) -> Hash32:
    return Hash32(bytes.fromhex(text[2:]))


def _maybe(text: str | None) -> Hash32 | None:
    return None if text is None else _hash(text)


def _stored(row: Row[Any]) -> StoredAccount:
    account = Account(
        bank=row.bank,
        owner=row.owner,
        currency=row.currency,
        balance=row.balance,
        set_aside=row.set_aside,
        held=row.held,
        revision=row.revision,
    )
    return StoredAccount(_hash(row.key), account, place_of(row))


def _movement(row: Row[Any]) -> StoredMovement:
    movement = Movement(
        by=row.by,
        amount=row.amount,
        counterparty=row.counterparty,
        counterparty_bank=row.counterparty_bank,
        number=row.number,
        cause=_maybe(row.cause),
        rest=row.rest,
    )
    return StoredMovement(
        account=_hash(row.account),
        bank=row.bank,
        owner=row.owner,
        currency=row.currency,
        id=_maybe(row.id),
        kind=MovementKind(row.kind),
        movement=movement,
        balance=row.balance,
        set_aside=row.set_aside,
        held=row.held,
        remark=row.remark,
        place=place_of(row),
    )


def _redemption(row: Row[Any]) -> StoredRedemption:
    state = RedemptionState(row.state)
    redemption = Redemption(_hash(row.account), row.number, row.amount, state)
    return StoredRedemption(_hash(row.id), redemption, row.remark, place_of(row))


def _hold(row: Row[Any]) -> StoredHold:
    hold = Hold(_hash(row.account), row.by, _maybe(row.cause), row.held)
    return StoredHold(_hash(row.id), hold, row.amount, place_of(row))


def _interbank(row: Row[Any]) -> InterbankMovement:
    return InterbankMovement(
        creditor=row.creditor,
        debtor=row.debtor,
        currency=row.currency,
        id=_maybe(row.id),
        kind=PositionKind(row.kind),
        amount=row.amount,
        position=Position(row.claim, row.limit),
        number=row.number,
        remark=row.remark,
        place=place_of(row),
    )
