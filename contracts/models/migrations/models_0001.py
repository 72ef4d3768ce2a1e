"""Models: what was agreed to, what was done, what came of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "models_0001"
down_revision = None
branch_labels = ("models",)
depends_on = None

UINT128 = sa.Numeric(39, 0).with_variant(sa.String(39), "sqlite")


def upgrade() -> None:
    _agreed()
    _done()
    _came()


def _agreed() -> None:
    op.create_table(
        "model_project",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
        sa.Column("proposer", sa.String(32), nullable=False),
        sa.Column("number", sa.String(66), nullable=False),
        sa.Column("parties", sa.Text, nullable=False),
        sa.Column("parts", sa.String(64), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("accepted", sa.Text, nullable=False),
        sa.Column("digest", sa.String(66)),
    )
    op.create_index("ix_model_project_position", "model_project", ["position"], unique=True)
    op.create_index("ix_model_project_state", "model_project", ["state", "position"])
    op.create_table(
        "model_project_party",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("organisation", sa.String(32), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "ix_model_project_party_organisation", "model_project_party", ["organisation", "position"]
    )
    op.create_table(
        "model_terms",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("proposed", sa.Boolean, primary_key=True),
        sa.Column("document", sa.String(66), nullable=False),
        sa.Column("algorithms", sa.Text, nullable=False),
        sa.Column("codes", sa.Text, nullable=False),
        sa.Column("epsilon", sa.BigInteger, nullable=False),
        sa.Column("delta", sa.BigInteger, nullable=False),
        sa.Column("price", UINT128, nullable=False),
        sa.Column("currency", sa.String(8), nullable=False),
        sa.Column("shares", sa.Text, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "model_data_set",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
        sa.Column("owner", sa.String(32), nullable=False),
        sa.Column("number", sa.String(66), nullable=False),
        sa.Column("schema", sa.String(66), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("commitment", sa.String(66), nullable=False),
        sa.Column("quality", sa.String(66), nullable=False),
        sa.Column("replaces", sa.String(66)),
    )
    op.create_index("ix_model_data_set_position", "model_data_set", ["position"], unique=True)
    op.create_table(
        "model_data_set_party",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("organisation", sa.String(32), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "ix_model_data_set_party_organisation", "model_data_set_party", ["organisation", "position"]
    )
    op.create_table(
        "model_grant",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
        sa.Column("project", sa.String(66), nullable=False),
        sa.Column("data_set", sa.String(66), nullable=False),
        sa.Column("owner", sa.String(32), nullable=False),
        sa.Column("number", sa.String(66), nullable=False),
        sa.Column("fields", sa.String(66), nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_model_grant_project", "model_grant", ["project", "position"])
    op.create_table(
        "model_act",
        sa.Column("project", sa.String(66)),
        sa.Column("record", sa.String(66), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("act", sa.String(32), nullable=False),
        sa.Column("by", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16)),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("remark", sa.Text, nullable=False),
        sa.Column("block_number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("log_index", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_model_act_project", "model_act", ["project", "leaf_index"])
    op.create_index("ix_model_act_record", "model_act", ["record", "leaf_index"])


def _done() -> None:
    op.create_table(
        "model_run",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
        sa.Column("project", sa.String(66), nullable=False),
        sa.Column("opener", sa.String(32), nullable=False),
        sa.Column("number", sa.String(66), nullable=False),
        sa.Column("algorithm", sa.String(66), nullable=False),
        sa.Column("code", sa.String(66), nullable=False),
        sa.Column("config", sa.String(66), nullable=False),
        sa.Column("seed", sa.String(66), nullable=False),
        sa.Column("epsilon", sa.BigInteger, nullable=False),
        sa.Column("delta", sa.BigInteger, nullable=False),
        sa.Column("spent_epsilon", sa.BigInteger, nullable=False),
        sa.Column("spent_delta", sa.BigInteger, nullable=False),
        sa.Column("participants", sa.Text, nullable=False),
        sa.Column("nodes", sa.Text, nullable=False),
        sa.Column("grants", sa.Text, nullable=False),
        sa.Column("rounds", sa.BigInteger, nullable=False),
        sa.Column("faults", sa.BigInteger, nullable=False),
        sa.Column("opened", sa.BigInteger, nullable=False),
        sa.Column("ended", sa.BigInteger),
        sa.Column("outcome", sa.String(66)),
    )
    op.create_index("ix_model_run_project", "model_run", ["project", "position"])
    op.create_table(
        "model_round",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("record", sa.String(66), nullable=False),
        sa.Column("epsilon", sa.BigInteger, nullable=False),
        sa.Column("delta", sa.BigInteger, nullable=False),
        sa.Column("delivered", sa.Text, nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "model_fault",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("party", sa.String(32), nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("round", sa.BigInteger, nullable=False),
        sa.Column("evidence", sa.String(66), nullable=False),
        sa.Column("by", sa.String(32), nullable=False),
        sa.Column("remark", sa.Text, nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "model_budget",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("epsilon", sa.BigInteger, nullable=False),
        sa.Column("delta", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "model_run_act",
        sa.Column("project", sa.String(66)),
        sa.Column("record", sa.String(66), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("act", sa.String(32), nullable=False),
        sa.Column("by", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16)),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("remark", sa.Text, nullable=False),
        sa.Column("block_number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("log_index", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_model_run_act_project", "model_run_act", ["project", "leaf_index"])
    op.create_index("ix_model_run_act_record", "model_run_act", ["record", "leaf_index"])


def _came() -> None:
    op.create_table(
        "model_release",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
        sa.Column("project", sa.String(66), nullable=False),
        sa.Column("run", sa.String(66), nullable=False),
        sa.Column("maker", sa.String(32), nullable=False),
        sa.Column("number", sa.String(66), nullable=False),
        sa.Column("card", sa.String(66), nullable=False),
        sa.Column("metrics", sa.String(66), nullable=False),
        sa.Column("approved", sa.String(64), nullable=False),
        sa.Column("mark", sa.SmallInteger, nullable=False),
        sa.Column("live", sa.BigInteger),
        sa.Column("retired", sa.BigInteger),
    )
    op.create_index("ix_model_release_project", "model_release", ["project", "position"])
    op.create_table(
        "model_share",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("ordinal", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("party", sa.String(32), nullable=False),
        sa.Column("model", sa.String(66), nullable=False),
        sa.Column("data", sa.String(66), nullable=False),
    )
    op.create_table(
        "model_contribution",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("proposed", sa.Boolean, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("shares", sa.Text, nullable=False),
        sa.Column("evidence", sa.String(66), nullable=False),
        sa.Column("accepted", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(66)),
    )
    op.create_table(
        "model_batch",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
        sa.Column("project", sa.String(66), nullable=False),
        sa.Column("release", sa.String(66), nullable=False),
        sa.Column("asker", sa.String(32), nullable=False),
        sa.Column("number", sa.String(66), nullable=False),
        sa.Column("mode", sa.SmallInteger, nullable=False),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("root", sa.String(66), nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("price", UINT128, nullable=False),
        sa.Column("currency", sa.String(8), nullable=False),
        sa.Column("amount", UINT128, nullable=False),
        sa.Column("amounts", sa.Text, nullable=False),
        sa.Column("disputes", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_model_batch_project", "model_batch", ["project", "position"])
    op.create_index("ix_model_batch_release", "model_batch", ["release", "position"])
    op.create_table(
        "model_dispute",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("organisation", sa.String(32), primary_key=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("evidence", sa.String(66), nullable=False),
        sa.Column("remark", sa.Text, nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "model_due",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("currency", sa.String(8), primary_key=True),
        sa.Column("payer", sa.String(32), primary_key=True),
        sa.Column("payee", sa.String(32), primary_key=True),
        sa.Column("accrued", UINT128, nullable=False),
        sa.Column("paid", UINT128, nullable=False),
        sa.Column("reported", UINT128, nullable=False),
    )
    op.create_table(
        "model_payment",
        sa.Column("id", sa.String(66), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.Integer, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
        sa.Column("project", sa.String(66), nullable=False),
        sa.Column("payer", sa.String(32), nullable=False),
        sa.Column("number", sa.String(66), nullable=False),
        sa.Column("payee", sa.String(32), nullable=False),
        sa.Column("currency", sa.String(8), nullable=False),
        sa.Column("amount", UINT128, nullable=False),
        sa.Column("settled", sa.String(66)),
    )
    op.create_index("ix_model_payment_project", "model_payment", ["project", "position"])
    op.create_table(
        "model_release_act",
        sa.Column("project", sa.String(66)),
        sa.Column("record", sa.String(66), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("act", sa.String(32), nullable=False),
        sa.Column("by", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16)),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("remark", sa.Text, nullable=False),
        sa.Column("block_number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("log_index", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_model_release_act_project", "model_release_act", ["project", "leaf_index"])
    op.create_index("ix_model_release_act_record", "model_release_act", ["record", "leaf_index"])
