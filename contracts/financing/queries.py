"""Applications and loans as they stand, from SQL, for whoever may see them.

An application is seen by the borrower and the banks that it is open to, a loan by the borrower and
the bank that lends; both by platforms (role Operator), which advise and warn. Of the offers a bank
sees its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, exists, or_, select, tuple_
from sqlalchemy.engine import Row

from contracts.consortium import Role, organisation_table
from contracts.financing.rows import (
    ActOfLoan,
    Payment,
    StoredAdvice,
    StoredApplication,
    StoredLoan,
    StoredOffer,
    act_of,
    advice_of,
    application_of,
    loan_of,
    offer_of,
    payment_of,
)
from contracts.financing.tables import (
    advice_table,
    application_act_table,
    application_party_table,
    application_table,
    loan_act_table,
    loan_party_table,
    loan_table,
    offer_table,
    payment_table,
)
from contracts.instruments.pages import Page, bounded, page_of, parse_cursor
from contracts.instruments.viewer import Viewer
from ledger.types import Hash32


@dataclass(frozen=True, slots=True)
class ApplicationQuery:
    """Which applications are asked for; what is None does not matter."""

    states: tuple[str, ...] | None = None
    borrower: str | None = None
    bank: str | None = None
    """Whose offer was accepted."""
    open_to: str | None = None
    """A bank that was invited."""
    asset: Hash32 | None = None
    number: str | None = None
    after: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class LoanQuery:
    """Which loans are asked for; what is None does not matter."""

    states: tuple[str, ...] | None = None
    borrower: str | None = None
    bank: str | None = None
    asset: Hash32 | None = None
    currency: str | None = None
    due_before: int | None = None
    breached: bool | None = None
    """Whether something is amiss with the collateral."""
    after: str | None = None
    limit: int = 50


# ---- applications -------------------------------------------------------------------------------


def find_application(
    connection: Connection, id_: Hash32, viewer: Viewer
) -> StoredApplication | None:
    """The application, or None where there is none or the viewer may not see it."""
    table = application_table
    query = select(table).where(table.c.id == _hex(id_), _sees_application(viewer, table.c.id))
    row = connection.execute(query).one_or_none()
    return None if row is None else application_of(row)


def list_applications(
    connection: Connection, query: ApplicationQuery, viewer: Viewer
) -> Page[StoredApplication]:
    """A page of what the viewer may see, newest first. Raises `CursorInvalid`."""
    table = application_table
    conditions = [_sees_application(viewer, table.c.id)]
    if query.states is not None:
        conditions.append(table.c.state.in_(query.states))
    if query.open_to is not None:
        invited = select(offer_table.c.id).where(
            offer_table.c.bank == query.open_to, _sees_offer(viewer)
        )
        conditions.append(table.c.id.in_(invited))
    wanted = {
        table.c.borrower: query.borrower,
        table.c.bank: query.bank,
        table.c.asset: None if query.asset is None else _hex(query.asset),
        table.c.number: query.number,
    }
    conditions += [column == value for column, value in wanted.items() if value is not None]
    rows, limit = _page(connection, table, conditions, query.after, query.limit)
    return page_of(rows, limit, application_of, lambda row: [row.position])


def application_offers(
    connection: Connection, id_: Hash32, viewer: Viewer
) -> tuple[StoredOffer, ...]:
    """How banks stand to an application, by id; a bank is shown its own offer alone."""
    table = offer_table
    query = (
        select(table)
        .where(table.c.id == _hex(id_), _sees_application(viewer, table.c.id), _sees_offer(viewer))
        .order_by(table.c.bank)
    )
    return tuple(offer_of(row) for row in connection.execute(query))


def application_advice(
    connection: Connection, id_: Hash32, viewer: Viewer
) -> tuple[StoredAdvice, ...]:
    """The platform's advice, the latest first, up to 50 times."""
    table = advice_table
    query = (
        select(table)
        .where(table.c.id == _hex(id_), _sees_application(viewer, table.c.id))
        .order_by(table.c.block_number.desc(), table.c.log_index.desc())
        .limit(50)
    )
    return tuple(advice_of(row) for row in connection.execute(query))


def application_history(
    connection: Connection,
    id_: Hash32,
    viewer: Viewer,
    *,
    after: str | None = None,
    limit: int = 50,
) -> Page[ActOfLoan]:
    """Acts up to payout, oldest first. A bank is not shown what other banks did.

    Raises `CursorInvalid`.
    """
    table = application_act_table
    others = exists(
        select(1)
        .select_from(offer_table)
        .where(offer_table.c.id == table.c.id, offer_table.c.bank == table.c.by)
    )
    conditions = [
        _sees_application(viewer, table.c.id),
        or_(~others, table.c.by == viewer.organisation, _sees_all_offers(viewer, table.c.id)),
    ]
    rows, bound = _history(connection, table, id_, conditions, after, limit)
    return page_of(rows, bound, act_of, lambda row: [row.block_number, row.log_index])


