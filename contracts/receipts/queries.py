"""Receipts as they stand, from SQL, for whoever may see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, or_, select, tuple_
from sqlalchemy.engine import Row

from contracts.financing.offered import is_offered, offered_assets
from contracts.instruments.pages import Page, bounded, page_of, parse_cursor
from contracts.instruments.places import ChainPlace, place_of
from contracts.instruments.viewer import PreparedQuery, Viewer
from contracts.receipts.tables import (
    receipt_act_table,
    receipt_keeper_table,
    receipt_party_table,
    receipt_table,
    receipt_terms_table,
)
from contracts.receipts.types import Purpose, Receipt, Rejectable
from contracts.settlement.offered import is_sold, sold_assets
from ledger.types import Address, Hash32

FEW: Final = 2_000
"""Of so many records an organisation's own are looked through, whatever is asked for."""


@dataclass(frozen=True, slots=True)
class ReceiptQuery:
    """Which receipts are asked for; what is None does not matter."""

    states: tuple[str, ...] | None = None
    warehouse: str | None = None
    holder: str | None = None
    owner: str | None = None
    nominee: str | None = None
    pledgee: str | None = None
    lot: Hash32 | None = None
    origin: Hash32 | None = None
    """Receipts that came out of this one."""
    number: str | None = None
    """The warehouse's own, whole."""
    expiring_before: int | None = None
    """Unix seconds; the list is then in the order of expiry, otherwise newest first."""
    after: str | None = None
    """Where the page before has ended."""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class StoredReceipt:
    """A receipt as it is now."""

    id: Hash32
    contract: Address
    """The version of Receipts that keeps it."""
    receipt: Receipt
    place: ChainPlace
    """Of its last act."""


@dataclass(frozen=True, slots=True)
class ReceiptAct:
    """One act, and what it left behind."""

    act: str
    by: str
    detail: Hash32 | None
    remark: str
    revision: int
    state: str
    holder: str
    owner: str
    pledgee: str | None
    quantity: int
    place: ChainPlace


def find_receipt(connection: Connection, id_: Hash32, viewer: Viewer) -> StoredReceipt | None:
    """The receipt, or None where there is none or the viewer may not see it."""
    row = _FIND.run(connection, viewer, wanted=_hex(id_)).one_or_none()
    return None if row is None else _stored(row)


def list_receipts(
    connection: Connection, query: ReceiptQuery, viewer: Viewer
) -> Page[StoredReceipt]:
    """A page of the receipts that the viewer may see. Raises `CursorInvalid`."""
    limit = bounded(query.limit)
    few = _has_few(connection, viewer)
    statement = _among_own(query, viewer) if few else _among_all(query, viewer)
    if query.expiring_before is None:
        rows = connection.execute(_newest_first(statement, query, few).limit(limit + 1)).all()
        return page_of(rows, limit, _stored, lambda row: [row.position])
    rows = connection.execute(_by_expiry(statement, query, few).limit(limit + 1)).all()
    return page_of(rows, limit, _stored, lambda row: [row.expires, row.position])


def receipt_history(
    connection: Connection,
    id_: Hash32,
    viewer: Viewer,
    *,
    after: str | None = None,
    limit: int = 50,
) -> Page[ReceiptAct]:
    """Acts on a receipt, oldest first; none where the viewer may not see it.

    Raises `CursorInvalid`.
    """
    table, limit = receipt_act_table, bounded(limit)
    query = (
        select(table)
        .where(table.c.id == _hex(id_), _sees(viewer, table.c.id))
        .order_by(table.c.block_number, table.c.log_index)
        .limit(limit + 1)
    )
    if (since := parse_cursor(after, 2)) is not None:
        query = query.where(tuple_(table.c.block_number, table.c.log_index) > since)
    rows = connection.execute(query).all()
    return page_of(rows, limit, _acted, lambda row: [row.block_number, row.log_index])


def receipt_terms(connection: Connection, id_: Hash32, viewer: Viewer) -> bytes | None:
    """The document that was published with a receipt, or None."""
    table = receipt_terms_table
    query = select(table.c.payload).where(table.c.id == _hex(id_), _sees(viewer, table.c.id))
    payload = connection.execute(query).scalar_one_or_none()
    return None if payload is None else bytes(payload)


def keepers_of(connection: Connection, lots: Sequence[Hash32]) -> dict[Hash32, str]:
    """Warehouses that lots were entrusted to; a lot that stayed with its own is left out."""
    table = receipt_keeper_table
    names = sorted({_hex(lot) for lot in lots})
    rows = connection.execute(select(table).where(table.c.lot.in_(names)))
    return {Hash32(bytes.fromhex(row.lot[2:])): row.warehouse for row in rows}


# ---- ways to a page -----------------------------------------------------------------------------


