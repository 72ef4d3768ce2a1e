"""Nodes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "network_0001"
down_revision = None
branch_labels = ("network",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "node",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("organisation", sa.String(32), nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("power", sa.BigInteger, nullable=False),
        sa.Column("validator_key", sa.String(64)),
        sa.Column("p2p", sa.String(256), nullable=False),
        sa.Column("api", sa.String(512), nullable=False),
        sa.Column("witness_key", sa.String(512), nullable=False),
        sa.Column("since_block", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_node_organisation", "node", ["organisation"])
