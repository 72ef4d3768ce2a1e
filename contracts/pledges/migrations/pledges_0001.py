"""Pledges, what they cover, and their history."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "pledges_0001"
down_revision = None
branch_labels = ("pledges",)
depends_on = None

UINT128 = sa.Numeric(39, 0).with_variant(sa.String(39), "sqlite")


def upgrade() -> None:
    op.create_table(
        "pledge",
        sa.Column("key", sa.String(66), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("instrument", sa.String(42), nullable=False),
        sa.Column("record", sa.String(66), nullable=False),
        sa.Column("instrument_revision", sa.BigInteger, nullable=False),
        sa.Column("pledgor", sa.String(32), nullable=False),
        sa.Column("pledgee", sa.String(32), nullable=False),
        sa.Column("amount", UINT128, nullable=False),
        sa.Column("currency", sa.String(8), nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("notice_seconds", sa.BigInteger, nullable=False),
        sa.Column("terms", sa.String(66), nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("assets", sa.BigInteger, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("loan", sa.String(66)),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_pledge_loan", "pledge", ["loan", "position"])
    op.create_index("ix_pledge_pledgee", "pledge", ["pledgee", "position"])
    op.create_index("ix_pledge_pledgor", "pledge", ["pledgor", "position"])
    op.create_index("ix_pledge_position", "pledge", ["position"], unique=True)
    op.create_index("ix_pledge_record", "pledge", ["record", "position"])
    op.create_index("ix_pledge_state", "pledge", ["state", "position"])
    op.create_table(
        "pledge_act",
        sa.Column("key", sa.String(66), primary_key=True),
        sa.Column("block_number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("log_index", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("by", sa.String(32)),
        sa.Column("state", sa.SmallInteger),
        sa.Column("assets", sa.BigInteger),
        sa.Column("record", sa.String(66)),
        sa.Column("receiver", sa.String(32)),
        sa.Column("decision", sa.String(66)),
        sa.Column("remark", sa.Text, nullable=False),
    )
    op.create_table(
        "pledge_asset",
        sa.Column("record", sa.String(66), primary_key=True),
        sa.Column("instrument", sa.String(42), nullable=False),
        sa.Column("pledge", sa.String(66), nullable=False),
    )
    op.create_index("ix_pledge_asset_pledge", "pledge_asset", ["pledge"])
    op.create_table(
        "pledge_party",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("organisation", sa.String(32), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_pledge_party_organisation", "pledge_party", ["organisation", "position"])
