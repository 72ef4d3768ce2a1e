"""From rows to `StoredEvent`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement

from traceability.projection.tables import batch, event
from traceability.query.types import StoredEvent

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HASH_SIZE: Final = 32

STORED: Final[Sequence[ColumnElement[Any]]] = (
    event.c.hash,
    event.c.version,
    event.c.digest,
    event.c.body,
    event.c.event_time,
    event.c.record_time,
    event.c.organisation,
    event.c.leaf_index,
    event.c.batch_index,
    event.c.batch_path,
    batch.c.root,
    batch.c.count.label("batch_count"),
    batch.c.block_number,
    batch.c.log_index,
    batch.c.transaction_hash,
)
"""Columns of `event` joined with its `batch`, in the order that `stored` reads them."""


def stored(row: Sequence[Any]) -> StoredEvent:
    """Read the first columns of a row of `STORED`."""
    (
        hash_,
        version,
        digest,
        body,
        event_time,
        record_time,
        organisation,
        leaf_index,
        batch_index,
        path,
        root,
        count,
        block_number,
        log_index,
        transaction_hash,
    ) = row[: len(STORED)]
    return StoredEvent(
        event_id=f"ni:///sha-256;{hash_.hex()}?ver={version}",
        digest=digest.hex(),
        body=bytes(body),
        event_time=moment(event_time),
        record_time=moment(record_time),
        organisation=organisation,
        batch_root=bytes(root),
        batch_index=batch_index,
        batch_count=count,
        batch_path=path_of(path),
        block_number=block_number,
        log_index=log_index,
        leaf_index=leaf_index,
        transaction_hash=bytes(transaction_hash),
    )


def path_of(joined: bytes) -> tuple[bytes, ...]:
    """The hashes of an inclusion path that is stored joined."""
    data = bytes(joined)
    return tuple(data[i : i + _HASH_SIZE] for i in range(0, len(data), _HASH_SIZE))


def moment(microseconds: int) -> datetime:
    """Microseconds since 1970 as a UTC time."""
    return _EPOCH + timedelta(microseconds=microseconds)
