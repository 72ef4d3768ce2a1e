"""Receipts, their history, documents and parties."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "receipts_0001"
down_revision = None
branch_labels = ("receipts",)
depends_on = None

UINT128 = sa.Numeric(39, 0).with_variant(sa.String(39), "sqlite")


def upgrade() -> None:
    op.create_table(
        "receipt",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("contract", sa.String(42), nullable=False),
        sa.Column("warehouse", sa.String(32), nullable=False),
        sa.Column("number", sa.String(66)),
        sa.Column("lot", sa.String(66), nullable=False),
        sa.Column("goods", sa.String(66), nullable=False),
        sa.Column("terms", sa.String(66), nullable=False),
        sa.Column("holder", sa.String(32), nullable=False),
        sa.Column("owner", sa.String(32), nullable=False),
        sa.Column("nominee", sa.String(32)),
        sa.Column("pledgee", sa.String(32)),
        sa.Column("origin", sa.String(66)),
        sa.Column("successor", sa.String(66)),
        sa.Column("quantity", UINT128, nullable=False),
        sa.Column("requested", UINT128, nullable=False),
        sa.Column("issued", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("part", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("freezes", sa.SmallInteger, nullable=False),
        sa.Column("locked", sa.Boolean, nullable=False),
        sa.Column("rejectable", sa.SmallInteger, nullable=False),
        sa.Column("purpose", sa.SmallInteger, nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_receipt_expires", "receipt", ["state", "expires", "position"])
    op.create_index("ix_receipt_holder", "receipt", ["holder", "position"])
    op.create_index("ix_receipt_lot", "receipt", ["lot", "state", "position"])
    op.create_index("ix_receipt_nominee", "receipt", ["nominee", "position"])
    op.create_index("ix_receipt_number", "receipt", ["number", "position"])
    op.create_index("ix_receipt_origin", "receipt", ["origin", "position"])
    op.create_index("ix_receipt_owner", "receipt", ["owner", "position"])
    op.create_index("ix_receipt_pledgee", "receipt", ["pledgee", "position"])
    op.create_index("ix_receipt_position", "receipt", ["position"], unique=True)
    op.create_index("ix_receipt_state", "receipt", ["state", "position"])
    op.create_index("ix_receipt_warehouse", "receipt", ["warehouse", "position"])
    op.create_table(
        "receipt_act",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("block_number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("log_index", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
        sa.Column("act", sa.String(32), nullable=False),
        sa.Column("by", sa.String(32), nullable=False),
        sa.Column("detail", sa.String(66)),
        sa.Column("remark", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("holder", sa.String(32), nullable=False),
        sa.Column("owner", sa.String(32), nullable=False),
        sa.Column("pledgee", sa.String(32)),
        sa.Column("quantity", UINT128, nullable=False),
    )
    op.create_table(
        "receipt_keeper",
        sa.Column("lot", sa.String(66), primary_key=True),
        sa.Column("warehouse", sa.String(32), nullable=False),
    )
    op.create_table(
        "receipt_lot_party",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("organisation", sa.String(32), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "ix_receipt_lot_party_organisation", "receipt_lot_party", ["organisation", "position"]
    )
    op.create_table(
        "receipt_party",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("organisation", sa.String(32), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_receipt_party_organisation", "receipt_party", ["organisation", "position"])
    op.create_table(
        "receipt_terms",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("terms", sa.String(66), nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )
