"""Receipts in SQL: the handler."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from typing import Any, Final

from sqlalchemy import Connection, delete, select

from contracts.directory import FollowingHandler
from contracts.genesis import (
    DIRECTORY_ADDRESS,
    PLEDGES_ADDRESS,
    RECEIPTS_ADDRESS,
    STOCK_ADDRESS,
)
from contracts.instruments.columns import add_missing, hex_of, insert_later, put, put_later
from contracts.instruments.places import place_values
from contracts.instruments.viewer import note_parties_later
from contracts.pledges.binding import decode_log as decode_pledges_log
from contracts.pledges.types import PledgeChanged
from contracts.receipts.binding import decode_log
from contracts.receipts.tables import (
    metadata,
    receipt_act_table,
    receipt_keeper_table,
    receipt_lot_party_table,
    receipt_party_table,
    receipt_table,
    receipt_terms_table,
)
from contracts.receipts.types import Receipt, ReceiptActed, TermsPublished
from contracts.stock.binding import decode_log as decode_stock_log
from contracts.stock.types import LotEntrusted
from ledger.projection import flush
from ledger.types import Address, CommittedBlock, PlacedLog

_COLUMNS: Final = tuple(field.name for field in fields(Receipt))


class ReceiptsHandler:
    """Fills the tables. Implements `ledger.projection.Handler`.

    Beside the logs of Receipts it takes those of Stock and Pledges, for who may see a receipt: the
    warehouse that its goods are entrusted to, and the bank that it is offered to as security.
    """

    name = "receipts"
    metadata = metadata

    def __init__(
        self,
        address: Address = RECEIPTS_ADDRESS,
        *,
        stock: Address = STOCK_ADDRESS,
        pledges: Address = PLEDGES_ADDRESS,
    ) -> None:
        self.address = address
        self.stock = stock
        self.pledges = pledges
        self._keepers: dict[str, str] | None = None
        """By lot, as in the table; None before it was read. What a transaction that fails leaves
        here is there again once its block is applied."""

    def reset(self, connection: Connection) -> None:
        """Back to genesis: no receipts."""
        self._keepers = None
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))

    def apply(self, connection: Connection, block: CommittedBlock, log: PlacedLog) -> None:
        """Apply one event. Raises `LogError` where it is none of its contract's."""
        del block
        if log.log.address == self.stock:
            self._stock(connection, log)
        elif log.log.address == self.pledges:
            self._pledges(connection, log)
        else:
            self._receipts(connection, log)

    def _receipts(self, connection: Connection, log: PlacedLog) -> None:
        match decode_log(log.log):
            case ReceiptActed() as acted:
                self._act(connection, acted, log)
            case TermsPublished(id_, terms, payload):
                row = {"id": hex_of(id_), "terms": hex_of(terms), "payload": payload}
                put_later(connection, receipt_terms_table, row)

    def _stock(self, connection: Connection, log: PlacedLog) -> None:
        event = decode_stock_log(log.log)
        if not isinstance(event, LotEntrusted):
            return
        lot, warehouse = str(hex_of(event.key)), event.warehouse
        flush(connection)
        put(connection, receipt_keeper_table, {"lot": lot, "warehouse": warehouse})
        self._known_keepers(connection)[lot] = warehouse
        query = select(receipt_table.c.id, receipt_table.c.position).where(
            receipt_table.c.lot == lot
        )
        rows = [
            {"id": row.id, "organisation": warehouse, "position": row.position}
            for row in connection.execute(query)
        ]
        add_missing(connection, receipt_party_table, rows)

    @staticmethod
    def _pledges(connection: Connection, log: PlacedLog) -> None:
        event = decode_pledges_log(log.log)
        if not isinstance(event, PledgeChanged):
            return
        record, parties = str(hex_of(event.pledge.id)), [event.pledge.pledgee]
        note_parties_later(connection, receipt_party_table, receipt_table, record, parties)

    def _act(self, connection: Connection, acted: ReceiptActed, log: PlacedLog) -> None:
        id_, receipt = str(hex_of(acted.id)), acted.receipt
        row = {
            "id": id_,
            "position": log.leaf_index,
            "contract": hex_of(log.log.address),
            **_values(receipt),
            **place_values(log),
        }
        put_later(connection, receipt_table, row, kept="position")
        insert_later(connection, receipt_act_table, _history(id_, acted, log))
        lot = str(hex_of(receipt.lot))
        parties = {
            receipt.warehouse,
            receipt.holder,
            receipt.owner,
            receipt.nominee,
            receipt.pledgee,
            self._known_keepers(connection).get(lot),
        }
        note_parties_later(connection, receipt_party_table, receipt_table, id_, parties)
        lots = receipt_lot_party_table
        note_parties_later(connection, lots, receipt_table, id_, parties, about=lot)

    def _known_keepers(self, connection: Connection) -> dict[str, str]:
        if self._keepers is None:
            rows = connection.execute(select(receipt_keeper_table))
            self._keepers = {row.lot: row.warehouse for row in rows}
        return self._keepers


class ReceiptsFollowing(FollowingHandler):
    """Follows all versions of Receipts, and the two contracts beside it."""

    def __init__(self, inner: ReceiptsHandler, directory: Address = DIRECTORY_ADDRESS) -> None:
        super().__init__(inner, "receipts", directory)
        self._beside = {inner.stock, inner.pledges}

    def addresses(self, connection: Connection, block: CommittedBlock) -> Collection[Address]:
        """The directory, every version up to this block, Stock and Pledges."""
        return {*super().addresses(connection, block), *self._beside}


def _values(receipt: Receipt) -> dict[str, Any]:
    """Columns are named as the record's fields."""
    values = {name: getattr(receipt, name) for name in _COLUMNS}
    for name in ("lot", "goods", "terms", "origin", "successor"):
        values[name] = hex_of(values[name])
    values["rejectable"] = int(receipt.rejectable)
    values["purpose"] = int(receipt.purpose)
    return values


def _history(id_: str, acted: ReceiptActed, log: PlacedLog) -> dict[str, Any]:
    receipt = acted.receipt
    return {
        "id": id_,
        **place_values(log),
        "act": acted.act,
        "by": acted.by,
        "detail": hex_of(acted.detail),
        "remark": acted.remark,
        "revision": receipt.revision,
        "state": receipt.state,
        "holder": receipt.holder,
        "owner": receipt.owner,
        "pledgee": receipt.pledgee,
        "quantity": receipt.quantity,
    }
