"""The tables of proposals, votes, weights and thresholds."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)

metadata: Final = MetaData()

proposal_table: Final = Table(
    "proposal",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("organisation", String(32), nullable=False, index=True),
    Column("by", String(42), nullable=False),
    Column("text", Text, nullable=False),
    Column("block_number", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("decided", SmallInteger),
    Column("decided_block", BigInteger),
    Column("transaction_hash", String(66), nullable=False),
)
"""Times in unix seconds. `decided` is `State.EXECUTED` or `State.WITHDRAWN`; where it is NULL, the
state follows from votes and time."""

proposal_call_table: Final = Table(
    "proposal_call",
    metadata,
    Column("proposal", BigInteger, ForeignKey("proposal.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("target", String(42), nullable=False),
    Column("data", LargeBinary, nullable=False),
)

vote_table: Final = Table(
    "vote",
    metadata,
    Column("proposal", BigInteger, ForeignKey("proposal.id"), primary_key=True),
    Column("organisation", String(32), primary_key=True),
    Column("choice", SmallInteger, nullable=False),
    Column("by", String(42), nullable=False),
    Column("block_number", BigInteger, nullable=False),
)
"""What each organisation said last."""

voter_table: Final = Table(
    "voter",
    metadata,
    Column("organisation", String(32), primary_key=True),
    Column("votes", BigInteger, nullable=False),
)
"""Weights other than 0, whether they count now or not."""

threshold_table: Final = Table(
    "threshold",
    metadata,
    Column("target", String(42), primary_key=True),
    Column("selector", String(10), primary_key=True),
    Column("numerator", BigInteger, nullable=False),
    Column("denominator", BigInteger, nullable=False),
)
"""Thresholds of functions; the default one has an empty target and an empty selector."""
