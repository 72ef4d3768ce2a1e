"""Pools as they stand, from SQL, for whoever may see them: those who are or were parties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Table, exists, select
from sqlalchemy.engine import Row

from contracts.instruments.pages import Page, bounded, page_of, parse_cursor
from contracts.instruments.places import ChainPlace, place_of
from contracts.instruments.viewer import Viewer
from contracts.pools.tables import (
    pool_asset_table,
    pool_collection_table,
    pool_day_table,
    pool_distribution_table,
    pool_fee_table,
    pool_holding_table,
    pool_owed_table,
    pool_party_table,
    pool_payment_table,
    pool_rules_table,
    pool_table,
    pool_tranche_table,
)
from contracts.pools.types import (
    Collection,
    Day,
    Distribution,
    Fee,
    Limits,
    Owed,
    Payment,
    PaymentKind,
    Pool,
    PoolState,
    Terms,
    Tranche,
    date_of,
    days_of,
)
from contracts.pools.waterfall import Flow, flows
from ledger.types import Address, Hash32


@dataclass(frozen=True, slots=True)
class PoolQuery:
    """Which pools are asked for; what is None does not matter."""

    states: tuple[PoolState, ...] | None = None
    arranger: str | None = None
    trustee: str | None = None
    servicer: str | None = None
    holder: str | None = None
    """Of a part of a tranche, now."""
    currency: str | None = None
    number: str | None = None
    after: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class StoredPool:
    """A pool as it is now."""

    id: Hash32
    pool: Pool
    place: ChainPlace
    """Of its last act."""


@dataclass(frozen=True, slots=True)
class StoredTranche:
    """A tranche, what it has had, and who holds it."""

    index: int
    tranche: Tranche
    owed: Owed
    holders: tuple[tuple[str, int], ...]
    """By name."""


@dataclass(frozen=True, slots=True)
class StoredFee:
    """A fee and what is carried over of it."""

    index: int
    fee: Fee
    owed: Owed


@dataclass(frozen=True, slots=True)
class StoredDay:
    """The state of a date, in one of its revisions."""

    date: date
    revision: int
    day: Day
    by: str
    reason: str
    place: ChainPlace


@dataclass(frozen=True, slots=True)
class StoredCollection:
    """Money that has come in."""

    number: int
    collection: Collection
    by: str
    voided_by: str | None
    void_reason: str | None
    place: ChainPlace


@dataclass(frozen=True, slots=True)
class StoredDistribution:
    """What a period's money was shared out into."""

    period: int
    distribution: Distribution
    by: str
    place: ChainPlace


@dataclass(frozen=True, slots=True)
class StoredPayment:
    """What somebody is paid."""

    number: int
    payment: Payment
    place: ChainPlace
    """Where it was told to be due."""
    settled_leaf: int | None
    """Index of the leaf that told that it was made."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A period's way from debtors to investors."""

    collections: tuple[StoredCollection, ...]
    payments: tuple[StoredPayment, ...]
    flows: tuple[Flow, ...]
    """First in, first out, to the hundredth."""


def find_pool(connection: Connection, id_: Hash32, viewer: Viewer) -> StoredPool | None:
    """The pool, or None where there is none or the viewer may not see it."""
    table = pool_table
    query = select(table).where(table.c.id == _hex(id_), _seen(table, viewer))
    row = connection.execute(query).one_or_none()
    return None if row is None else _pool(row)


def list_pools(connection: Connection, query: PoolQuery, viewer: Viewer) -> Page[StoredPool]:
    """A page of the pools that the viewer may see, newest first. Raises `CursorInvalid`."""
    table, limit = pool_table, bounded(query.limit)
    conditions = [_seen(table, viewer)]
    if query.states is not None:
        conditions.append(table.c.state.in_([int(state) for state in query.states]))
    wanted = {
        table.c.arranger: query.arranger,
        table.c.trustee: query.trustee,
        table.c.servicer: query.servicer,
        table.c.currency: query.currency,
        table.c.number: query.number,
    }
    if query.holder is not None:
        held = pool_holding_table
        here = (held.c.id == table.c.id) & (held.c.organisation == query.holder)
        conditions.append(exists(select(1).select_from(held).where(here)))
    conditions += [column == value for column, value in wanted.items() if value is not None]
    if (since := parse_cursor(query.after, 1)) is not None:
        conditions.append(table.c.position < since[0])
    statement = select(table).where(*conditions).order_by(table.c.position.desc())
    rows = connection.execute(statement.limit(limit + 1)).all()
    return page_of(rows, limit, _pool, lambda row: [row.position])


def pool_rules(connection: Connection, id_: Hash32, viewer: Viewer) -> bytes | None:
    """The eligibility rules, canonical JSON; None where they were not published or not seen."""
    rows = _of(connection, pool_rules_table, id_, viewer)
    return bytes(rows[0].document) if rows else None


