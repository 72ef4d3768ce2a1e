"""From a stored event to its proof bundle."""

from __future__ import annotations

from functools import lru_cache

from ledger.tlog import Checkpoint, Note, TlogProof
from traceability.bundle.bundle import BatchPlace, Bundle
from traceability.bundle.errors import NotProvableYet
from traceability.bundle.protocol import LedgerView
from traceability.query.types import StoredEvent


def build_bundle(event: StoredEvent, ledger: LedgerView) -> Bundle:
    """The bundle of an event, up to the log's latest checkpoint.

    Raises `NotProvableYet` where the checkpoint does not cover the event's leaf.
    """
    note = ledger.log.checkpoint()
    size = _size_of(note)
    if event.leaf_index >= size:
        raise NotProvableYet(
            f"leaf {event.leaf_index} is not below the checkpoint of {size} leaves yet"
        )
    path = tuple(ledger.log.inclusion_proof(event.leaf_index, size))
    return Bundle(
        event.event_id,
        event.body,
        BatchPlace(event.batch_index, event.batch_count, event.batch_path),
        ledger.log.entry(event.leaf_index),
        TlogProof(event.leaf_index, path, note).encode(),
    )


@lru_cache(maxsize=8)
def _size_of(note: str) -> int:
    """Leaves that a checkpoint covers. An item's answer asks for the same note event by event."""
    return Checkpoint.parse(Note.decode(note).text).size
