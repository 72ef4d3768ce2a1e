"""Pledges in SQL: the handler."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete

from contracts.genesis import PLEDGES_ADDRESS
from contracts.instruments.columns import hex_of, insert_later, put_later
from contracts.instruments.places import place_values
from contracts.instruments.viewer import note_parties_later
from contracts.pledges.binding import decode_log
from contracts.pledges.tables import (
    metadata,
    pledge_act_table,
    pledge_asset_table,
    pledge_party_table,
    pledge_table,
)
from contracts.pledges.types import (
    AssetCovered,
    AssetFreed,
    Pledge,
    PledgeAnnulled,
    PledgeChanged,
)
from ledger.projection import write_later
from ledger.types import Address, CommittedBlock, PlacedLog

_FREE: Final = delete(pledge_asset_table).where(pledge_asset_table.c.record == bindparam("freed"))


class PledgesHandler:
    """Fills the tables. Implements `ledger.projection.Handler`."""

    name = "pledges"
    metadata = metadata

    def __init__(self, address: Address = PLEDGES_ADDRESS) -> None:
        self.address = address

    def reset(self, connection: Connection) -> None:
        """Back to genesis: no pledges."""
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))

    def apply(self, connection: Connection, block: CommittedBlock, log: PlacedLog) -> None:
        """Apply one event of the contract. Raises `LogError` where it is none."""
        del block
        match decode_log(log.log):
            case PledgeChanged() as event:
                _change(connection, event, log)
            case AssetCovered(key, instrument, id_):
                row = {
                    "record": hex_of(id_),
                    "instrument": hex_of(instrument),
                    "pledge": hex_of(key),
                }
                put_later(connection, pledge_asset_table, row)
                _told(connection, key, log, "covered", record=hex_of(id_))
            case AssetFreed(key, _, id_, to):
                write_later(connection, _FREE, {"freed": hex_of(id_)})
                _told(connection, key, log, "freed", record=hex_of(id_), receiver=to)
            case PledgeAnnulled(key, by, decision, _):
                _told(connection, key, log, "annulled", by=by, decision=hex_of(decision))


def _change(connection: Connection, event: PledgeChanged, log: PlacedLog) -> None:
    key, pledge = str(hex_of(event.key)), event.pledge
    row = {"key": key, "position": log.leaf_index, **_values(pledge), **place_values(log)}
    put_later(connection, pledge_table, row, kept="position")
    parties = [pledge.pledgor, pledge.pledgee]
    note_parties_later(connection, pledge_party_table, pledge_table, key, parties)
    values = {"state": int(pledge.state), "assets": pledge.assets, "remark": event.remark}
    _told(connection, event.key, log, "changed", by=event.by, **values)


def _values(pledge: Pledge) -> dict[str, Any]:
    terms = pledge.terms
    return {
        "instrument": hex_of(pledge.instrument),
        "record": hex_of(pledge.id),
        "instrument_revision": pledge.instrument_revision,
        "pledgor": pledge.pledgor,
        "pledgee": pledge.pledgee,
        "amount": terms.amount,
        "currency": terms.currency,
        "due": terms.due,
        "notice_seconds": terms.notice_seconds,
        "terms": hex_of(terms.terms),
        "state": int(pledge.state),
        "assets": pledge.assets,
        "since": pledge.since,
        "loan": hex_of(pledge.loan),
    }


def _told(connection: Connection, key: bytes, log: PlacedLog, kind: str, **values: object) -> None:
    row: dict[str, object] = {"key": hex_of(key), "kind": kind, "remark": ""}
    insert_later(connection, pledge_act_table, row | values | place_values(log))
