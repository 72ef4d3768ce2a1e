"""Lots as they stand, from SQL: what was counted beside what live receipts stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, or_, select, true, tuple_
from sqlalchemy.engine import Row

from contracts.instruments.pages import Page, bounded, page_of, parse_cursor
from contracts.instruments.places import ChainPlace, place_of
from contracts.instruments.viewer import Viewer
from contracts.receipts.tables import (
    receipt_lot_party_table,
    receipt_table,
)
from contracts.stock.tables import (
    lot_counter_table,
    lot_entry_table,
    lot_party_table,
    lot_table,
)
from contracts.stock.types import Agreement, Lot, Nature
from ledger.types import Address, Hash32

IN_STORE: Final = ("live", "surrendered", "paper", "expired")
"""States of receipts that stand for goods."""


@dataclass(frozen=True, slots=True)
class LotQuery:
    """Which lots are asked for; what is None does not matter."""

    warehouse: str | None = None
    place: Hash32 | None = None
    short: bool | None = None
    after: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class StoredLot:
    """A lot as it is now."""

    key: Hash32
    lot: Lot
    """Its `last_count` is what the last count said, whatever has left since."""
    counters: tuple[str, ...]
    receipts: int | None
    """How many receipts stand for its goods; for who keeps them, or sees all."""
    place: ChainPlace
    """Of the last event."""

    @property
    def free(self) -> int:
        """What new receipts could be issued for, with a fresh count."""
        return 0 if self.lot.short else max(0, self.lot.counted - self.lot.live)

    @property
    def missing(self) -> int:
        """What is not there that live receipts stand for."""
        return max(0, self.lot.live - self.lot.counted)


@dataclass(frozen=True, slots=True)
class Location:
    """All lots of one warehouse at one place, in one unit."""

    warehouse: str
    place: Hash32
    unit: str
    lots: int
    counted: int
    live: int
    free: int
    missing: int
    short: int
    """How many of the lots are short."""


@dataclass(frozen=True, slots=True)
class LotEntry:
    """One thing that happened to a lot's stock."""

    kind: str
    by: str | None
    organisation: str | None
    counter: Address | None
    counted: int | None
    live: int | None
    former: int | None
    counted_at: int | None
    sequence: int | None
    evidence: Hash32 | None
    text: str
    place: ChainPlace


def find_lot(connection: Connection, key: Hash32, viewer: Viewer) -> StoredLot | None:
    """The lot, or None where there is none or the viewer may not see it."""
    query = select(lot_table).where(lot_table.c.key == _hex(key), _seen(viewer))
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return _completed(connection, Page((_bare(row),), None), viewer).items[0]


def list_lots(connection: Connection, query: LotQuery, viewer: Viewer) -> Page[StoredLot]:
    """A page of the lots that the viewer may see, newest first. Raises `CursorInvalid`."""
    table, limit = lot_table, bounded(query.limit)
    statement = select(table).where(_seen(viewer))
    if query.warehouse is not None:
        statement = statement.where(table.c.warehouse == query.warehouse)
    if query.place is not None:
        statement = statement.where(table.c.place == _hex(query.place))
    if query.short is not None:
        statement = statement.where(table.c.short == query.short)
    if (since := parse_cursor(query.after, 1)) is not None:
        statement = statement.where(table.c.position < since[0])
    rows = connection.execute(statement.order_by(table.c.position.desc()).limit(limit + 1)).all()
    page = page_of(rows, limit, _bare, lambda row: [row.position])
    return _completed(connection, page, viewer)


def locations(
    connection: Connection, viewer: Viewer, *, warehouse: str | None = None, limit: int = 1_000
) -> tuple[Location, ...]:
    """Stock beside receipts by warehouse, place and unit, of the lots that the viewer may see.

    Sums are of whole lots: exact, and in Python, since SQLite's numbers end at 64 bits.
    """
    c = lot_table.c
    query = select(c.warehouse, c.place, c.unit, c.counted, c.live, c.short).where(_seen(viewer))
    if warehouse is not None:
        query = query.where(c.warehouse == warehouse)
    found: dict[tuple[str, str, str], list[int]] = {}
    for row in connection.execute(query):
        sums = found.setdefault((row.warehouse, row.place, row.unit), [0] * 6)
        gap = row.counted - row.live
        free = 0 if row.short else max(0, gap)
        for index, value in enumerate((1, row.counted, row.live, free, max(0, -gap), row.short)):
            sums[index] += value
    return tuple(
        Location(keeper, Hash32(bytes.fromhex(place[2:])), unit, *found[keeper, place, unit])
        for keeper, place, unit in sorted(found)[: bounded(limit)]
    )


