"""Webhooks and the log of their deliveries: not from the chain, and not rebuilt."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata: Final = MetaData()

webhook_table: Final = Table(
    "webhook",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("organisation", String(32), nullable=False),
    Column("url", Text, nullable=False),
    Column("kinds", Text, nullable=False),
    Column("record", String(66), nullable=False),
    Column("supervise", Boolean, nullable=False),
    Column("secret", String(100), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failing_since_ms", BigInteger),
    Column("next_ms", BigInteger, nullable=False),
    Index("ix_webhook_organisation", "organisation"),
)
"""`kinds` with commas between; the secret as `api.hooks.sealed` has it."""

webhook_attempt_table: Final = Table(
    "webhook_attempt",
    metadata,
    Column("webhook", String(32), ForeignKey("webhook.id", ondelete="CASCADE"), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("notice", String(40), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("status", Integer),
    Column("error", Text, nullable=False),
    Column("latency_ms", BigInteger, nullable=False),
)
