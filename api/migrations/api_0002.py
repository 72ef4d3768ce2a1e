"""Scopes by room, keys bound to records, OAuth tokens, idempotent operations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "api_0002"
down_revision = "api_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("api_key") as table:
        table.alter_column(
            "scopes",
            existing_type=sa.String(200),
            type_=sa.String(1000),
            existing_nullable=False,
        )
        table.add_column(sa.Column("instruments", sa.Text))
    op.create_table(
        "access_token",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("scopes", sa.String(1000), nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_access_token_expires", "access_token", ["expires_ms"])
    sequence = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "operation",
        sa.Column("sequence", sequence, primary_key=True, autoincrement=True),
        sa.Column("organisation", sa.String(32), nullable=False),
        sa.Column("idempotency_key", sa.String(255), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("account", sa.LargeBinary(20), nullable=False),
        sa.Column("nonce", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("raw", sa.LargeBinary),
        sa.Column("refusal", sa.Text),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("organisation", "idempotency_key", name="uq_operation_idempotency_key"),
    )
    op.create_index("ix_operation_created", "operation", ["created_ms"])
