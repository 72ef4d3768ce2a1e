"""The tables of lots, who counts them, and everything that happened to their stock."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)

from contracts.instruments.columns import Uint128
from contracts.instruments.places import place_columns
from contracts.instruments.viewer import party_table

metadata: Final = MetaData()

lot_table: Final = Table(
    "lot",
    metadata,
    Column("key", String(66), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("warehouse", String(32), nullable=False),
    Column("place", String(66), nullable=False),
    Column("lot", String(66), nullable=False),
    Column("nature", SmallInteger, nullable=False),
    Column("unit", String(8), nullable=False),
    Column("shortfall_bp", Integer, nullable=False),
    Column("adjustment_bp", Integer, nullable=False),
    Column("count_age_max_seconds", BigInteger, nullable=False),
    Column("counted", Uint128, nullable=False),
    Column("live", Uint128, nullable=False),
    Column("last_count", Uint128, nullable=False),
    Column("counted_at", BigInteger, nullable=False),
    Column("short", Boolean, nullable=False),
    *place_columns(),
    Index("ix_lot_position", "position", unique=True),
    Index("ix_lot_warehouse", "warehouse", "position"),
    Index("ix_lot_place", "place", "position"),
    Index("ix_lot_short", "short", "position"),
)
"""Each lot as it is now. `last_count` is what the last count said; `position` is that of the leaf
which registered it, the place that of the last event."""

lot_counter_table: Final = Table(
    "lot_counter",
    metadata,
    Column("lot", String(66), primary_key=True),
    Column("organisation", String(32), primary_key=True),
)
"""Who counts a lot now."""

lot_entry_table: Final = Table(
    "lot_entry",
    metadata,
    Column("lot", String(66), primary_key=True),
    *place_columns(key=True),
    Column("kind", String(16), nullable=False),
    Column("by", String(32)),
    Column("organisation", String(32)),
    Column("counter", String(42)),
    Column("counted", Uint128),
    Column("live", Uint128),
    Column("former", Uint128),
    Column("counted_at", BigInteger),
    Column("sequence", Uint128),
    Column("evidence", String(66)),
    Column("text", Text, nullable=False),
    Index("ix_lot_entry_kind", "lot", "kind", "leaf_index"),
)
"""Everything that happened to a lot's stock; `kind` is one of `types.ENTRY_KINDS`.

`by` has acted, `organisation` is whom the act is about; `text` is the reason of an adjustment."""

lot_party_table: Final = party_table("lot", metadata)
"""The warehouse and who counts or has counted; parties to receipts are in `receipt_lot_party`."""
