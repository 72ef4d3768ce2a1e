"""Deposits, deals, their histories and parties."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "settlement_0001"
down_revision = None
branch_labels = ("settlement",)
depends_on = None

UINT128 = sa.Numeric(39, 0).with_variant(sa.String(39), "sqlite")


def upgrade() -> None:
    _deposits()
    _interbank()
    _deals()


def _deposits() -> None:
    op.create_table(
        "deposit_account",
        sa.Column("key", sa.String(66), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("bank", sa.String(32), nullable=False),
        sa.Column("owner", sa.String(32), nullable=False),
        sa.Column("currency", sa.String(8), nullable=False),
        sa.Column("balance", UINT128, nullable=False),
        sa.Column("set_aside", UINT128, nullable=False),
        sa.Column("held", UINT128, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_deposit_account_bank", "deposit_account", ["bank", "position"])
    op.create_index("ix_deposit_account_owner", "deposit_account", ["owner", "position"])
    op.create_index("ix_deposit_account_position", "deposit_account", ["position"], unique=True)
    op.create_table(
        "deposit_movement",
        sa.Column("block_number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("log_index", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
        sa.Column("account", sa.String(66), nullable=False),
        sa.Column("id", sa.String(66)),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("by", sa.String(32), nullable=False),
        sa.Column("amount", UINT128, nullable=False),
        sa.Column("counterparty", sa.String(32)),
        sa.Column("counterparty_bank", sa.String(32)),
        sa.Column("number", sa.String(66)),
        sa.Column("cause", sa.String(66)),
        sa.Column("rest", UINT128, nullable=False),
        sa.Column("balance", UINT128, nullable=False),
        sa.Column("set_aside", UINT128, nullable=False),
        sa.Column("held", UINT128, nullable=False),
        sa.Column("remark", sa.Text, nullable=False),
    )
    op.create_index("ix_deposit_movement_account", "deposit_movement", ["account", "leaf_index"])
    op.create_index("ix_deposit_movement_cause", "deposit_movement", ["cause", "leaf_index"])
    op.create_index("ix_deposit_movement_id", "deposit_movement", ["id", "leaf_index"])
    op.create_index("ix_deposit_movement_time", "deposit_movement", ["block_time", "leaf_index"])
    op.create_table(
        "deposit_party",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("organisation", sa.String(32), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_deposit_party_organisation", "deposit_party", ["organisation", "position"])
    op.create_table(
        "deposit_redemption",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("account", sa.String(66), nullable=False),
        sa.Column("number", sa.String(66)),
        sa.Column("amount", UINT128, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("remark", sa.Text, nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_deposit_redemption_account", "deposit_redemption", ["account", "position"])
    op.create_index("ix_deposit_redemption_state", "deposit_redemption", ["state", "position"])
    op.create_table(
        "deposit_hold",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("account", sa.String(66), nullable=False),
        sa.Column("by", sa.String(32), nullable=False),
        sa.Column("cause", sa.String(66)),
        sa.Column("amount", UINT128, nullable=False),
        sa.Column("held", UINT128, nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_deposit_hold_account", "deposit_hold", ["account", "position"])
    op.create_table(
        "deposit_home",
        sa.Column("organisation", sa.String(32), primary_key=True),
        sa.Column("currency", sa.String(8), primary_key=True),
        sa.Column("bank", sa.String(32), nullable=False),
    )


def _interbank() -> None:
    op.create_table(
        "interbank_position",
        sa.Column("creditor", sa.String(32), primary_key=True),
        sa.Column("debtor", sa.String(32), primary_key=True),
        sa.Column("currency", sa.String(8), primary_key=True),
        sa.Column("claim", UINT128, nullable=False),
        sa.Column("limit", UINT128, nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_interbank_position_debtor", "interbank_position", ["debtor"])
    op.create_table(
        "interbank_movement",
        sa.Column("block_number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("log_index", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
        sa.Column("creditor", sa.String(32), nullable=False),
        sa.Column("debtor", sa.String(32), nullable=False),
        sa.Column("currency", sa.String(8), nullable=False),
        sa.Column("id", sa.String(66)),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("amount", UINT128, nullable=False),
        sa.Column("claim", UINT128, nullable=False),
        sa.Column("limit", UINT128, nullable=False),
        sa.Column("number", sa.String(66)),
        sa.Column("remark", sa.Text, nullable=False),
    )
    op.create_index(
        "ix_interbank_movement_creditor", "interbank_movement", ["creditor", "leaf_index"]
    )
    op.create_index("ix_interbank_movement_debtor", "interbank_movement", ["debtor", "leaf_index"])
    op.create_index(
        "ix_interbank_movement_time", "interbank_movement", ["block_time", "leaf_index"]
    )


def _deals() -> None:
    op.create_table(
        "deal",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("contract", sa.String(42), nullable=False),
        sa.Column("number", sa.String(66), nullable=False),
        sa.Column("seller", sa.String(32), nullable=False),
        sa.Column("buyer", sa.String(32)),
        sa.Column("seller_bank", sa.String(32), nullable=False),
        sa.Column("buyer_bank", sa.String(32)),
        sa.Column("terms", sa.String(66)),
        sa.Column("evidence", sa.String(66)),
        sa.Column("cancel_asked_by", sa.String(32)),
        sa.Column("amount", UINT128, nullable=False),
        sa.Column("currency", sa.String(8), nullable=False),
        sa.Column("role", sa.SmallInteger),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("condition", sa.SmallInteger, nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("deadline", sa.BigInteger, nullable=False),
        sa.Column("attestor", sa.String(32)),
        sa.Column("subject", sa.String(66)),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_deal_attestor", "deal", ["attestor", "position"])
    op.create_index("ix_deal_buyer", "deal", ["buyer", "position"])
    op.create_index("ix_deal_position", "deal", ["position"], unique=True)
    op.create_index("ix_deal_seller", "deal", ["seller", "position"])
    op.create_index("ix_deal_state", "deal", ["state", "position"])
    op.create_index("ix_deal_subject", "deal", ["subject", "position"])
    op.create_table(
        "deal_leg",
        sa.Column("deal", sa.String(66), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("instrument", sa.String(42), nullable=False),
        sa.Column("record", sa.String(66), nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_deal_leg_record", "deal_leg", ["record"])
    op.create_table(
        "deal_act",
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
        sa.Column("buyer", sa.String(32)),
    )
    op.create_table(
        "deal_party",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("organisation", sa.String(32), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_deal_party_organisation", "deal_party", ["organisation", "position"])
