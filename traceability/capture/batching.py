"""From prepared documents to batches: how events are told apart and divided. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from contracts.provenance import PayloadError, encode_canonical_payload
from traceability.preparing import PreparedEvent

EventKey = tuple[str, str]
"""Event id and digest. The id alone is not enough: a later error declaration keeps it."""


def key_of(event: PreparedEvent) -> EventKey:
    return event.event_id, event.digest


def divide(
    events: Iterable[PreparedEvent], *, events_max: int, bytes_max: int
) -> Iterator[list[PreparedEvent]]:
    """Cut into runs within the bounds; a single larger event stands alone."""
    run: list[PreparedEvent] = []
    size = 0
    for event in events:
        if run and (len(run) >= events_max or size + len(event.body) > bytes_max):
            yield run
            run, size = [], 0
        run.append(event)
        size += len(event.body) + 1
    if run:
        yield run


def payloads(
    events: Sequence[PreparedEvent], *, payload_bytes_max: int
) -> list[tuple[list[PreparedEvent], bytes]]:
    """Batches with their payload. What compresses too little or too well is halved.

    Raises `PayloadError` if a single event cannot be carried.
    """
    try:
        payload = encode_canonical_payload([event.body for event in events])
        if len(payload) > payload_bytes_max:
            raise PayloadError(
                f"payload: {len(payload)} bytes compressed, at most {payload_bytes_max}"
            )
    except PayloadError:
        if len(events) == 1:
            raise
        middle = len(events) // 2
        return [
            *payloads(events[:middle], payload_bytes_max=payload_bytes_max),
            *payloads(events[middle:], payload_bytes_max=payload_bytes_max),
        ]
    return [(list(events), payload)]
