"""The feed of notices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "notices_0001"
down_revision = None
branch_labels = ("notices",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("record", sa.String(66), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_notice_record", "notice", ["record", "position"])
    op.create_index("ix_notice_kind", "notice", ["kind", "position"])
    op.create_index("ix_notice_time", "notice", ["time", "position"])
    op.create_table(
        "notice_party",
        sa.Column("organisation", sa.String(32), primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    )
    op.create_table(
        "notice_record",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("topic", sa.String(66), nullable=False),
        sa.Column("final", sa.Boolean, nullable=False),
        sa.Column("parties", sa.Text, nullable=False),
    )
    op.create_index("ix_notice_record_topic", "notice_record", ["topic"])
    op.create_table(
        "notice_contract",
        sa.Column("address", sa.String(42), primary_key=True),
        sa.Column("contract", sa.String(32), nullable=False),
    )