def lot_history(
    connection: Connection,
    key: Hash32,
    viewer: Viewer,
    *,
    kind: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[LotEntry]:
    """What happened to a lot's stock, newest first; nothing where the viewer may not see it.

    `kind` is one of `ENTRY_KINDS`: `counted` gives the counts. Raises `CursorInvalid`.
    """
    table, limit = lot_entry_table, bounded(limit)
    seen = select(lot_table.c.key).where(lot_table.c.key == _hex(key), _seen(viewer))
    query = select(table).where(table.c.lot.in_(seen))
    if kind is not None:
        query = query.where(table.c.kind == kind)
    if (since := parse_cursor(after, 2)) is not None:
        query = query.where(tuple_(table.c.block_number, table.c.log_index) < since)
    query = query.order_by(table.c.block_number.desc(), table.c.log_index.desc())
    rows = connection.execute(query.limit(limit + 1)).all()
    return page_of(rows, limit, _entry, lambda row: [row.block_number, row.log_index])


def _seen(viewer: Viewer) -> ColumnElement[bool]:
    """Whoever keeps or counts the goods, and whoever has or had to do with a receipt for them."""
    if viewer.sees_all:
        return true()
    return or_(
        *(
            lot_table.c.key.in_(
                select(parties.c.id).where(parties.c.organisation == viewer.organisation)
            )
            for parties in (lot_party_table, receipt_lot_party_table)
        )
    )


def _completed(connection: Connection, page: Page[StoredLot], viewer: Viewer) -> Page[StoredLot]:
    """The lots with their counters, and with how many receipts stand for them."""
    keys = [_hex(lot.key) for lot in page.items]
    counters: dict[str, list[str]] = {}
    table = lot_counter_table
    for row in connection.execute(
        select(table).where(table.c.lot.in_(keys)).order_by(table.c.organisation)
    ):
        counters.setdefault(row.lot, []).append(row.organisation)
    receipts = receipt_table.c
    known = [
        _hex(lot.key)
        for lot in page.items
        if viewer.sees_all or lot.lot.warehouse == viewer.organisation
    ]
    counted = (
        select(receipts.lot, func.count())
        .where(receipts.lot.in_(known), receipts.state.in_(IN_STORE))
        .group_by(receipts.lot)
    )
    counts = dict.fromkeys(known, 0) | {row[0]: row[1] for row in connection.execute(counted)}
    return page.map(
        lambda lot: StoredLot(
            lot.key,
            lot.lot,
            tuple(counters.get(_hex(lot.key), ())),
            counts.get(_hex(lot.key)),
            lot.place,
        )
    )


def _bare(row: Row[Any]) -> StoredLot:
    lot = Lot(
        warehouse=row.warehouse,
        place=Hash32(bytes.fromhex(row.place[2:])),
        lot=Hash32(bytes.fromhex(row.lot[2:])),
        agreement=Agreement(
            nature=Nature(row.nature),
            unit=row.unit,
            shortfall_bp=row.shortfall_bp,
            adjustment_bp=row.adjustment_bp,
            count_age_max_seconds=row.count_age_max_seconds,
        ),
        counted=row.counted,
        live=row.live,
        last_count=row.last_count,
        counted_at=row.counted_at,
        short=row.short,
    )
    return StoredLot(Hash32(bytes.fromhex(row.key[2:])), lot, (), None, place_of(row))


def _entry(row: Row[Any]) -> LotEntry:
    return LotEntry(
        kind=row.kind,
        by=row.by,
        organisation=row.organisation,
        counter=None if row.counter is None else Address(bytes.fromhex(row.counter[2:])),
        counted=row.counted,
        live=row.live,
        former=row.former,
        counted_at=row.counted_at,
        sequence=row.sequence,
        evidence=None if row.evidence is None else Hash32(bytes.fromhex(row.evidence[2:])),
        text=row.text,
        place=place_of(row),
    )


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
