"""Values of parameters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "parameters_0001"
down_revision = None
branch_labels = ("parameters",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "parameter_value",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.Column("since_block", sa.BigInteger, nullable=False),
    )