def pool_tranches(connection: Connection, id_: Hash32, viewer: Viewer) -> tuple[StoredTranche, ...]:
    """The tranches by rank, with holders."""
    holders: dict[int, list[tuple[str, int]]] = {}
    for row in _of(connection, pool_holding_table, id_, viewer, "tranche", "organisation"):
        holders.setdefault(row.tranche, []).append((row.organisation, row.units))
    owed = _owed(connection, id_, PaymentKind.TRANCHE)
    return tuple(
        StoredTranche(
            row.ordinal,
            Tranche(row.name, row.seniority, row.rate_bp, row.principal),
            owed.get(row.ordinal, Owed()),
            tuple(holders.get(row.ordinal, ())),
        )
        for row in _of(connection, pool_tranche_table, id_, viewer, "ordinal")
    )


def pool_fees(connection: Connection, id_: Hash32, viewer: Viewer) -> tuple[StoredFee, ...]:
    """The fees in the order of payment."""
    owed = _owed(connection, id_, PaymentKind.FEE)
    return tuple(
        StoredFee(
            row.ordinal,
            Fee(row.payee, row.rate_bp, row.fixed_amount),
            owed.get(row.ordinal, Owed()),
        )
        for row in _of(connection, pool_fee_table, id_, viewer, "ordinal")
    )


def find_day(
    connection: Connection, id_: Hash32, on: date, viewer: Viewer, revision: int = 0
) -> StoredDay | None:
    """The state of a date; revision 0: the newest."""
    table = pool_day_table
    query = (
        select(table)
        .where(table.c.id == _hex(id_), table.c.date == days_of(on), _seen(table, viewer))
        .order_by(table.c.revision.desc())
        .limit(1)
    )
    if revision:
        query = query.where(table.c.revision == revision)
    row = connection.execute(query).one_or_none()
    return None if row is None else _day(row)


def pool_days(
    connection: Connection,
    id_: Hash32,
    viewer: Viewer,
    *,
    after: str | None = None,
    limit: int = 50,
) -> Page[StoredDay]:
    """States with all revisions, newest date first. Raises `CursorInvalid`."""
    table, limit = pool_day_table, bounded(limit)
    order = (table.c.date.desc(), table.c.revision.desc())
    query = select(table).where(table.c.id == _hex(id_), _seen(table, viewer)).order_by(*order)
    if (since := parse_cursor(after, 2)) is not None:
        older = (table.c.date == since[0]) & (table.c.revision < since[1])
        query = query.where((table.c.date < since[0]) | older)
    rows = connection.execute(query.limit(limit + 1)).all()
    return page_of(rows, limit, _day, lambda row: [row.date, row.revision])


