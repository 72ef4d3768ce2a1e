"""Where each handler stands on the chain."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "projection_0001"
down_revision = None
branch_labels = ("projection",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "projection_cursor",
        sa.Column("handler", sa.String(64), primary_key=True),
        sa.Column("genesis_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("block_hash", sa.LargeBinary(32), nullable=False),
    )
