"""From calldata to the events of a batch, believed only as far as the root bears them out."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.errors import ContractError
from contracts.provenance import Batch, BatchAnchored, decode_payload
from ledger.canonical import CanonicalError, canonical_json
from traceability.epcis import EpcisError, parse_document
from traceability.projection.errors import PayloadMismatch, PayloadUnreadable
from traceability.projection.prepared import HashedEvent, PreparedEvent


def read_payload(payload: bytes) -> tuple[HashedEvent, ...]:
    """Parse, validate and hash every event. Raises `PayloadUnreadable`."""
    try:
        bodies = decode_payload(payload)
        document = parse_document(canonical_json(list(bodies)))
    except (ContractError, CanonicalError, EpcisError) as error:
        raise PayloadUnreadable(str(error)) from error
    events = []
    for index, (body, event) in enumerate(zip(bodies, document.events, strict=True)):
        if event.canonical_bytes != canonical_json(body):
            raise PayloadUnreadable(
                f"event {index} is not in anchored form (docs/proof-format.md, section 1)"
            )
        events.append(PreparedEvent(event.event_id, event.digest, event.canonical_bytes))
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
