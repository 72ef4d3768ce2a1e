"""Receivables as they stand, from SQL, for whoever may see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, or_, select, tuple_
from sqlalchemy.engine import Row

from contracts.financing.offered import is_offered, offered_assets
from contracts.instruments.pages import Page, bounded, page_of, parse_cursor
from contracts.instruments.places import ChainPlace, place_of
from contracts.instruments.viewer import PreparedQuery, Viewer
from contracts.receivables.tables import (
    receivable_act_table,
    receivable_endorsement_table,
    receivable_party_table,
    receivable_table,
    receivable_terms_table,
)
from contracts.receivables.types import Endorsement, Kind, Receivable
from contracts.settlement.offered import is_sold, sold_assets
from ledger.types import Address, Hash32

FEW: Final = 2_000
"""Of so many records an organisation's own are looked through, whatever is asked for."""

OWED: Final = ("accepted", "disputed", "presented", "defaulted")
"""States in which the debtor owes the holder money."""


@dataclass(frozen=True, slots=True)
class ReceivableQuery:
    """Which receivables are asked for; what is None does not matter."""

    states: tuple[str, ...] | None = None
    kinds: tuple[Kind, ...] | None = None
    issuer: str | None = None
    creditor: str | None = None
    debtor: str | None = None
    holder: str | None = None
    pledgee: str | None = None
    attestor: str | None = None
    guarantor: str | None = None
    """The nearest endorser who stands behind it."""
    origin: Hash32 | None = None
    """Parts of this one."""
    root: Hash32 | None = None
    """This one and all that came out of it."""
    number: str | None = None
    """The issuer's own, whole."""
    currency: str | None = None
    due_before: int | None = None
    """Unix seconds; the list is then in the order of due dates, otherwise newest first."""
    after: str | None = None
    """Where the page before has ended."""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class StoredReceivable:
    """A receivable as it is now."""

    id: Hash32
    contract: Address
    """The version of Receivables that keeps it."""
    receivable: Receivable
    place: ChainPlace
    """Of its last act."""


@dataclass(frozen=True, slots=True)
class ReceivableAct:
    """One act, and what it left behind."""

    act: str
    by: str | None
    detail: Hash32 | None
    remark: str
    revision: int
    state: str
    holder: str
    pledgee: str | None
    guarantor: str | None
    outstanding: int
    paid: int
    place: ChainPlace


def find_receivable(connection: Connection, id_: Hash32, viewer: Viewer) -> StoredReceivable | None:
    """The receivable, or None where there is none or the viewer may not see it."""
    row = _FIND.run(connection, viewer, wanted=_hex(id_)).one_or_none()
    return None if row is None else _stored(row)


def list_receivables(
    connection: Connection, query: ReceivableQuery, viewer: Viewer
) -> Page[StoredReceivable]:
    """A page of the receivables that the viewer may see. Raises `CursorInvalid`."""
    limit = bounded(query.limit)
    if query.due_before is not None:
        rows = connection.execute(_by_due_date(query, viewer).limit(limit + 1)).all()
        return page_of(rows, limit, _stored, lambda row: [row.due, row.position])
    few = _has_few(connection, viewer)
    statement = _among_own(query, viewer) if few else _newest_first(query, viewer)
    rows = connection.execute(statement.limit(limit + 1)).all()
    return page_of(rows, limit, _stored, lambda row: [row.position])


def receivable_history(
    connection: Connection,
    id_: Hash32,
    viewer: Viewer,
    *,
    after: str | None = None,
    limit: int = 50,
) -> Page[ReceivableAct]:
    """Acts on a receivable, oldest first; none where the viewer may not see it.

    Raises `CursorInvalid`.
    """
    table, limit = receivable_act_table, bounded(limit)
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


def receivable_endorsements(
    connection: Connection, id_: Hash32, viewer: Viewer
) -> tuple[Endorsement, ...]:
    """Endorsers before the holder, the nearest first; at most 32."""
    table = receivable_endorsement_table
    query = (
        select(table)
        .where(table.c.id == _hex(id_), table.c.until.is_(None))
        .where(_sees(viewer, table.c.id))
        .order_by(table.c.depth.desc())
    )
    return tuple(Endorsement(row.endorser, row.recourse) for row in connection.execute(query))


def receivable_terms(
    connection: Connection, id_: Hash32, viewer: Viewer
) -> tuple[tuple[Hash32, bytes], ...]:
    """Documents that were published with a receivable, by their hashes; at most two."""
    table = receivable_terms_table
    query = (
        select(table)
        .where(table.c.id == _hex(id_), _sees(viewer, table.c.id))
        .order_by(table.c.terms)
    )
    rows = connection.execute(query)
    return tuple((Hash32(bytes.fromhex(row.terms[2:])), bytes(row.payload)) for row in rows)


# ---- ways to a page -----------------------------------------------------------------------------


def _has_few(connection: Connection, viewer: Viewer) -> bool:
    if viewer.sees_all:
        return False
    table = receivable_party_table
    some = select(1).where(table.c.organisation == viewer.organisation).limit(FEW + 1)
    count = select(func.count()).select_from(some.subquery())
    return connection.execute(count).scalar_one() <= FEW


