"""Capture jobs, their batches, and which batch carries which job."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "capture_0001"
down_revision = None
branch_labels = ("capture",)
depends_on = None

SEQUENCE = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "capture_job",
        sa.Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("capture_id", sa.String(36), nullable=False, unique=True),
        sa.Column("organisation", sa.String(32), nullable=False),
        sa.Column("error_behaviour", sa.String(8), nullable=False),
        sa.Column("state", sa.String(9), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("finished_ms", sa.BigInteger),
        sa.Column("idempotency_key", sa.String(255)),
        sa.Column("document_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("document", sa.LargeBinary),
        sa.Column("result", sa.LargeBinary),
        sa.UniqueConstraint(
            "organisation", "idempotency_key", name="uq_capture_job_idempotency_key"
        ),
    )
    op.create_index("ix_capture_job_state", "capture_job", ["state"])
    op.create_index("ix_capture_job_organisation", "capture_job", ["organisation", "sequence"])
    op.create_table(
        "capture_batch",
        sa.Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("organisation", sa.String(32), nullable=False),
        sa.Column("account", sa.LargeBinary(20), nullable=False),
        sa.Column("nonce", sa.BigInteger, nullable=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("raw", sa.LargeBinary),
        sa.Column("state", sa.String(9), nullable=False),
        sa.Column("block_number", sa.BigInteger),
    )
    op.create_index("ix_capture_batch_state", "capture_batch", ["state"])
    op.create_index("ix_capture_batch_transaction", "capture_batch", ["transaction_hash"])
    op.create_table(
        "capture_batch_job",
        sa.Column("batch", SEQUENCE, sa.ForeignKey("capture_batch.sequence"), primary_key=True),
        sa.Column("job", SEQUENCE, sa.ForeignKey("capture_job.sequence"), primary_key=True),
    )
    op.create_index("ix_capture_batch_job_job", "capture_batch_job", ["job"])
