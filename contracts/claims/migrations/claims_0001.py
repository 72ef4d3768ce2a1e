"""Keys that stand behind a live record."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "claims_0001"
down_revision = None
branch_labels = ("claims",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "claim",
        sa.Column("key", sa.String(66), primary_key=True),
        sa.Column("instrument", sa.String(42), nullable=False),
        sa.Column("record", sa.String(66), nullable=False),
    )
    op.create_index("ix_claim_record", "claim", ["record"])
