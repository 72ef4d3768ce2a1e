"""Where on the chain a record's act stands: what a proof of it begins with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, String
from sqlalchemy.engine import Row

from ledger.types import Hash32, PlacedLog


@dataclass(frozen=True, slots=True)
class ChainPlace:
    """One log of the chain."""

    block_number: int
    block_time: int
    """Unix seconds."""
    transaction_hash: Hash32
    log_index: int
    """Within the block."""
    leaf_index: int
    """Of its leaf in the log."""


def place_columns(*, key: bool = False) -> tuple[Column[Any], ...]:
    """Columns of a place; `key`: block and log index are the end of the primary key."""
    return (
        Column("block_number", BigInteger, primary_key=key, autoincrement=False, nullable=False),
        Column("log_index", Integer, primary_key=key, autoincrement=False, nullable=False),
        Column("block_time", BigInteger, nullable=False),
        Column("transaction_hash", String(66), nullable=False),
        Column("leaf_index", BigInteger, nullable=False),
    )


def place_values(log: PlacedLog) -> dict[str, Any]:
    """Values of those columns."""
    return {
        "block_number": log.block_number,
        "log_index": log.log_index,
        "block_time": log.block_time,
        "transaction_hash": f"0x{log.transaction_hash.hex()}",
        "leaf_index": log.leaf_index,
    }


def place_of(row: Row[Any]) -> ChainPlace:
    """The place that stands in a row."""
    return ChainPlace(
        block_number=row.block_number,
        block_time=row.block_time,
        transaction_hash=Hash32(bytes.fromhex(row.transaction_hash[2:])),
        log_index=row.log_index,
        leaf_index=row.leaf_index,
    )
