"""The feed's tables, and what the feed keeps to know whom to tell."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, MetaData, String, Table, Text

metadata: Final = MetaData()

notice_table: Final = Table(
    "notice",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(64), nullable=False),
    Column("record", String(66), nullable=False),
    Column("body", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("transaction_hash", String(66), nullable=False),
    Column("leaf_index", BigInteger, nullable=False),
    Index("ix_notice_record", "record", "position"),
    Index("ix_notice_kind", "kind", "position"),
    Index("ix_notice_time", "time", "position"),
)
"""`position` is that of `Place`; `body` is JSON."""

notice_party_table: Final = Table(
    "notice_party",
    metadata,
    Column("organisation", String(32), primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
)
"""Who may see a notice."""

notice_record_table: Final = Table(
    "notice_record",
    metadata,
    Column("id", String(66), primary_key=True),
    Column("topic", String(66), nullable=False, index=True),
    Column("final", Boolean, nullable=False),
    Column("parties", Text, nullable=False),
)
"""Records as of their last notice: what they live on, whether they are at their end, and who is a
party (ids with spaces between)."""

notice_contract_table: Final = Table(
    "notice_contract",
    metadata,
    Column("address", String(42), primary_key=True),
    Column("contract", String(32), nullable=False),
)
"""Contracts whose logs are told, with the name that the Directory has for them."""
