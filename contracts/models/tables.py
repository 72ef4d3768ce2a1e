"""Models in SQL. Lists of ids, codes and numbers stand in one column, with spaces between."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)

from contracts.instruments.columns import Uint128
from contracts.instruments.places import place_columns
from contracts.instruments.viewer import party_table

metadata = MetaData()
"""What was agreed to."""
runs_metadata = MetaData()
"""What was done."""
releases_metadata = MetaData()
"""What came of it."""


def _id(name: str = "id") -> Column[Any]:
    return Column(name, String(66), primary_key=True)


def _hash(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, String(66), nullable=nullable)


def _organisation(name: str) -> Column[Any]:
    return Column(name, String(32), nullable=False)


def _large(name: str) -> Column[Any]:
    return Column(name, BigInteger, nullable=False)


def _record() -> tuple[Column[Any], ...]:
    """Of every record: `position` is the leaf of its first act, the place that of its last one."""
    return (
        _id(),
        _large("position"),
        _large("revision"),
        Column("state", String(16), nullable=False),
        *place_columns(),
    )


def _act_table(name: str, into: MetaData) -> Table:
    """Acts in their order: of a project (None: of a data set alone) and its records."""
    return Table(
        name,
        into,
        _hash("project", nullable=True),
        _hash("record"),
        Column("kind", String(16), nullable=False),
        Column("act", String(32), nullable=False),
        _organisation("by"),
        Column("state", String(16)),
        _large("revision"),
        Column("detail", Text, nullable=False),
        Column("remark", Text, nullable=False),
        *place_columns(key=True),
        Index(f"ix_{name}_project", "project", "leaf_index"),
        Index(f"ix_{name}_record", "record", "leaf_index"),
    )


# ---- what was agreed to -------------------------------------------------------------------------

project_table = Table(
    "model_project",
    metadata,
    *_record(),
    _organisation("proposer"),
    Column("number", String(66), nullable=False),
    Column("parties", Text, nullable=False),
    Column("parts", String(64), nullable=False),
    _large("version"),
    Column("accepted", Text, nullable=False),
    _hash("digest", nullable=True),
    Index("ix_model_project_position", "position", unique=True),
    Index("ix_model_project_state", "state", "position"),
)
project_party_table = party_table("model_project", metadata)

terms_table = Table(
    "model_terms",
    metadata,
    _id(),
    Column("proposed", Boolean, primary_key=True),
    _hash("document"),
    Column("algorithms", Text, nullable=False),
    Column("codes", Text, nullable=False),
    _large("epsilon"),
    _large("delta"),
    Column("price", Uint128, nullable=False),
    Column("currency", String(8), nullable=False),
    Column("shares", Text, nullable=False),
    _large("until"),
)

data_set_table = Table(
    "model_data_set",
    metadata,
    *_record(),
    _organisation("owner"),
    Column("number", String(66), nullable=False),
    _hash("schema"),
    _large("size"),
    _hash("commitment"),
    _hash("quality"),
    _hash("replaces", nullable=True),
    Index("ix_model_data_set_position", "position", unique=True),
)
data_set_party_table = party_table("model_data_set", metadata)

grant_table = Table(
    "model_grant",
    metadata,
    *_record(),
    _hash("project"),
    _hash("data_set"),
    _organisation("owner"),
    Column("number", String(66), nullable=False),
    _hash("fields"),
    _large("until"),
    Index("ix_model_grant_project", "project", "position"),
)
act_table = _act_table("model_act", metadata)

# ---- what was done ------------------------------------------------------------------------------

run_table = Table(
    "model_run",
    runs_metadata,
    *_record(),
    _hash("project"),
    _organisation("opener"),
    Column("number", String(66), nullable=False),
    Column("algorithm", String(66), nullable=False),
    _hash("code"),
    _hash("config"),
    _hash("seed"),
    _large("epsilon"),
    _large("delta"),
    _large("spent_epsilon"),
    _large("spent_delta"),
    Column("participants", Text, nullable=False),
    Column("nodes", Text, nullable=False),
    Column("grants", Text, nullable=False),
    _large("rounds"),
    _large("faults"),
    _large("opened"),
    Column("ended", BigInteger),
    _hash("outcome", nullable=True),
    Index("ix_model_run_project", "project", "position"),
)

round_table = Table(
    "model_round",
    runs_metadata,
    _id(),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    _hash("record"),
    _large("epsilon"),
    _large("delta"),
    Column("delivered", Text, nullable=False),
    *place_columns(),
)

fault_table = Table(
    "model_fault",
    runs_metadata,
    _id(),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    _organisation("party"),
    Column("kind", SmallInteger, nullable=False),
    _large("round"),
    _hash("evidence"),
    _organisation("by"),
    Column("remark", Text, nullable=False),
    *place_columns(),
)

budget_table = Table(
    "model_budget",
    runs_metadata,
    _id(),
    _large("epsilon"),
    _large("delta"),
)
run_act_table = _act_table("model_run_act", runs_metadata)

# ---- what came of it ----------------------------------------------------------------------------

release_table = Table(
    "model_release",
    releases_metadata,
    *_record(),
    _hash("project"),
    _hash("run"),
    _organisation("maker"),
    Column("number", String(66), nullable=False),
    _hash("card"),
    _hash("metrics"),
    Column("approved", String(64), nullable=False),
    Column("mark", SmallInteger, nullable=False),
    Column("live", BigInteger),
    Column("retired", BigInteger),
    Index("ix_model_release_project", "project", "position"),
)

share_table = Table(
    "model_share",
    releases_metadata,
    _id(),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    _organisation("party"),
    _hash("model"),
    _hash("data"),
)

contribution_table = Table(
    "model_contribution",
    releases_metadata,
    _id(),
    Column("proposed", Boolean, primary_key=True),
    _large("version"),
    Column("shares", Text, nullable=False),
    _hash("evidence"),
    Column("accepted", String(64), nullable=False),
    _hash("digest", nullable=True),
)

batch_table = Table(
    "model_batch",
    releases_metadata,
    *_record(),
    _hash("project"),
    _hash("release"),
    _organisation("asker"),
    Column("number", String(66), nullable=False),
    Column("mode", SmallInteger, nullable=False),
    _large("first"),
    _large("size"),
    _hash("root"),
    _large("since"),
    _large("until"),
    Column("price", Uint128, nullable=False),
    Column("currency", String(8), nullable=False),
    Column("amount", Uint128, nullable=False),
    Column("amounts", Text, nullable=False),
    _large("disputes"),
    Index("ix_model_batch_project", "project", "position"),
    Index("ix_model_batch_release", "release", "position"),
)

dispute_table = Table(
    "model_dispute",
    releases_metadata,
    _id(),
    Column("organisation", String(32), primary_key=True),
    _large("size"),
    _hash("evidence"),
    Column("remark", Text, nullable=False),
    *place_columns(),
)

due_table = Table(
    "model_due",
    releases_metadata,
    _id(),
    Column("currency", String(8), primary_key=True),
    Column("payer", String(32), primary_key=True),
    Column("payee", String(32), primary_key=True),
    Column("accrued", Uint128, nullable=False),
    Column("paid", Uint128, nullable=False),
    Column("reported", Uint128, nullable=False),
)

payment_table = Table(
    "model_payment",
    releases_metadata,
    *_record(),
    _hash("project"),
    _organisation("payer"),
    Column("number", String(66), nullable=False),
    _organisation("payee"),
    Column("currency", String(8), nullable=False),
    Column("amount", Uint128, nullable=False),
    _hash("settled", nullable=True),
    Index("ix_model_payment_project", "project", "position"),
)
release_act_table = _act_table("model_release_act", releases_metadata)
