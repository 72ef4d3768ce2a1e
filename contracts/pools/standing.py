"""How a pool stands, from SQL: its money, its history, and the instruments that are in it now.

For whoever may see the pool, as `contracts.pools.queries`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, func, select, tuple_
from sqlalchemy.engine import Row

from contracts.instruments.pages import Page, bounded, page_of, parse_cursor
from contracts.instruments.places import ChainPlace, place_of
from contracts.instruments.viewer import Viewer
from contracts.pools.queries import StoredDistribution, pool_distributions
from contracts.pools.tables import (
    pool_account_table,
    pool_act_table,
    pool_asset_table,
    pool_collection_table,
    pool_open_table,
    pool_party_table,
    pool_payment_table,
    pool_table,
)
from contracts.pools.types import Account, Open
from contracts.receipts.tables import receipt_table
from contracts.receivables.tables import receivable_table
from ledger.types import Address, Hash32


@dataclass(frozen=True, slots=True)
class StoredAct:
    """Something that happened to a pool."""

    act: str
    by: str | None
    """None where the event does not say."""
    detail: str
    """Remark, reason, or what was moved."""
    place: ChainPlace


@dataclass(frozen=True, slots=True)
class Control:
    """How an instrument stands that the trustee of its pool holds."""

    state: str
    pledged: bool
    frozen: bool
    locked: bool
    amount: int
    """Outstanding of a receivable, in hundredths; quantity of a receipt, in thousandths."""
    leaf_index: int
    """Of its last act."""


@dataclass(frozen=True, slots=True)
class PoolInstrument:
    """A receipt or receivable that is in a pool."""

    id: Hash32
    contract: Address
    kind: str | None
    """`receivable` or `receipt`; None for a contract that is neither."""
    place: ChainPlace
    """Where it was told that it came in."""
    control: Control | None
    """None: the trustee does not hold it now. What others do with it is theirs."""


def pool_account(connection: Connection, id_: Hash32, viewer: Viewer) -> Account:
    """Where the pool's money stands; all zeros where nothing has happened or nothing is seen."""
    row = _one(connection, pool_account_table, id_, viewer)
    table = pool_payment_table
    last, unconfirmed = connection.execute(
        select(
            func.coalesce(func.max(table.c.number), 0),
            func.count().filter(table.c.settled.is_(None)),
        ).where(table.c.id == _hex(id_), _seen(table, viewer))
    ).one()
    collections = select(func.coalesce(func.max(pool_collection_table.c.number), 0)).where(
        pool_collection_table.c.id == _hex(id_), _seen(pool_collection_table, viewer)
    )
    return Account(
        periods=0 if row is None else row.periods,
        period_end=0 if row is None else row.period_end,
        collections=connection.execute(collections).scalar_one(),
        payments=last,
        unconfirmed=unconfirmed,
        shortfall=0 if row is None else row.shortfall,
        defaulted_peak=0 if row is None else row.defaulted_peak,
    )


def open_of(connection: Connection, id_: Hash32, period: int, viewer: Viewer) -> Open:
    """What was collected for a period; nothing where that is so, or where it is not seen."""
    table = pool_open_table
    query = select(table).where(
        table.c.id == _hex(id_), table.c.period == period, _seen(table, viewer)
    )
    row = connection.execute(query).one_or_none()
    return Open(0, 0, 0) if row is None else Open(row.principal, row.income, row.revision)


def pool_periods(
    connection: Connection,
    id_: Hash32,
    viewer: Viewer,
    *,
    after: str | None = None,
    limit: int = 50,
) -> Page[StoredDistribution]:
    """Distributed periods, oldest first. Raises `CursorInvalid`."""
    since, limit = (parse_cursor(after, 1) or (0,))[0], bounded(limit)
    found = [one for one in pool_distributions(connection, id_, viewer) if one.period > since]
    shown = tuple(found[:limit])
    return Page(shown, str(shown[-1].period) if len(found) > limit else None)


def pool_history(
    connection: Connection,
    id_: Hash32,
    viewer: Viewer,
    *,
    after: str | None = None,
    limit: int = 50,
) -> Page[StoredAct]:
    """Offices, units and instruments: what happened to them, oldest first. Raises `CursorInvalid`.

    Dates and money have lists of their own.
    """
    table, limit = pool_act_table, bounded(limit)
    query = select(table).where(table.c.id == _hex(id_), _seen(table, viewer))
    if (since := parse_cursor(after, 2)) is not None:
        query = query.where(tuple_(table.c.block_number, table.c.log_index) > since)
    ordered = query.order_by(table.c.block_number, table.c.log_index).limit(limit + 1)
    rows = connection.execute(ordered).all()
    return page_of(rows, limit, _act, lambda row: [row.block_number, row.log_index])