def _among_own(query: ReceivableQuery, viewer: Viewer) -> Select[Any]:
    """Through the viewer's own records, which are few."""
    table, parties = receivable_table, receivable_party_table
    own = select(parties.c.id).where(parties.c.organisation == viewer.organisation)
    own_or_offered = own.union(offered_assets(viewer, table), sold_assets(viewer))
    statement = select(table).where(table.c.id.in_(own_or_offered), *_conditions(query))
    return _older(statement, query).order_by(table.c.position.desc())


def _newest_first(query: ReceivableQuery, viewer: Viewer) -> Select[Any]:
    """Through all records, in their order, by whichever index fits what is asked for."""
    table = receivable_table
    statement = select(table).where(_seen(viewer), *_conditions(query))
    return _older(statement, query).order_by(table.c.position.desc())


def _older(statement: Select[Any], query: ReceivableQuery) -> Select[Any]:
    since = parse_cursor(query.after, 1)
    return statement if since is None else statement.where(receivable_table.c.position < since[0])


def _by_due_date(query: ReceivableQuery, viewer: Viewer) -> Select[Any]:
    table = receivable_table
    statement = select(table).where(
        table.c.due < query.due_before, _seen(viewer), *_conditions(query)
    )
    if (since := parse_cursor(query.after, 2)) is not None:
        statement = statement.where(tuple_(table.c.due, table.c.position) > since)
    return statement.order_by(table.c.due, table.c.position)


def _conditions(query: ReceivableQuery) -> list[ColumnElement[bool]]:
    c = receivable_table.c
    wanted = {
        c.issuer: query.issuer,
        c.creditor: query.creditor,
        c.debtor: query.debtor,
        c.holder: query.holder,
        c.pledgee: query.pledgee,
        c.attestor: query.attestor,
        c.guarantor: query.guarantor,
        c.origin: None if query.origin is None else _hex(query.origin),
        c.root: None if query.root is None else _hex(query.root),
        c.number: query.number,
        c.currency: query.currency,
    }
    found = [column == value for column, value in wanted.items() if value is not None]
    if query.states is not None:
        one = len(query.states) == 1
        found.append(c.state == query.states[0] if one else c.state.in_(query.states))
    if query.kinds is not None:
        found.append(c.kind.in_([int(kind) for kind in query.kinds]))
    return found


def _seen(viewer: Viewer) -> ColumnElement[bool]:
    return _sees(viewer, receivable_table.c.id)


def _sees(viewer: Viewer, record: ColumnElement[Any]) -> ColumnElement[bool]:
    """As a party, as a bank that is asked to lend on it, or as the buyer in a deal under way."""
    party = viewer.may_see(receivable_party_table, record)
    return or_(party, is_offered(viewer, record, receivable_table), is_sold(viewer, record))


_FIND: Final = PreparedQuery(
    lambda viewer: select(receivable_table).where(
        receivable_table.c.id == bindparam("wanted"), _seen(viewer)
    )
)


# ---- rows ---------------------------------------------------------------------------------------


def _stored(row: Row[Any]) -> StoredReceivable:
    receivable = Receivable(
        kind=Kind(row.kind),
        issuer=row.issuer,
        number=row.number,
        creditor=row.creditor,
        debtor=row.debtor,
        attestor=row.attestor,
        terms=Hash32(bytes.fromhex(row.terms[2:])),
        invoice=_hash(row.invoice),
        holder=row.holder,
        pledgee=row.pledgee,
        guarantor=row.guarantor,
        origin=_hash(row.origin),
        root=Hash32(bytes.fromhex(row.root[2:])),
        amount=row.amount,
        outstanding=row.outstanding,
        paid=row.paid,
        currency=row.currency,
        issued=row.issued,
        due=row.due,
        deliver_by=row.deliver_by,
        presented=row.presented,
        grace_seconds=row.grace_seconds,
        revision=row.revision,
        part=row.part,
        endorsements=row.endorsements,
        state=row.state,
        freezes=row.freezes,
        locked=row.locked,
        disputable=row.disputable,
        undertaken=row.undertaken,
        rejectable=row.rejectable,
        financed=row.financed,
    )
    contract = Address(bytes.fromhex(row.contract[2:]))
    return StoredReceivable(Hash32(bytes.fromhex(row.id[2:])), contract, receivable, place_of(row))


def _acted(row: Row[Any]) -> ReceivableAct:
    return ReceivableAct(
        act=row.act,
        by=row.by,
        detail=_hash(row.detail),
        remark=row.remark,
        revision=row.revision,
        state=row.state,
        holder=row.holder,
        pledgee=row.pledgee,
        guarantor=row.guarantor,
        outstanding=row.outstanding,
        paid=row.paid,
        place=place_of(row),
    )


def _hash(text: str | None) -> Hash32 | None:
    return None if text is None else Hash32(bytes.fromhex(text[2:]))


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
