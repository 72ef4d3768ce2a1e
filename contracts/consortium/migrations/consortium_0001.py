"""Organisations and accounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "consortium_0001"
down_revision = None
branch_labels = ("consortium",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "organisation",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("role", sa.SmallInteger, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("name_zh", sa.String(128), nullable=False),
        sa.Column("uri", sa.String(512), nullable=False),
    )
    op.create_table(
        "account",
        sa.Column("address", sa.String(42), primary_key=True),
        sa.Column("organisation", sa.String(32), sa.ForeignKey("organisation.id"), nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
    )
    op.create_index("ix_account_organisation", "account", ["organisation"])
