"""Banks' tables of rates, customers' points."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "pricing_0001"
down_revision = None
branch_labels = ("pricing",)
depends_on = None

UINT128 = sa.Numeric(39, 0).with_variant(sa.String(39), "sqlite")


def upgrade() -> None:
    op.create_table(
        "contribution_act",
        sa.Column("bank", sa.String(32), primary_key=True),
        sa.Column("ref", sa.String(66), primary_key=True),
        sa.Column("customer", sa.String(32), nullable=False),
        sa.Column("change", sa.BigInteger, nullable=False),
        sa.Column("points", sa.BigInteger, nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "ix_contribution_act_customer", "contribution_act", ["bank", "customer", "leaf_index"]
    )
    op.create_table(
        "contribution_points",
        sa.Column("bank", sa.String(32), primary_key=True),
        sa.Column("customer", sa.String(32), primary_key=True),
        sa.Column("points", sa.BigInteger, nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_contribution_points_customer", "contribution_points", ["customer", "bank"])
    op.create_table(
        "rate_table",
        sa.Column("bank", sa.String(32), primary_key=True),
        sa.Column("currency", sa.String(8), primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("document", sa.String(66), nullable=False),
        sa.Column("points_per_bp", UINT128, nullable=False),
        sa.Column("discount_bp_max", sa.BigInteger, nullable=False),
        sa.Column("floor_bp", sa.BigInteger, nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "rate_tier",
        sa.Column("bank", sa.String(32), primary_key=True),
        sa.Column("currency", sa.String(8), primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("tier", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(66)),
        sa.Column("amount_max", UINT128, nullable=False),
        sa.Column("term_days_max", sa.Integer, nullable=False),
        sa.Column("rate_bp", sa.Integer, nullable=False),
    )
