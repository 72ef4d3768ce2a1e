"""Banks' tables and customers' points, from SQL.

Tables are for all members to read; points are seen by the bank, its customer and whoever sees all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, or_, select, true
from sqlalchemy.engine import Row

from contracts.financing.tables import points_act_table, points_table, rate_table, tier_table
from contracts.financing.types import Contribution, PointsRecorded, RateTable, Tier
from contracts.instruments.pages import Page, bounded, page_of, parse_cursor
from contracts.instruments.places import ChainPlace, place_of
from contracts.instruments.viewer import Viewer
from ledger.types import Hash32


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A version of a bank's table."""

    table: RateTable
    place: ChainPlace


@dataclass(frozen=True, slots=True)
class Points:
    """A customer's points with a bank now."""

    bank: str
    customer: str
    points: int
    place: ChainPlace
    """Of the last booking."""


@dataclass(frozen=True, slots=True)
class PointsBooking:
    """A booking of points."""

    booked: PointsRecorded
    place: ChainPlace


def find_rate_table(
    connection: Connection, bank: str, currency: str, version: int | None = None
) -> StoredTable | None:
    """A version of a bank's table (None: the present one), or None where there is none."""
    table = rate_table
    query = select(table).where(table.c.bank == bank, table.c.currency == currency)
    if version is not None:
        query = query.where(table.c.version == version)
    row = connection.execute(query.order_by(table.c.version.desc()).limit(1)).one_or_none()
    return None if row is None else _tables(connection, [row])[0]


def present_rate_tables(connection: Connection, limit: int = 1_000) -> tuple[StoredTable, ...]:
    """The present table of each bank and currency, by bank and currency."""
    table = rate_table
    newest = (
        select(table.c.bank, table.c.currency, func.max(table.c.version).label("version"))
        .group_by(table.c.bank, table.c.currency)
        .subquery()
    )
    here = (
        (table.c.bank == newest.c.bank)
        & (table.c.currency == newest.c.currency)
        & (table.c.version == newest.c.version)
    )
    query = select(table).join(newest, here).order_by(table.c.bank, table.c.currency)
    return _tables(connection, connection.execute(query.limit(bounded(limit))).all())


def list_points(
    connection: Connection,
    viewer: Viewer,
    *,
    bank: str | None = None,
    customer: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[Points]:
    """Points that the viewer may see, those booked last first. Raises `CursorInvalid`."""
    table, bound = points_table, bounded(limit)
    query = select(table).where(_sees(viewer, table.c.bank, table.c.customer))
    if bank is not None:
        query = query.where(table.c.bank == bank)
    if customer is not None:
        query = query.where(table.c.customer == customer)
    if (since := parse_cursor(after, 1)) is not None:
        query = query.where(table.c.leaf_index < since[0])
    rows = connection.execute(query.order_by(table.c.leaf_index.desc()).limit(bound + 1)).all()
    return page_of(rows, bound, _points, lambda row: [row.leaf_index])


def points_history(
    connection: Connection,
    bank: str,
    customer: str,
    viewer: Viewer,
    *,
    after: str | None = None,
    limit: int = 50,
) -> Page[PointsBooking]:
    """Bookings of a customer's points with a bank, oldest first. Raises `CursorInvalid`."""
    table, bound = points_act_table, bounded(limit)
    query = select(table).where(
        table.c.bank == bank,
        table.c.customer == customer,
        _sees(viewer, table.c.bank, table.c.customer),
    )
    if (since := parse_cursor(after, 1)) is not None:
        query = query.where(table.c.leaf_index > since[0])
    rows = connection.execute(query.order_by(table.c.leaf_index).limit(bound + 1)).all()
    return page_of(rows, bound, _booking, lambda row: [row.leaf_index])


def _sees(
    viewer: Viewer, bank: ColumnElement[Any], customer: ColumnElement[Any]
) -> ColumnElement[bool]:
    if viewer.sees_all:
        return true()
    return or_(bank == viewer.organisation, customer == viewer.organisation)


def _tables(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[StoredTable, ...]:
    return tuple(StoredTable(_table(connection, row), place_of(row)) for row in rows)


def _table(connection: Connection, row: Row[Any]) -> RateTable:
    table = tier_table
    query = select(table).where(
        table.c.bank == row.bank, table.c.currency == row.currency, table.c.version == row.version
    )
    tiers = tuple(
        Tier(one.amount_max, one.term_days_max, one.rate_bp, kind=one.kind)
        for one in connection.execute(query.order_by(table.c.tier))
    )
    terms = Contribution(row.points_per_bp, row.discount_bp_max, row.floor_bp)
    document = Hash32(bytes.fromhex(row.document[2:]))
    return RateTable(row.bank, row.currency, row.version, tiers, terms, document)


def _points(row: Row[Any]) -> Points:
    return Points(row.bank, row.customer, row.points, place_of(row))


def _booking(row: Row[Any]) -> PointsBooking:
    ref = Hash32(bytes.fromhex(row.ref[2:]))
    booked = PointsRecorded(row.bank, row.customer, ref, row.change, row.points)
    return PointsBooking(booked, place_of(row))
