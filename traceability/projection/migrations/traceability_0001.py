"""Batches, events and what events are asked by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "traceability_0001"
down_revision = None
branch_labels = ("traceability",)
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
KEY_INTEGER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "batch",
        sa.Column("leaf_index", KEY_INTEGER, primary_key=True, autoincrement=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
        sa.Column("organisation", sa.String(32), nullable=False),
        sa.Column("submitter", sa.LargeBinary(20), nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("visibility", sa.SmallInteger, nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("reason", sa.Text, nullable=True),
    )
    op.create_index("batch_root", "batch", ["root"])
    op.create_index("batch_transaction", "batch", ["transaction_hash"])
    op.create_table(
        "event",
        sa.Column("pk", KEY_INTEGER, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("version", sa.String(16), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
        sa.Column("batch_index", sa.Integer, nullable=False),
        sa.Column("batch_path", sa.LargeBinary, nullable=False),
        sa.Column("organisation", sa.String(32), nullable=False),
        sa.Column("record_time", sa.BigInteger, nullable=False),
        sa.Column("event_time", sa.BigInteger, nullable=False),
        sa.Column("error_time", sa.BigInteger, nullable=True),
        sa.Column("event_type", sa.String(32), nullable=False),
        sa.Column("action", sa.String(16), nullable=True),
        sa.Column("biz_step", KEY, nullable=True),
        sa.Column("disposition", KEY, nullable=True),
        sa.Column("read_point", KEY, nullable=True),
        sa.Column("biz_location", KEY, nullable=True),
        sa.Column("parent_id", KEY, nullable=True),
        sa.Column("transformation_id", KEY, nullable=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("event_identity", "event", ["hash", "digest"], unique=True)
    op.create_index("event_by_event_time", "event", ["event_time", "pk"])
    op.create_index("event_by_record_time", "event", ["record_time", "pk"])
    op.create_index("event_by_biz_step", "event", ["biz_step", "pk"])
    op.create_index("event_by_biz_step_time", "event", ["biz_step", "event_time", "pk"])
    op.create_index("event_by_read_point", "event", ["read_point", "pk"])
    op.create_index("event_by_biz_location", "event", ["biz_location", "pk"])
    op.create_index("event_by_transformation", "event", ["transformation_id"])
    op.create_table(
        "event_epc",
        sa.Column("epc", KEY, nullable=False),
        sa.Column("event_time", sa.BigInteger, nullable=False),
        sa.Column("event", sa.BigInteger, nullable=False),
        sa.Column("role", sa.SmallInteger, nullable=False),
        sa.PrimaryKeyConstraint("epc", "event_time", "event", "role"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "event_quantity",
        sa.Column("event", sa.BigInteger, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("quantity", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("event", "place"),
    )
    op.create_index("event_quantity_by_quantity", "event_quantity", ["quantity", "event"])
    op.create_table(
        "event_term",
        sa.Column("field", KEY, nullable=False),
        sa.Column("value", KEY, nullable=False),
        sa.Column("event", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("field", "value", "event"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "event_repeat",
        sa.Column("event", sa.BigInteger, nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
        sa.Column("batch_index", sa.Integer, nullable=False),
        sa.Column("batch_path", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("event", "leaf_index", "batch_index"),
    )