def _has_few(connection: Connection, viewer: Viewer) -> bool:
    if viewer.sees_all:
        return False
    table = receipt_party_table
    some = select(1).where(table.c.organisation == viewer.organisation).limit(FEW + 1)
    count = select(func.count()).select_from(some.subquery())
    return connection.execute(count).scalar_one() <= FEW


def _among_own(query: ReceiptQuery, viewer: Viewer) -> Select[Any]:
    """Through the viewer's own records, which are few."""
    table, parties = receipt_table, receipt_party_table
    own = select(parties.c.id).where(parties.c.organisation == viewer.organisation)
    own_or_offered = own.union(offered_assets(viewer, table), sold_assets(viewer))
    conditions = [column.concat("") == value for column, value in _wanted(query).items()]
    if query.states is not None:
        conditions.append(table.c.state.concat("").in_(query.states))
    return select(table).where(table.c.id.in_(own_or_offered), *conditions)


def _among_all(query: ReceiptQuery, viewer: Viewer) -> Select[Any]:
    """Through all records, by whichever index fits what is asked for."""
    conditions = [column == value for column, value in _wanted(query).items()]
    if query.states is not None:
        conditions.append(receipt_table.c.state.in_(query.states))
    return select(receipt_table).where(_seen(viewer), *conditions)


def _newest_first(statement: Select[Any], query: ReceiptQuery, few: bool) -> Select[Any]:
    position = receipt_table.c.position
    if (since := parse_cursor(query.after, 1)) is not None:
        statement = statement.where(_plain(position, few) < since[0])
    return statement.order_by(position.desc())


def _by_expiry(statement: Select[Any], query: ReceiptQuery, few: bool) -> Select[Any]:
    position, expires = receipt_table.c.position, receipt_table.c.expires
    statement = statement.where(_plain(expires, few) < query.expiring_before)
    if (since := parse_cursor(query.after, 2)) is not None:
        statement = statement.where(tuple_(_plain(expires, few), position) > since)
    return statement.order_by(expires, position)


def _plain(column: ColumnElement[int], few: bool) -> ColumnElement[int]:
    """Where own records are few, nothing but them is to be taken by an index.

    A planner without statistics thinks that whatever has an index is rare; what is no column any
    more (here and by `concat`) has none.
    """
    return column + 0 if few else column


def _wanted(query: ReceiptQuery) -> dict[ColumnElement[Any], str]:
    c = receipt_table.c
    wanted = {
        c.warehouse: query.warehouse,
        c.holder: query.holder,
        c.owner: query.owner,
        c.nominee: query.nominee,
        c.pledgee: query.pledgee,
        c.lot: None if query.lot is None else _hex(query.lot),
        c.origin: None if query.origin is None else _hex(query.origin),
        c.number: query.number,
    }
    return {column: value for column, value in wanted.items() if value is not None}


def _seen(viewer: Viewer) -> ColumnElement[bool]:
    return _sees(viewer, receipt_table.c.id)


def _sees(viewer: Viewer, record: ColumnElement[Any]) -> ColumnElement[bool]:
    """As a party, as a bank that is asked to lend on it, or as the buyer in a deal under way."""
    party = viewer.may_see(receipt_party_table, record)
    return or_(party, is_offered(viewer, record, receipt_table), is_sold(viewer, record))


_FIND: Final = PreparedQuery(
    lambda viewer: select(receipt_table).where(
        receipt_table.c.id == bindparam("wanted"), _seen(viewer)
    )
)


# ---- rows ---------------------------------------------------------------------------------------


def _stored(row: Row[Any]) -> StoredReceipt:
    receipt = Receipt(
        warehouse=row.warehouse,
        number=row.number,
        lot=Hash32(bytes.fromhex(row.lot[2:])),
        goods=Hash32(bytes.fromhex(row.goods[2:])),
        terms=Hash32(bytes.fromhex(row.terms[2:])),
        holder=row.holder,
        owner=row.owner,
        nominee=row.nominee,
        pledgee=row.pledgee,
        origin=_hash(row.origin),
        successor=_hash(row.successor),
        quantity=row.quantity,
        requested=row.requested,
        issued=row.issued,
        expires=row.expires,
        revision=row.revision,
        part=row.part,
        state=row.state,
        freezes=row.freezes,
        locked=row.locked,
        rejectable=Rejectable(row.rejectable),
        purpose=Purpose(row.purpose),
    )
    contract = Address(bytes.fromhex(row.contract[2:]))
    return StoredReceipt(Hash32(bytes.fromhex(row.id[2:])), contract, receipt, place_of(row))


def _acted(row: Row[Any]) -> ReceiptAct:
    return ReceiptAct(
        act=row.act,
        by=row.by,
        detail=_hash(row.detail),
        remark=row.remark,
        revision=row.revision,
        state=row.state,
        holder=row.holder,
        owner=row.owner,
        pledgee=row.pledgee,
        quantity=row.quantity,
        place=place_of(row),
    )


def _hash(text: str | None) -> Hash32 | None:
    return None if text is None else Hash32(bytes.fromhex(text[2:]))


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