# ---- loans --------------------------------------------------------------------------------------


def find_loan(connection: Connection, id_: Hash32, viewer: Viewer) -> StoredLoan | None:
    """The loan, or None where there is none or the viewer may not see it."""
    table = loan_table
    query = select(table).where(table.c.id == _hex(id_), _sees_loan(viewer, table.c.id))
    row = connection.execute(query).one_or_none()
    return None if row is None else loan_of(row)


def list_loans(connection: Connection, query: LoanQuery, viewer: Viewer) -> Page[StoredLoan]:
    """A page of the loans that the viewer may see, newest first. Raises `CursorInvalid`."""
    table = loan_table
    conditions = [_sees_loan(viewer, table.c.id)]
    if query.states is not None:
        conditions.append(table.c.state.in_(query.states))
    if query.due_before is not None:
        conditions.append(table.c.due < query.due_before)
    if query.breached is not None:
        conditions.append((table.c.breach != 0) == query.breached)
    wanted = {
        table.c.borrower: query.borrower,
        table.c.bank: query.bank,
        table.c.asset: None if query.asset is None else _hex(query.asset),
        table.c.currency: query.currency,
    }
    conditions += [column == value for column, value in wanted.items() if value is not None]
    rows, limit = _page(connection, table, conditions, query.after, query.limit)
    return page_of(rows, limit, loan_of, lambda row: [row.position])


def loan_history(
    connection: Connection,
    id_: Hash32,
    viewer: Viewer,
    *,
    after: str | None = None,
    limit: int = 50,
) -> Page[ActOfLoan]:
    """Acts from payout on, oldest first. Raises `CursorInvalid`."""
    conditions = [_sees_loan(viewer, loan_act_table.c.id)]
    rows, bound = _history(connection, loan_act_table, id_, conditions, after, limit)
    return page_of(rows, bound, act_of, lambda row: [row.block_number, row.log_index])


def loan_payments(
    connection: Connection,
    id_: Hash32,
    viewer: Viewer,
    *,
    after: str | None = None,
    limit: int = 50,
) -> Page[Payment]:
    """Money that came in, oldest first. Raises `CursorInvalid`."""
    conditions = [_sees_loan(viewer, payment_table.c.id)]
    rows, bound = _history(connection, payment_table, id_, conditions, after, limit)
    return page_of(rows, bound, payment_of, lambda row: [row.block_number, row.log_index])


# ---- who sees what ------------------------------------------------------------------------------


def _is_platform(viewer: Viewer) -> ColumnElement[bool]:
    table = organisation_table
    here = (table.c.id == viewer.organisation) & (table.c.role == int(Role.OPERATOR))
    return exists(select(1).select_from(table).where(here))


def _sees_application(viewer: Viewer, record: ColumnElement[Any]) -> ColumnElement[bool]:
    return or_(viewer.may_see(application_party_table, record), _is_platform(viewer))


def _sees_loan(viewer: Viewer, record: ColumnElement[Any]) -> ColumnElement[bool]:
    return or_(viewer.may_see(loan_party_table, record), _is_platform(viewer))


def _sees_offer(viewer: Viewer) -> ColumnElement[bool]:
    own = offer_table.c.bank == viewer.organisation
    return or_(own, _sees_all_offers(viewer, offer_table.c.id))


def _sees_all_offers(viewer: Viewer, record: ColumnElement[Any]) -> ColumnElement[bool]:
    """The borrower does, and whoever sees everything."""
    if viewer.sees_all:
        return viewer.may_see(application_party_table, record)
    table = application_table
    here = (table.c.id == record) & (table.c.borrower == viewer.organisation)
    return exists(select(1).select_from(table).where(here))


# ---- within -------------------------------------------------------------------------------------


def _page(
    connection: Connection,
    table: Table,
    conditions: list[ColumnElement[bool]],
    after: str | None,
    limit: int,
) -> tuple[list[Row[Any]], int]:
    """Rows of a page, newest first, and one more where there is one."""
    bound = bounded(limit)
    if (since := parse_cursor(after, 1)) is not None:
        conditions.append(table.c.position < since[0])
    query = select(table).where(*conditions).order_by(table.c.position.desc()).limit(bound + 1)
    return list(connection.execute(query)), bound


def _history(
    connection: Connection,
    table: Table,
    id_: Hash32,
    conditions: list[ColumnElement[bool]],
    after: str | None,
    limit: int,
) -> tuple[list[Row[Any]], int]:
    """Rows about a record, oldest first, and one more where there is one."""
    bound = bounded(limit)
    place = tuple_(table.c.block_number, table.c.log_index)
    if (since := parse_cursor(after, 2)) is not None:
        conditions.append(place > since)
    query = (
        select(table)
        .where(table.c.id == _hex(id_), *conditions)
        .order_by(table.c.block_number, table.c.log_index)
        .limit(bound + 1)
    )
    return list(connection.execute(query)), bound


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
