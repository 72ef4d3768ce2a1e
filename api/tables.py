"""The room's own tables: who may do what, and what was asked for under an Idempotency-Key.

With capture's jobs, the only SQL that the chain cannot give back.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata: Final = MetaData()

SEQUENCE: Final = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts by itself only in an INTEGER primary key."""

api_key: Final = Table(
    "api_key",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("key_id", String(16), nullable=False, unique=True),
    Column("organisation", String(32), nullable=False),
    Column("scopes", String(1000), nullable=False),
    Column("last_four", String(4), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
    Column("instruments", Text),
    Index("ix_api_key_organisation", "organisation"),
)
"""`digest` is SHA-256 of the key: the key itself has 256 random bits and is never stored.
`instruments` are ids with spaces between, where the key is for these records only."""

access_token: Final = Table(
    "access_token",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("key_id", String(16), nullable=False),
    Column("scopes", String(1000), nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Index("ix_access_token_expires", "expires_ms"),
)
"""OAuth access tokens, digests as above; a key is the client. What was revoked is gone."""

operation: Final = Table(
    "operation",
    metadata,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
    Column("organisation", String(32), nullable=False),
    Column("idempotency_key", String(255), nullable=False),
    Column("request_digest", LargeBinary(32), nullable=False),
    Column("account", LargeBinary(20), nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("transaction_hash", LargeBinary(32), nullable=False),
    Column("raw", LargeBinary),
    Column("refusal", Text),
    Column("created_ms", BigInteger, nullable=False),
    UniqueConstraint("organisation", "idempotency_key", name="uq_operation_idempotency_key"),
    Index("ix_operation_created", "created_ms"),
)
"""`raw` is the signed transaction; it goes once the ledger has it. `refusal` is JSON: why the
contract refused what was in a block all the same."""
