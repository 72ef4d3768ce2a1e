"""Contract versions, and which addresses handlers follow."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "directory_0001"
down_revision = None
branch_labels = ("directory",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "contract_version",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("address", sa.String(42), nullable=False),
        sa.Column("code_hash", sa.String(66), nullable=False),
        sa.Column("since_block", sa.BigInteger, nullable=False),
        sa.Column("note", sa.String(512), nullable=False),
    )
    op.create_index("ix_contract_version_address", "contract_version", ["address"])
    op.create_table(
        "followed_contract",
        sa.Column("handler", sa.String(64), primary_key=True),
        sa.Column("address", sa.String(42), primary_key=True),
    )
