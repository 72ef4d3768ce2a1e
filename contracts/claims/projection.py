"""Claims in SQL, filled from the contract's events."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Connection, MetaData, String, Table, delete, select

from contracts.claims.binding import decode_log
from contracts.claims.types import Annulled, Claim, Claimed, Released
from contracts.genesis import CLAIMS_ADDRESS
from contracts.instruments.columns import put
from ledger.types import Address, CommittedBlock, Hash32, PlacedLog

metadata: Final = MetaData()

claim_table: Final = Table(
    "claim",
    metadata,
    Column("key", String(66), primary_key=True),
    Column("instrument", String(42), nullable=False),
    Column("record", String(66), nullable=False, index=True),
)
"""Keys that stand behind a live record now."""


class ClaimsHandler:
    """Fills the table. Implements `ledger.projection.Handler`."""

    name = "claims"
    metadata = metadata

    def __init__(self, address: Address = CLAIMS_ADDRESS) -> None:
        self.address = address

    def reset(self, connection: Connection) -> None:
        """Back to genesis: nothing is claimed."""
        connection.execute(delete(claim_table))

    def apply(self, connection: Connection, block: CommittedBlock, log: PlacedLog) -> None:
        """Apply one event of the contract. Raises `LogError` where it is none."""
        del block
        match decode_log(log.log):
            case Claimed(key, instrument, id_):
                row = {"key": _hex(key), "instrument": _hex(instrument), "record": _hex(id_)}
                put(connection, claim_table, row)
            case Released(key, _, _):
                here = claim_table.c.key == _hex(key)
                connection.execute(delete(claim_table).where(here))
            case Annulled():
                pass  # by which decision; what it did is told as released


def find_claim(connection: Connection, key: Hash32) -> Claim | None:
    """Who has the key, or None. Says nothing of who the record's parties are."""
    query = select(claim_table).where(claim_table.c.key == _hex(key))
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return Claim(Address(bytes.fromhex(row.instrument[2:])), Hash32(bytes.fromhex(row.record[2:])))


def keys_of(connection: Connection, record: Hash32) -> tuple[Hash32, ...]:
    """Keys that a record has, sorted. For whoever may see the record."""
    table = claim_table
    query = select(table.c.key).where(table.c.record == _hex(record)).order_by(table.c.key)
    return tuple(Hash32(bytes.fromhex(key[2:])) for key in connection.execute(query).scalars())


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