def pool_collections(
    connection: Connection,
    id_: Hash32,
    viewer: Viewer,
    *,
    period: int | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[StoredCollection]:
    """Collections by number, voided ones included. Raises `CursorInvalid`."""
    rows, limit = _numbered(connection, pool_collection_table, id_, viewer, period, after, limit)
    return page_of(rows, limit, _collection, lambda row: [row.number])


def pool_payments(
    connection: Connection,
    id_: Hash32,
    viewer: Viewer,
    *,
    period: int | None = None,
    payee: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[StoredPayment]:
    """Payments by number. Raises `CursorInvalid`."""
    table = pool_payment_table
    rows, limit = _numbered(connection, table, id_, viewer, period, after, limit, payee)
    return page_of(rows, limit, _payment, lambda row: [row.number])


def pool_distributions(
    connection: Connection, id_: Hash32, viewer: Viewer
) -> tuple[StoredDistribution, ...]:
    """Distributions by period."""
    rows = _of(connection, pool_distribution_table, id_, viewer, "period")
    return tuple(_distribution(row) for row in rows)


def pool_of_asset(
    connection: Connection, instrument: Address, asset: Hash32, viewer: Viewer
) -> Hash32 | None:
    """The pool in which an instrument stands, where the viewer may see it."""
    table = pool_asset_table
    query = select(table.c.id).where(
        table.c.instrument == _hex(instrument), table.c.asset == _hex(asset), _seen(table, viewer)
    )
    found = connection.execute(query).scalar_one_or_none()
    return None if found is None else _hash(found)


def trace_period(connection: Connection, id_: Hash32, period: int, viewer: Viewer) -> Trace | None:
    """Which collections of a distributed period have paid for which payments; None where the
    period is not distributed, or not seen."""
    table = pool_distribution_table
    known = select(table.c.period).where(
        table.c.id == _hex(id_), table.c.period == period, _seen(table, viewer)
    )
    if connection.execute(known).scalar_one_or_none() is None:
        return None
    collected = [
        _collection(row)
        for row in _of_period(connection, pool_collection_table, id_, period)
        if row.voided_by is None
    ]
    paid = [_payment(row) for row in _of_period(connection, pool_payment_table, id_, period)]
    found = flows(
        [(one.number, one.collection.principal + one.collection.income) for one in collected],
        [(one.number, one.payment.amount) for one in paid],
    )
    return Trace(tuple(collected), tuple(paid), found)


# ---- within -------------------------------------------------------------------------------------


def _seen(table: Table, viewer: Viewer) -> Any:
    return viewer.may_see(pool_party_table, table.c.id)


def _of(
    connection: Connection, table: Table, id_: Hash32, viewer: Viewer, *order: str
) -> Sequence[Row[Any]]:
    query = select(table).where(table.c.id == _hex(id_), _seen(table, viewer))
    return connection.execute(query.order_by(*(table.c[name] for name in order))).all()


def _of_period(
    connection: Connection, table: Table, id_: Hash32, period: int
) -> Sequence[Row[Any]]:
    here = (table.c.id == _hex(id_)) & (table.c.period == period)
    return connection.execute(select(table).where(here).order_by(table.c.number)).all()


def _numbered(
    connection: Connection,
    table: Table,
    id_: Hash32,
    viewer: Viewer,
    period: int | None,
    after: str | None,
    limit: int,
    payee: str | None = None,
) -> tuple[Sequence[Row[Any]], int]:
    limit = bounded(limit)
    query = select(table).where(table.c.id == _hex(id_), _seen(table, viewer))
    if payee is not None:
        query = query.where(table.c.payee == payee)
    if period is not None:
        query = query.where(table.c.period == period)
    if (since := parse_cursor(after, 1)) is not None:
        query = query.where(table.c.number > since[0])
    return connection.execute(query.order_by(table.c.number).limit(limit + 1)).all(), limit


def _owed(connection: Connection, id_: Hash32, kind: PaymentKind) -> dict[int, Owed]:
    table = pool_owed_table
    query = select(table).where(table.c.id == _hex(id_), table.c.kind == int(kind))
    return {
        row.ordinal: Owed(row.repaid, row.carried, row.remainder)
        for row in connection.execute(query)
    }


def _pool(row: Row[Any]) -> StoredPool:
    terms = Terms(
        trustee=row.trustee,
        servicer=row.servicer,
        residual=row.residual,
        currency=row.currency,
        basis=row.basis,
        start=date_of(row.start),
        sequential_bp=row.sequential_bp,
        turbo_bp=row.turbo_bp,
        rules=_hash(row.rules),
        terms=_hash(row.terms),
        limits=Limits(row.assets_max, date_of(row.admit_until), row.balance_max),
    )
    pool = Pool(
        arranger=row.arranger,
        number=row.number,
        terms=terms,
        state=PoolState(row.state),
        trustee_accepted=row.trustee_accepted,
        servicer_accepted=row.servicer_accepted,
        last_date=None if row.last_date is None else date_of(row.last_date),
        nominated_trustee=row.nominated_trustee,
        nominated_servicer=row.nominated_servicer,
    )
    return StoredPool(_hash(row.id), pool, place_of(row))


def _day(row: Row[Any]) -> StoredDay:
    day = Day(
        root=_hash(row.root),
        delta=_maybe(row.delta),
        performing=row.performing,
        overdue=row.overdue,
        defaulted=row.defaulted,
        count=row.size,
        changed=row.changed,
    )
    return StoredDay(date_of(row.date), row.revision, day, row.by, row.reason, place_of(row))


def _collection(row: Row[Any]) -> StoredCollection:
    collection = Collection(
        payment=_hash(row.payment),
        root=_maybe(row.root),
        count=row.size,
        date=date_of(row.date),
        period=row.period,
        principal=row.principal,
        income=row.income,
        voided=row.voided_by is not None,
    )
    told = row.by, row.voided_by, row.void_reason
    return StoredCollection(row.number, collection, *told, place_of(row))


def _distribution(row: Row[Any]) -> StoredDistribution:
    distribution = Distribution(
        end=date_of(row.end),
        revision=row.revision,
        sequential=row.sequential,
        turbo=row.turbo,
        first_payment=row.first_payment,
        payments=row.payments,
        collected=row.collected,
        fees=row.fees,
        interest=row.interest,
        principal=row.principal,
        residual=row.residual,
    )
    return StoredDistribution(row.period, distribution, row.by, place_of(row))


def _payment(row: Row[Any]) -> StoredPayment:
    payment = Payment(
        payee=row.payee,
        period=row.period,
        kind=PaymentKind(row.kind),
        index=row.ordinal,
        amount=row.amount,
        principal=row.principal,
        settled=_maybe(row.settled),
    )
    return StoredPayment(row.number, payment, place_of(row), row.settled_leaf)


def _hash(text: str) -> Hash32:
    return Hash32(bytes.fromhex(text[2:]))


def _maybe(text: str | None) -> Hash32 | None:
    return None if text is None else _hash(text)


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
