"""Lots, who counts them, and what happened to their stock."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "stock_0001"
down_revision = None
branch_labels = ("stock",)
depends_on = None

UINT128 = sa.Numeric(39, 0).with_variant(sa.String(39), "sqlite")


def upgrade() -> None:
    op.create_table(
        "lot",
        sa.Column("key", sa.String(66), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("warehouse", sa.String(32), nullable=False),
        sa.Column("place", sa.String(66), nullable=False),
        sa.Column("lot", sa.String(66), nullable=False),
        sa.Column("nature", sa.SmallInteger, nullable=False),
        sa.Column("unit", sa.String(8), nullable=False),
        sa.Column("shortfall_bp", sa.Integer, nullable=False),
        sa.Column("adjustment_bp", sa.Integer, nullable=False),
        sa.Column("count_age_max_seconds", sa.BigInteger, nullable=False),
        sa.Column("counted", UINT128, nullable=False),
        sa.Column("live", UINT128, nullable=False),
        sa.Column("last_count", UINT128, nullable=False),
        sa.Column("counted_at", sa.BigInteger, nullable=False),
        sa.Column("short", sa.Boolean, nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_lot_place", "lot", ["place", "position"])
    op.create_index("ix_lot_position", "lot", ["position"], unique=True)
    op.create_index("ix_lot_short", "lot", ["short", "position"])
    op.create_index("ix_lot_warehouse", "lot", ["warehouse", "position"])
    op.create_table(
        "lot_counter",
        sa.Column("lot", sa.String(66), primary_key=True),
        sa.Column("organisation", sa.String(32), primary_key=True),
    )
    op.create_table(
        "lot_entry",
        sa.Column("lot", sa.String(66), primary_key=True),
        sa.Column("block_number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("log_index", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("by", sa.String(32)),
        sa.Column("organisation", sa.String(32)),
        sa.Column("counter", sa.String(42)),
        sa.Column("counted", UINT128),
        sa.Column("live", UINT128),
        sa.Column("former", UINT128),
        sa.Column("counted_at", sa.BigInteger),
        sa.Column("sequence", UINT128),
        sa.Column("evidence", sa.String(66)),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("ix_lot_entry_kind", "lot_entry", ["lot", "kind", "leaf_index"])
    op.create_table(
        "lot_party",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("organisation", sa.String(32), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_lot_party_organisation", "lot_party", ["organisation", "position"])
