"""Proposals, votes, weights and thresholds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "governance_0001"
down_revision = None
branch_labels = ("governance",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "proposal",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("organisation", sa.String(32), nullable=False),
        sa.Column("by", sa.String(42), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("decided", sa.SmallInteger),
        sa.Column("decided_block", sa.BigInteger),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
    )
    op.create_index("ix_proposal_organisation", "proposal", ["organisation"])
    op.create_table(
        "proposal_call",
        sa.Column("proposal", sa.BigInteger, sa.ForeignKey("proposal.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("target", sa.String(42), nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "vote",
        sa.Column("proposal", sa.BigInteger, sa.ForeignKey("proposal.id"), primary_key=True),
        sa.Column("organisation", sa.String(32), primary_key=True),
        sa.Column("choice", sa.SmallInteger, nullable=False),
        sa.Column("by", sa.String(42), nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "voter",
        sa.Column("organisation", sa.String(32), primary_key=True),
        sa.Column("votes", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "threshold",
        sa.Column("target", sa.String(42), primary_key=True),
        sa.Column("selector", sa.String(10), primary_key=True),
        sa.Column("numerator", sa.BigInteger, nullable=False),
        sa.Column("denominator", sa.BigInteger, nullable=False),
    )
