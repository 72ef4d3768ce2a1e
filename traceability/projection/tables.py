"""The tables of batches and events. Every row is a function of the chain alone.

Keys come from the chain, so that a rebuild gives the same rows: a batch is known by the index of
its leaf in the transparency log, an event by its batch and its place in it.

There are no foreign keys: all rows of a batch are written and removed together by one handler.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
)

metadata: Final = MetaData()

# Bytewise order everywhere: identifiers are compared by prefix, not by a language's alphabet.
key_text: Final = Text().with_variant(Text(collation="C"), "postgresql")

# On SQLite only INTEGER PRIMARY KEY is the row's own number; BIGINT would be an index more.
key_integer: Final = BigInteger().with_variant(Integer, "sqlite")


class BatchStatus(StrEnum):
    """What became of a batch."""

    OK = "ok"
    """Payload and root agree; the events are served."""
    WITHHELD = "withheld"
    """Not public: the ledger holds the commitment alone."""
    PAYLOAD_MISSING = "payload_missing"
    """Public, but not anchored by a plain call, so that there is no payload to read."""
    PAYLOAD_INVALID = "payload_invalid"
    """The payload cannot be read as EPCIS events."""
    PAYLOAD_MISMATCH = "payload_mismatch"
    """The payload's events are not the ones under the root."""


class Role(IntEnum):
    """Where in an event an identifier stands."""

    EPC = 1
    CHILD = 2
    PARENT = 3
    INPUT = 4
    OUTPUT = 5
    QUANTITY = 6
    CHILD_QUANTITY = 7
    INPUT_QUANTITY = 8
    OUTPUT_QUANTITY = 9


batch: Final = Table(
    "batch",
    metadata,
    Column("leaf_index", key_integer, primary_key=True, autoincrement=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("organisation", String(32), nullable=False),
    Column("submitter", LargeBinary(20), nullable=False),
    Column("block_number", BigInteger, nullable=False),
    Column("block_time", BigInteger, nullable=False),
    Column("transaction_hash", LargeBinary(32), nullable=False),
    Column("log_index", Integer, nullable=False),
    Column("count", Integer, nullable=False),
    Column("visibility", SmallInteger, nullable=False),
    Column("status", String(32), nullable=False),
    Column("reason", Text, nullable=True),
    Index("batch_root", "root"),
    Index("batch_transaction", "transaction_hash"),
)
"""One row for each BatchAnchored log. `block_time` in seconds since 1970."""

event: Final = Table(
    "event",
    metadata,
    Column("pk", key_integer, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("version", String(16), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("leaf_index", BigInteger, nullable=False),
    Column("batch_index", Integer, nullable=False),
    Column("batch_path", LargeBinary, nullable=False),
    Column("organisation", String(32), nullable=False),
    Column("record_time", BigInteger, nullable=False),
    Column("event_time", BigInteger, nullable=False),
    Column("error_time", BigInteger, nullable=True),
    Column("event_type", String(32), nullable=False),
    Column("action", String(16), nullable=True),
    Column("biz_step", key_text, nullable=True),
    Column("disposition", key_text, nullable=True),
    Column("read_point", key_text, nullable=True),
    Column("biz_location", key_text, nullable=True),
    Column("parent_id", key_text, nullable=True),
    Column("transformation_id", key_text, nullable=True),
    Column("body", LargeBinary, nullable=False),
    Index("event_identity", "hash", "digest", unique=True),
    Index("event_by_event_time", "event_time", "pk"),
    Index("event_by_record_time", "record_time", "pk"),
    Index("event_by_biz_step", "biz_step", "pk"),
    Index("event_by_biz_step_time", "biz_step", "event_time", "pk"),
    Index("event_by_read_point", "read_point", "pk"),
    Index("event_by_biz_location", "biz_location", "pk"),
    Index("event_by_transformation", "transformation_id"),
)
"""One row for each distinct event, at its first anchoring.

Distinct by event id and digest: an error declaration has the same event id as the event that it
takes back, but another digest. `hash` and `version` are the two parts of the event id. Times in
microseconds since 1970. `batch_path` is the hashes of the inclusion path, joined.
"""

event_epc: Final = Table(
    "event_epc",
    metadata,
    Column("epc", key_text, nullable=False),
    Column("event_time", BigInteger, nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("role", SmallInteger, nullable=False),
    PrimaryKeyConstraint("epc", "event_time", "event", "role"),
    sqlite_with_rowid=False,
)
"""The identifiers of things in each event, in canonical form: instances and classes."""

event_quantity: Final = Table(
    "event_quantity",
    metadata,
    Column("event", BigInteger, nullable=False),
    Column("place", Integer, nullable=False),
    Column("quantity", Float(53), nullable=False),
    PrimaryKeyConstraint("event", "place"),
    Index("event_quantity_by_quantity", "quantity", "event"),
)
"""The quantities in each event, in the order of its quantity lists."""

event_term: Final = Table(
    "event_term",
    metadata,
    Column("field", key_text, nullable=False),
    Column("value", key_text, nullable=False),
    Column("event", BigInteger, nullable=False),
    PrimaryKeyConstraint("field", "value", "event"),
    sqlite_with_rowid=False,
)
"""What else of an event can be asked for: business transactions, parties, extensions."""

event_repeat: Final = Table(
    "event_repeat",
    metadata,
    Column("event", BigInteger, nullable=False),
    Column("leaf_index", BigInteger, nullable=False),
    Column("batch_index", Integer, nullable=False),
    Column("batch_path", LargeBinary, nullable=False),
    PrimaryKeyConstraint("event", "leaf_index", "batch_index"),
)
"""Later anchorings of an event that was there already, by whomever: queries answer an event once,
from the first, but a journey tells every organisation that has said it."""

BATCH_INDEX_BITS: Final = 14
"""A batch has at most 10,000 events."""


def event_key(leaf_index: int, batch_index: int) -> int:
    """`event.pk`: rises in the order of anchoring."""
    return leaf_index << BATCH_INDEX_BITS | batch_index
