"""Applications for loans, offers, advice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "applications_0001"
down_revision = None
branch_labels = ("applications",)
depends_on = None

UINT128 = sa.Numeric(39, 0).with_variant(sa.String(39), "sqlite")


def upgrade() -> None:
    op.create_table(
        "loan_advice",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("block_number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("log_index", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
        sa.Column("by", sa.String(32), nullable=False),
        sa.Column("text", sa.String(66), nullable=False),
        sa.Column("limit", UINT128, nullable=False),
        sa.Column("rate_bp", sa.Integer, nullable=False),
        sa.Column("score", sa.Integer, nullable=False),
        sa.Column("given", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "loan_application",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("contract", sa.String(42), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("borrower", sa.String(32), nullable=False),
        sa.Column("bank", sa.String(32)),
        sa.Column("offer_hash", sa.String(66)),
        sa.Column("signed_by_borrower", sa.String(66)),
        sa.Column("signed_by_bank", sa.String(66)),
        sa.Column("best", sa.String(32)),
        sa.Column("valid_until", sa.BigInteger, nullable=False),
        sa.Column("open", sa.Integer, nullable=False),
        sa.Column("quotes", sa.Integer, nullable=False),
        sa.Column("checks_applicable", sa.SmallInteger, nullable=False),
        sa.Column("checks_passed", sa.SmallInteger, nullable=False),
        sa.Column("checked_block", sa.BigInteger, nullable=False),
        sa.Column("checked_at", sa.BigInteger, nullable=False),
        sa.Column("number", sa.String(66), nullable=False),
        sa.Column("instrument", sa.String(42), nullable=False),
        sa.Column("asset", sa.String(66), nullable=False),
        sa.Column("asset_revision", sa.BigInteger, nullable=False),
        sa.Column("amount", UINT128, nullable=False),
        sa.Column("amount_min", UINT128, nullable=False),
        sa.Column("currency", sa.String(8), nullable=False),
        sa.Column("term_days", sa.Integer, nullable=False),
        sa.Column("year_days", sa.Integer, nullable=False),
        sa.Column("mode", sa.SmallInteger, nullable=False),
        sa.Column("agreement", sa.Boolean, nullable=False),
        sa.Column("purpose", sa.String(66), nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("quotes_until", sa.BigInteger, nullable=False),
        sa.Column("reveal_until", sa.BigInteger, nullable=False),
        sa.Column("rate_bp_max", sa.Integer, nullable=False),
        sa.Column("penalty_bp", sa.Integer, nullable=False),
        sa.Column("grace_seconds", sa.BigInteger, nullable=False),
        sa.Column("notice_seconds", sa.BigInteger, nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_loan_application_asset", "loan_application", ["asset", "position"])
    op.create_index("ix_loan_application_bank", "loan_application", ["bank", "position"])
    op.create_index("ix_loan_application_borrower", "loan_application", ["borrower", "position"])
    op.create_index("ix_loan_application_position", "loan_application", ["position"], unique=True)
    op.create_index("ix_loan_application_state", "loan_application", ["state", "position"])
    op.create_table(
        "loan_application_act",
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
    )
    op.create_table(
        "loan_application_party",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("organisation", sa.String(32), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "ix_loan_application_party_organisation",
        "loan_application_party",
        ["organisation", "position"],
    )
    op.create_table(
        "loan_offer",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("bank", sa.String(32), primary_key=True),
        sa.Column("stance", sa.SmallInteger, nullable=False),
        sa.Column("table_version", sa.BigInteger, nullable=False),
        sa.Column("rate_bp", sa.Integer, nullable=False),
        sa.Column("discount_bp", sa.Integer, nullable=False),
        sa.Column("valid_until", sa.BigInteger, nullable=False),
        sa.Column("decided", sa.BigInteger, nullable=False),
        sa.Column("order", sa.Integer, nullable=False),
        sa.Column("amount", UINT128, nullable=False),
        sa.Column("commitment", sa.String(66)),
        sa.Column("text", sa.String(66)),
        sa.Column("offer_hash", sa.String(66)),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_loan_offer_bank", "loan_offer", ["bank", "id"])
