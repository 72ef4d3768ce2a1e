"""Jobs and their transactions. With the API keys, the only SQL that the chain cannot give back."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

metadata: Final = MetaData()

SEQUENCE: Final = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts by itself only in an INTEGER primary key."""

capture_job: Final = Table(
    "capture_job",
    metadata,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
    Column("capture_id", String(36), nullable=False, unique=True),
    Column("organisation", String(32), nullable=False),
    Column("error_behaviour", String(8), nullable=False),
    Column("state", String(9), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("finished_ms", BigInteger),
    Column("idempotency_key", String(255)),
    Column("document_digest", LargeBinary(32), nullable=False),
    Column("document", LargeBinary),
    Column("result", LargeBinary),
    UniqueConstraint("organisation", "idempotency_key", name="uq_capture_job_idempotency_key"),
    Index("ix_capture_job_state", "state"),
    Index("ix_capture_job_organisation", "organisation", "sequence"),
)
"""`document` goes once the job is final; `result` is JSON: event ids and errors."""

capture_batch: Final = Table(
    "capture_batch",
    metadata,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
    Column("organisation", String(32), nullable=False),
    Column("account", LargeBinary(20), nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("transaction_hash", LargeBinary(32), nullable=False),
    Column("raw", LargeBinary),
    Column("state", String(9), nullable=False),
    Column("block_number", BigInteger),
    Index("ix_capture_batch_state", "state"),
    Index("ix_capture_batch_transaction", "transaction_hash"),
)
"""`raw` is the signed transaction; it goes once the chain has it. After a refusal the same bytes
may be signed again for another batch: a hash can stand here twice, but only once as stored."""

capture_batch_job: Final = Table(
    "capture_batch_job",
    metadata,
    Column("batch", SEQUENCE, ForeignKey("capture_batch.sequence"), primary_key=True),
    Column("job", SEQUENCE, ForeignKey("capture_job.sequence"), primary_key=True),
    Index("ix_capture_batch_job_job", "job"),
)
