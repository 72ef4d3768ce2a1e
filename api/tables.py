"""The room's own table: keys that may write."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, String, Table

metadata: Final = MetaData()

api_key: Final = Table(
    "api_key",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("key_id", String(16), nullable=False, unique=True),
    Column("organisation", String(32), nullable=False),
    Column("scopes", String(200), nullable=False),
    Column("last_four", String(4), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
    Index("ix_api_key_organisation", "organisation"),
)
"""`digest` is SHA-256 of the key: the key itself has 256 random bits and is never stored."""