def pool_instruments(
    connection: Connection,
    id_: Hash32,
    viewer: Viewer,
    *,
    after: str | None = None,
    limit: int = 50,
) -> Page[PoolInstrument]:
    """Instruments of this ledger in the pool, in the order in which they came, each with whether
    the trustee still holds it. Raises `CursorInvalid`."""
    table, limit = pool_asset_table, bounded(limit)
    owed, goods = receivable_table, receipt_table
    trustee = pool_table.c.trustee
    query = (
        select(
            table,
            owed.c.id.label("owed"),
            (owed.c.holder == trustee).label("owed_held"),
            owed.c.state.label("owed_state"),
            owed.c.pledgee.label("owed_pledgee"),
            owed.c.freezes.label("owed_freezes"),
            owed.c.locked.label("owed_locked"),
            owed.c.outstanding.label("owed_amount"),
            owed.c.leaf_index.label("owed_leaf"),
            goods.c.id.label("goods"),
            (goods.c.holder == trustee).label("goods_held"),
            goods.c.state.label("goods_state"),
            goods.c.pledgee.label("goods_pledgee"),
            goods.c.freezes.label("goods_freezes"),
            goods.c.locked.label("goods_locked"),
            goods.c.quantity.label("goods_amount"),
            goods.c.leaf_index.label("goods_leaf"),
        )
        .select_from(
            table.join(pool_table, pool_table.c.id == table.c.id)
            .outerjoin(owed, _kept(owed))
            .outerjoin(goods, _kept(goods))
        )
        .where(table.c.id == _hex(id_), _seen(table, viewer))
    )
    if (since := parse_cursor(after, 2)) is not None:
        query = query.where(tuple_(table.c.leaf_index, table.c.ordinal) > since)
    ordered = query.order_by(table.c.leaf_index, table.c.ordinal).limit(limit + 1)
    rows = connection.execute(ordered).all()
    return page_of(rows, limit, _instrument, lambda row: [row.leaf_index, row.ordinal])


def instrument_places(
    connection: Connection, id_: Hash32, assets: tuple[Hash32, ...], viewer: Viewer
) -> dict[Hash32, Address]:
    """Contracts of those instruments that are in the pool."""
    table = pool_asset_table
    query = select(table.c.asset, table.c.instrument).where(
        table.c.id == _hex(id_),
        table.c.asset.in_([_hex(one) for one in assets]),
        _seen(table, viewer),
    )
    return {
        Hash32(bytes.fromhex(asset[2:])): Address(bytes.fromhex(instrument[2:]))
        for asset, instrument in connection.execute(query)
    }


# ---- within -------------------------------------------------------------------------------------


def _seen(table: Table, viewer: Viewer) -> Any:
    return viewer.may_see(pool_party_table, table.c.id)


def _kept(records: Table) -> ColumnElement[bool]:
    """The instrument's own record, in the contract that it came in from."""
    table = pool_asset_table
    return and_(records.c.id == table.c.asset, records.c.contract == table.c.instrument)


def _one(connection: Connection, table: Table, id_: Hash32, viewer: Viewer) -> Row[Any] | None:
    query = select(table).where(table.c.id == _hex(id_), _seen(table, viewer))
    return connection.execute(query).one_or_none()


def _act(row: Row[Any]) -> StoredAct:
    return StoredAct(row.kind, row.by, row.detail, place_of(row))


def _instrument(row: Row[Any]) -> PoolInstrument:
    prefix = "owed" if row.owed is not None else "goods"
    known = row.owed is not None or row.goods is not None
    values = row._mapping
    control = None
    if known and values[f"{prefix}_held"]:
        control = Control(
            state=values[f"{prefix}_state"],
            pledged=values[f"{prefix}_pledgee"] is not None,
            frozen=values[f"{prefix}_freezes"] > 0,
            locked=values[f"{prefix}_locked"],
            amount=values[f"{prefix}_amount"],
            leaf_index=values[f"{prefix}_leaf"],
        )
    return PoolInstrument(
        id=Hash32(bytes.fromhex(row.asset[2:])),
        contract=Address(bytes.fromhex(row.instrument[2:])),
        kind={"owed": "receivable", "goods": "receipt"}[prefix] if known else None,
        place=place_of(row),
        control=control,
    )


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
