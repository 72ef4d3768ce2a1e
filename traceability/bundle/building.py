"""From a stored event to its proof bundle."""

from __future__ import annotations

from functools import lru_cache

from ledger.tlog import Checkpoint, Note, TlogProof
from traceability.bundle.bundle import BatchPlace, Bundle
from traceability.bundle.errors import NotProvableYet
from traceability.bundle.protocol import LedgerView, LogView
from traceability.bundle.trust import Trust
from traceability.query.types import StoredEvent


def choose_checkpoint(log: LogView, leaf_index: int, trust: Trust) -> tuple[str, bool]:
    """The checkpoint for a leaf's proof, and whether verifiers of `trust` will be content with it.

    That is the newest that covers the leaf and that as many members have signed as must; where
    none is yet, simply the latest, and False.
    """
    note = log.witnessed(leaf_index + 1, trust.threshold, trust.keys)
    return (log.checkpoint(), False) if note is None else (note, True)


def build_bundle(event: StoredEvent, ledger: LedgerView, note: str | None = None) -> Bundle:
    """The bundle of an event, up to the checkpoint `note`, by default the log's latest.

    Raises `NotProvableYet` where the checkpoint does not cover the event's leaf.
    """
    note = ledger.log.checkpoint() if note is None else note
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
