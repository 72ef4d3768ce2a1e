"""Loans, their acts and payments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "financing_0001"
down_revision = None
branch_labels = ("financing",)
depends_on = None

UINT128 = sa.Numeric(39, 0).with_variant(sa.String(39), "sqlite")


def upgrade() -> None:
    op.create_table(
        "loan",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("contract", sa.String(42), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("borrower", sa.String(32), nullable=False),
        sa.Column("bank", sa.String(32), nullable=False),
        sa.Column("terms", sa.String(66), nullable=False),
        sa.Column("pledge", sa.String(66)),
        sa.Column("instrument", sa.String(42), nullable=False),
        sa.Column("asset", sa.String(66), nullable=False),
        sa.Column("currency", sa.String(8), nullable=False),
        sa.Column("year_days", sa.Integer, nullable=False),
        sa.Column("rate_bp", sa.Integer, nullable=False),
        sa.Column("penalty_bp", sa.Integer, nullable=False),
        sa.Column("grace_seconds", sa.BigInteger, nullable=False),
        sa.Column("lent", UINT128, nullable=False),
        sa.Column("principal", UINT128, nullable=False),
        sa.Column("interest_paid", UINT128, nullable=False),
        sa.Column("accrued", sa.String(78), nullable=False),
        sa.Column("drawn", sa.BigInteger, nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("accrued_at", sa.BigInteger, nullable=False),
        sa.Column("breach_asset", sa.String(66)),
        sa.Column("breach_since", sa.BigInteger, nullable=False),
        sa.Column("warnings", sa.BigInteger, nullable=False),
        sa.Column("severity", sa.SmallInteger, nullable=False),
        sa.Column("breach", sa.SmallInteger, nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_loan_asset", "loan", ["asset", "position"])
    op.create_index("ix_loan_bank", "loan", ["bank", "position"])
    op.create_index("ix_loan_borrower", "loan", ["borrower", "position"])
    op.create_index("ix_loan_due", "loan", ["state", "due", "position"])
    op.create_index("ix_loan_position", "loan", ["position"], unique=True)
    op.create_index("ix_loan_state", "loan", ["state", "position"])
    op.create_table(
        "loan_act",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("block_number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("log_index", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
        sa.Column("act", sa.String(32), nullable=False),
        sa.Column("by", sa.String(32), nullable=False),
        sa.Column("detail", sa.String(66)),
        sa.Column("remark", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("principal", UINT128, nullable=False),
        sa.Column("severity", sa.SmallInteger, nullable=False),
        sa.Column("breach", sa.SmallInteger, nullable=False),
    )
    op.create_table(
        "loan_party",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("organisation", sa.String(32), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_loan_party_organisation", "loan_party", ["organisation", "position"])
    op.create_table(
        "loan_payment",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("block_number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("log_index", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
        sa.Column("by", sa.String(32), nullable=False),
        sa.Column("interest", UINT128, nullable=False),
        sa.Column("principal", UINT128, nullable=False),
        sa.Column("ref", sa.String(66)),
    )
