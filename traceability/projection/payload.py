"""From calldata to the events of a batch, believed only as far as the root bears them out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from contracts.errors import ContractError
from contracts.provenance import Batch, BatchAnchored, decode_payload
from ledger.canonical import CanonicalError, canonical_json
from traceability.epcis import parse_document
from traceability.errors import TraceabilityError
from traceability.projection.errors import PayloadMismatch, PayloadUnreadable
from traceability.projection.prepared import HashedEvent, PreparedEvent


def read_payload(payload: bytes) -> tuple[PreparedEvent, ...]:
    """Parse and hash every event. Raises `PayloadUnreadable`."""
    try:
        bodies = decode_payload(payload)
    except ContractError as error:
        raise PayloadUnreadable(str(error)) from error
    events = []
    for index, body in enumerate(bodies):
        try:
            events.append(_read_event(body))
        except (TraceabilityError, CanonicalError, ValueError) as error:
            raise PayloadUnreadable(f"event {index}: {error}") from error
    return tuple(events)


def batch_of(anchored: BatchAnchored, events: Sequence[HashedEvent]) -> Batch:
    """The tree of the events, if it is the anchored one. Raises `PayloadMismatch`."""
    if len(events) != anchored.count:
        raise PayloadMismatch(f"the payload has {len(events)} events, the anchor {anchored.count}")
    batch = Batch.of([(event.event_id, event.digest) for event in events])
    if batch.root != anchored.root:
        raise PayloadMismatch(
            f"the payload's events give root 0x{batch.root.hex()}, not the anchored one"
        )
    return batch


def _read_event(body: Mapping[str, Any]) -> PreparedEvent:
    canonical = canonical_json(body)
    (event,) = parse_document(canonical).events
    if canonical_json(event.body) != canonical:
        raise PayloadUnreadable("not in anchored form (docs/proof-format.md, section 1)")
    digest = hashlib.sha256(canonical).hexdigest()
    return PreparedEvent(event.event_id, digest, canonical)
