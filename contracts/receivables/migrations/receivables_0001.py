"""Receivables, their history, endorsers, documents and parties."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "receivables_0001"
down_revision = None
branch_labels = ("receivables",)
depends_on = None

UINT128 = sa.Numeric(39, 0).with_variant(sa.String(39), "sqlite")


def upgrade() -> None:
    _receivable()
    _receivable_act()
    _receivable_endorsement()
    _receivable_terms()
    _receivable_party()


def _receivable() -> None:
    op.create_table(
        "receivable",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("contract", sa.String(42), nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("issuer", sa.String(32), nullable=False),
        sa.Column("number", sa.String(66)),
        sa.Column("creditor", sa.String(32), nullable=False),
        sa.Column("debtor", sa.String(32), nullable=False),
        sa.Column("attestor", sa.String(32)),
        sa.Column("terms", sa.String(66), nullable=False),
        sa.Column("invoice", sa.String(66)),
        sa.Column("holder", sa.String(32), nullable=False),
        sa.Column("pledgee", sa.String(32)),
        sa.Column("guarantor", sa.String(32)),
        sa.Column("origin", sa.String(66)),
        sa.Column("root", sa.String(66), nullable=False),
        sa.Column("amount", UINT128, nullable=False),
        sa.Column("outstanding", UINT128, nullable=False),
        sa.Column("paid", UINT128, nullable=False),
        sa.Column("currency", sa.String(8), nullable=False),
        sa.Column("issued", sa.BigInteger, nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("deliver_by", sa.BigInteger, nullable=False),
        sa.Column("presented", sa.BigInteger, nullable=False),
        sa.Column("grace_seconds", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("part", sa.Integer, nullable=False),
        sa.Column("endorsements", sa.SmallInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("freezes", sa.SmallInteger, nullable=False),
        sa.Column("locked", sa.Boolean, nullable=False),
        sa.Column("disputable", sa.Boolean, nullable=False),
        sa.Column("undertaken", sa.Boolean, nullable=False),
        sa.Column("rejectable", sa.Boolean, nullable=False),
        sa.Column("financed", sa.Boolean, nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_receivable_creditor", "receivable", ["creditor", "position"])
    op.create_index("ix_receivable_debtor", "receivable", ["debtor", "position"])
    op.create_index("ix_receivable_due", "receivable", ["state", "due", "position"])
    op.create_index("ix_receivable_guarantor", "receivable", ["guarantor", "position"])
    op.create_index("ix_receivable_holder", "receivable", ["holder", "position"])
    op.create_index("ix_receivable_issuer", "receivable", ["issuer", "position"])
    op.create_index("ix_receivable_number", "receivable", ["number", "position"])
    op.create_index("ix_receivable_origin", "receivable", ["origin", "position"])
    op.create_index("ix_receivable_pledgee", "receivable", ["pledgee", "position"])
    op.create_index("ix_receivable_position", "receivable", ["position"], unique=True)
    op.create_index("ix_receivable_root", "receivable", ["root", "position"])
    op.create_index("ix_receivable_state", "receivable", ["state", "position"])


def _receivable_act() -> None:
    op.create_table(
        "receivable_act",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("block_number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("log_index", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
        sa.Column("act", sa.String(32), nullable=False),
        sa.Column("by", sa.String(32)),
        sa.Column("detail", sa.String(66)),
        sa.Column("remark", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("holder", sa.String(32), nullable=False),
        sa.Column("pledgee", sa.String(32)),
        sa.Column("guarantor", sa.String(32)),
        sa.Column("outstanding", UINT128, nullable=False),
        sa.Column("paid", UINT128, nullable=False),
    )


def _receivable_endorsement() -> None:
    op.create_table(
        "receivable_endorsement",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("since", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("depth", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("until", sa.BigInteger),
        sa.Column("endorser", sa.String(32), nullable=False),
        sa.Column("recourse", sa.Boolean, nullable=False),
    )


def _receivable_terms() -> None:
    op.create_table(
        "receivable_terms",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("terms", sa.String(66), primary_key=True),
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )


def _receivable_party() -> None:
    op.create_table(
        "receivable_party",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("organisation", sa.String(32), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "ix_receivable_party_organisation", "receivable_party", ["organisation", "position"]
    )
