"""Pools: what they are, and their money."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "pools_0001"
down_revision = None
branch_labels = ("pools",)
depends_on = None

UINT128 = sa.Numeric(39, 0).with_variant(sa.String(39), "sqlite")


def upgrade() -> None:
    _book()
    _cash()


def _book() -> None:
    op.create_table(
        "pool",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("arranger", sa.String(32), nullable=False),
        sa.Column("number", sa.String(66), nullable=False),
        sa.Column("trustee", sa.String(32), nullable=False),
        sa.Column("servicer", sa.String(32), nullable=False),
        sa.Column("residual", sa.String(32), nullable=False),
        sa.Column("currency", sa.String(8), nullable=False),
        sa.Column("basis", sa.Integer, nullable=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("sequential_bp", sa.Integer, nullable=False),
        sa.Column("turbo_bp", sa.Integer, nullable=False),
        sa.Column("rules", sa.String(66), nullable=False),
        sa.Column("terms", sa.String(66), nullable=False),
        sa.Column("assets_max", sa.BigInteger, nullable=False),
        sa.Column("admit_until", sa.BigInteger, nullable=False),
        sa.Column("balance_max", UINT128, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("trustee_accepted", sa.Boolean, nullable=False),
        sa.Column("servicer_accepted", sa.Boolean, nullable=False),
        sa.Column("last_date", sa.BigInteger),
        sa.Column("nominated_trustee", sa.String(32)),
        sa.Column("nominated_servicer", sa.String(32)),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_pool_position", "pool", ["position"], unique=True)
    op.create_index("ix_pool_state", "pool", ["state", "position"])
    op.create_table(
        "pool_rules",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "pool_fee",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("ordinal", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("payee", sa.String(32), nullable=False),
        sa.Column("rate_bp", sa.Integer, nullable=False),
        sa.Column("fixed_amount", UINT128, nullable=False),
    )
    op.create_table(
        "pool_tranche",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("ordinal", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(66), nullable=False),
        sa.Column("seniority", sa.Integer, nullable=False),
        sa.Column("rate_bp", sa.Integer, nullable=False),
        sa.Column("principal", UINT128, nullable=False),
    )
    op.create_table(
        "pool_holding",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("tranche", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("organisation", sa.String(32), primary_key=True),
        sa.Column("units", UINT128, nullable=False),
    )
    op.create_table(
        "pool_day",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("date", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("root", sa.String(66), nullable=False),
        sa.Column("delta", sa.String(66)),
        sa.Column("performing", UINT128, nullable=False),
        sa.Column("overdue", UINT128, nullable=False),
        sa.Column("defaulted", UINT128, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("changed", sa.BigInteger, nullable=False),
        sa.Column("by", sa.String(32), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "pool_asset",
        sa.Column("instrument", sa.String(42), primary_key=True),
        sa.Column("asset", sa.String(66), primary_key=True),
        sa.Column("id", sa.String(66), nullable=False),
        sa.Column("ordinal", sa.Integer, nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_pool_asset_id", "pool_asset", ["id", "leaf_index", "ordinal"])
    op.create_table(
        "pool_act",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("block_number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("log_index", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("by", sa.String(32)),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_table(
        "pool_party",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("organisation", sa.String(32), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_pool_party_organisation", "pool_party", ["organisation", "position"])


def _cash() -> None:
    op.create_table(
        "pool_collection",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("payment", sa.String(66), nullable=False),
        sa.Column("root", sa.String(66)),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("date", sa.BigInteger, nullable=False),
        sa.Column("period", sa.BigInteger, nullable=False),
        sa.Column("principal", UINT128, nullable=False),
        sa.Column("income", UINT128, nullable=False),
        sa.Column("by", sa.String(32), nullable=False),
        sa.Column("voided_by", sa.String(32)),
        sa.Column("void_reason", sa.Text),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_pool_collection_payment", "pool_collection", ["payment"])
    op.create_table(
        "pool_open",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("period", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("principal", UINT128, nullable=False),
        sa.Column("income", UINT128, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "pool_distribution",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("period", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("end", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("sequential", sa.Boolean, nullable=False),
        sa.Column("turbo", sa.Boolean, nullable=False),
        sa.Column("first_payment", sa.BigInteger, nullable=False),
        sa.Column("payments", sa.BigInteger, nullable=False),
        sa.Column("collected", UINT128, nullable=False),
        sa.Column("fees", UINT128, nullable=False),
        sa.Column("interest", UINT128, nullable=False),
        sa.Column("principal", UINT128, nullable=False),
        sa.Column("residual", UINT128, nullable=False),
        sa.Column("by", sa.String(32), nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "pool_owed",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("kind", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("ordinal", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("repaid", UINT128, nullable=False),
        sa.Column("carried", UINT128, nullable=False),
        sa.Column("remainder", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "pool_account",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("periods", sa.BigInteger, nullable=False),
        sa.Column("period_end", sa.BigInteger, nullable=False),
        sa.Column("shortfall", UINT128, nullable=False),
        sa.Column("defaulted_peak", UINT128, nullable=False),
    )
    op.create_table(
        "pool_payment",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("payee", sa.String(32), nullable=False),
        sa.Column("period", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("ordinal", sa.Integer, nullable=False),
        sa.Column("amount", UINT128, nullable=False),
        sa.Column("principal", UINT128, nullable=False),
        sa.Column("settled", sa.String(66)),
        sa.Column("settled_leaf", sa.BigInteger),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_pool_payment_payee", "pool_payment", ["payee", "id", "number"])
    op.create_index("ix_pool_payment_period", "pool_payment", ["id", "period", "number"])
