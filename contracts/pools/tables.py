"""The tables of pools. Dates are days since 1970-01-01; `id` is the pool's."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
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
"""Tables of PoolBook."""
cash_metadata: Final = MetaData()
"""Tables of Pools."""

pool_table: Final = Table(
    "pool",
    metadata,
    Column("id", String(66), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("arranger", String(32), nullable=False),
    Column("number", String(66), nullable=False),
    Column("trustee", String(32), nullable=False),
    Column("servicer", String(32), nullable=False),
    Column("residual", String(32), nullable=False),
    Column("currency", String(8), nullable=False),
    Column("basis", Integer, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("sequential_bp", Integer, nullable=False),
    Column("turbo_bp", Integer, nullable=False),
    Column("rules", String(66), nullable=False),
    Column("terms", String(66), nullable=False),
    Column("assets_max", BigInteger, nullable=False),
    Column("admit_until", BigInteger, nullable=False),
    Column("balance_max", Uint128, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("trustee_accepted", Boolean, nullable=False),
    Column("servicer_accepted", Boolean, nullable=False),
    Column("last_date", BigInteger),
    Column("nominated_trustee", String(32)),
    Column("nominated_servicer", String(32)),
    *place_columns(),
    Index("ix_pool_position", "position", unique=True),
    Index("ix_pool_state", "state", "position"),
)
"""Each pool as it is now. `position` is that of the leaf which made it, the place that of its last
act; `last_date` the newest date with a state."""

pool_rules_table: Final = Table(
    "pool_rules",
    metadata,
    Column("id", String(66), primary_key=True),
    Column("document", LargeBinary, nullable=False),
)
"""Eligibility rules that were published."""

pool_fee_table: Final = Table(
    "pool_fee",
    metadata,
    Column("id", String(66), primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("payee", String(32), nullable=False),
    Column("rate_bp", Integer, nullable=False),
    Column("fixed_amount", Uint128, nullable=False),
)

pool_tranche_table: Final = Table(
    "pool_tranche",
    metadata,
    Column("id", String(66), primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("name", String(66), nullable=False),
    Column("seniority", Integer, nullable=False),
    Column("rate_bp", Integer, nullable=False),
    Column("principal", Uint128, nullable=False),
)

pool_holding_table: Final = Table(
    "pool_holding",
    metadata,
    Column("id", String(66), primary_key=True),
    Column("tranche", Integer, primary_key=True, autoincrement=False),
    Column("organisation", String(32), primary_key=True),
    Column("units", Uint128, nullable=False),
)
"""Who has how much of a tranche now."""

pool_day_table: Final = Table(
    "pool_day",
    metadata,
    Column("id", String(66), primary_key=True),
    Column("date", BigInteger, primary_key=True, autoincrement=False),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("root", String(66), nullable=False),
    Column("delta", String(66)),
    Column("performing", Uint128, nullable=False),
    Column("overdue", Uint128, nullable=False),
    Column("defaulted", Uint128, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("by", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    *place_columns(),
)
"""Every state that was ever committed, corrected ones included."""

pool_asset_table: Final = Table(
    "pool_asset",
    metadata,
    Column("instrument", String(42), primary_key=True),
    Column("asset", String(66), primary_key=True),
    Column("id", String(66), nullable=False),
    Column("ordinal", Integer, nullable=False),
    *place_columns(),
    Index("ix_pool_asset_id", "id", "leaf_index", "ordinal"),
)
"""Instruments of this ledger that stand in a pool now. The place is that of the leaf which told
that they came in, `ordinal` which of them it was there."""

pool_act_table: Final = Table(
    "pool_act",
    metadata,
    Column("id", String(66), primary_key=True),
    *place_columns(key=True),
    Column("kind", String(16), nullable=False),
    Column("by", String(32)),
    Column("detail", Text, nullable=False),
)
"""What happened to a pool: acts with their remarks, moves of units, instruments in and out."""

pool_party_table: Final = party_table("pool", metadata)

pool_collection_table: Final = Table(
    "pool_collection",
    cash_metadata,
    Column("id", String(66), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("payment", String(66), nullable=False, index=True),
    Column("root", String(66)),
    Column("size", BigInteger, nullable=False),
    Column("date", BigInteger, nullable=False),
    Column("period", BigInteger, nullable=False),
    Column("principal", Uint128, nullable=False),
    Column("income", Uint128, nullable=False),
    Column("by", String(32), nullable=False),
    Column("voided_by", String(32)),
    Column("void_reason", Text),
    *place_columns(),
)

pool_open_table: Final = Table(
    "pool_open",
    cash_metadata,
    Column("id", String(66), primary_key=True),
    Column("period", BigInteger, primary_key=True, autoincrement=False),
    Column("principal", Uint128, nullable=False),
    Column("income", Uint128, nullable=False),
    Column("revision", BigInteger, nullable=False),
)

pool_distribution_table: Final = Table(
    "pool_distribution",
    cash_metadata,
    Column("id", String(66), primary_key=True),
    Column("period", BigInteger, primary_key=True, autoincrement=False),
    Column("end", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("sequential", Boolean, nullable=False),
    Column("turbo", Boolean, nullable=False),
    Column("first_payment", BigInteger, nullable=False),
    Column("payments", BigInteger, nullable=False),
    Column("collected", Uint128, nullable=False),
    Column("fees", Uint128, nullable=False),
    Column("interest", Uint128, nullable=False),
    Column("principal", Uint128, nullable=False),
    Column("residual", Uint128, nullable=False),
    Column("by", String(32), nullable=False),
    *place_columns(),
)

pool_owed_table: Final = Table(
    "pool_owed",
    cash_metadata,
    Column("id", String(66), primary_key=True),
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("repaid", Uint128, nullable=False),
    Column("carried", Uint128, nullable=False),
    Column("remainder", BigInteger, nullable=False),
)
"""What tranches and payees of fees (`kind` as that of payments) have had and are owed."""

pool_account_table: Final = Table(
    "pool_account",
    cash_metadata,
    Column("id", String(66), primary_key=True),
    Column("periods", BigInteger, nullable=False),
    Column("period_end", BigInteger, nullable=False),
    Column("shortfall", Uint128, nullable=False),
    Column("defaulted_peak", Uint128, nullable=False),
)
"""Where the money stood after the last distribution."""

pool_payment_table: Final = Table(
    "pool_payment",
    cash_metadata,
    Column("id", String(66), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("payee", String(32), nullable=False),
    Column("period", BigInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("amount", Uint128, nullable=False),
    Column("principal", Uint128, nullable=False),
    Column("settled", String(66)),
    Column("settled_leaf", BigInteger),
    *place_columns(),
    Index("ix_pool_payment_period", "id", "period", "number"),
    Index("ix_pool_payment_payee", "payee", "id", "number"),
)
"""The place is that of the leaf which told that the payment is due, `settled_leaf` the index of
the one which told that it was made."""
