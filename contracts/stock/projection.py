"""Stock in SQL: the handler."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, Connection, Update, bindparam, delete, update

from contracts.genesis import STOCK_ADDRESS
from contracts.instruments.columns import add_missing, hex_of, insert_later, put_later
from contracts.instruments.places import place_values
from contracts.instruments.viewer import note_parties_later
from contracts.stock.binding import decode_log
from contracts.stock.tables import (
    lot_counter_table,
    lot_entry_table,
    lot_party_table,
    lot_table,
    metadata,
)
from contracts.stock.types import (
    Adjusted,
    Agreement,
    AgreementChanged,
    Counted,
    CounterChanged,
    LotEntrusted,
    LotRegistered,
    ShortfallBegan,
    ShortfallEnded,
    StockMoved,
)
from ledger.projection import write_later
from ledger.types import Address, CommittedBlock, PlacedLog


class StockHandler:
    """Fills the tables. Implements `ledger.projection.Handler`."""

    name = "stock"
    metadata = metadata

    def __init__(self, address: Address = STOCK_ADDRESS) -> None:
        self.address = address

    def reset(self, connection: Connection) -> None:
        """Back to genesis: no lots."""
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))

    def apply(self, connection: Connection, block: CommittedBlock, log: PlacedLog) -> None:
        """Apply one event of the contract. Raises `LogError` where it is none."""
        del block
        match decode_log(log.log):
            case LotRegistered() as event:
                _register(connection, event, log)
            case AgreementChanged(key, agreement):
                _change(connection, key, log, **_agreement(agreement))
                _entry(connection, key, log, "agreement")
            case CounterChanged() as event:
                _counter(connection, event, log)
            case LotEntrusted() as event:
                _entrust(connection, event, log)
            case Counted() as event:
                _count(connection, event, log)
            case Adjusted(key, by, former, counted, reason):
                _change(connection, key, log, counted=counted)
                values = {"by": by, "former": former, "counted": counted, "text": reason}
                _entry(connection, key, log, "adjusted", **values)
            case StockMoved(key, _, counted, live):
                _change(connection, key, log, counted=counted, live=live)
                _entry(connection, key, log, "moved", counted=counted, live=live)
            case ShortfallBegan(key, _, counted, live):
                _change(connection, key, log, short=True)
                _entry(connection, key, log, "shortfall-began", counted=counted, live=live)
            case ShortfallEnded(key, _, counted, live):
                _change(connection, key, log, short=False)
                _entry(connection, key, log, "shortfall-ended", counted=counted, live=live)


def _register(connection: Connection, event: LotRegistered, log: PlacedLog) -> None:
    key = str(hex_of(event.key))
    row = {
        "key": key,
        "position": log.leaf_index,
        "warehouse": event.warehouse,
        "place": hex_of(event.place),
        "lot": hex_of(event.lot),
        **_agreement(event.agreement),
        "counted": 0,
        "live": 0,
        "last_count": 0,
        "counted_at": 0,
        "short": False,
        **place_values(log),
    }
    put_later(connection, lot_table, row)
    counters = [{"lot": key, "organisation": one} for one in event.counters]
    add_missing(connection, lot_counter_table, counters)
    parties = [event.warehouse, *event.counters]
    note_parties_later(connection, lot_party_table, lot_table, key, parties)
    _entry(connection, event.key, log, "registered", by=event.warehouse)


def _counter(connection: Connection, event: CounterChanged, log: PlacedLog) -> None:
    key, table = str(hex_of(event.key)), lot_counter_table
    if event.may:
        add_missing(connection, table, [{"lot": key, "organisation": event.organisation}])
        _party(connection, key, event.organisation)
    else:
        here = (table.c.lot == key) & (table.c.organisation == event.organisation)
        connection.execute(delete(table).where(here))
    kind = "counter-added" if event.may else "counter-removed"
    _entry(connection, event.key, log, kind, organisation=event.organisation)


def _entrust(connection: Connection, event: LotEntrusted, log: PlacedLog) -> None:
    _change(connection, event.key, log, warehouse=event.warehouse)
    _party(connection, str(hex_of(event.key)), event.warehouse)
    values = {"by": event.by, "organisation": event.warehouse}
    _entry(connection, event.key, log, "entrusted", evidence=hex_of(event.decision), **values)


def _count(connection: Connection, event: Counted, log: PlacedLog) -> None:
    lot, count = event.lot, event.count
    _change(
        connection,
        event.key,
        log,
        counted=lot.counted,
        live=lot.live,
        last_count=count.quantity,
        counted_at=count.counted_at,
        short=lot.short,
    )
    values = {
        "by": event.organisation,
        "counter": hex_of(event.counter),
        "counted": count.quantity,
        "live": lot.live,
        "counted_at": count.counted_at,
        "sequence": count.sequence,
        "evidence": hex_of(count.evidence),
    }
    _entry(connection, event.key, log, "counted", **values)


def _agreement(agreement: Agreement) -> dict[str, Any]:
    return {
        "nature": int(agreement.nature),
        "unit": agreement.unit,
        "shortfall_bp": agreement.shortfall_bp,
        "adjustment_bp": agreement.adjustment_bp,
        "count_age_max_seconds": agreement.count_age_max_seconds,
    }


def _change(connection: Connection, key: bytes, log: PlacedLog, **values: object) -> None:
    row = values | place_values(log)
    write_later(connection, _changing(tuple(row)), {"lot_key": hex_of(key), **row})


@lru_cache(maxsize=32)
def _changing(names: tuple[str, ...]) -> Update:
    new: dict[str, BindParameter[Any]] = {name: bindparam(name) for name in names}
    return update(lot_table).where(lot_table.c.key == bindparam("lot_key")).values(new)


def _party(connection: Connection, key: str, organisation: str) -> None:
    note_parties_later(connection, lot_party_table, lot_table, key, [organisation])


def _entry(connection: Connection, key: bytes, log: PlacedLog, kind: str, **values: object) -> None:
    row: dict[str, object] = {"lot": hex_of(key), "kind": kind, "text": ""}
    insert_later(connection, lot_entry_table, row | values | place_values(log))
