"""The payload of a public batch: byte 0x01, then a zlib stream of the JCS array of its events.

Source: docs/proof-format.md section 2; RFC 1950, RFC 8785.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from contracts.provenance.errors import PayloadError
from contracts.provenance.types import COUNT_MAX
from ledger.canonical import DEPTH_MAX, CanonicalError, JsonError, canonical_json, parse_json

JSON_BYTES_MAX: Final = 16 * 1024 * 1024
"""Most bytes of the array."""
RATIO_MAX: Final = 250
"""Most bytes of the array per byte of payload: a small transaction must not cost much memory."""
RATIO_FREE_BYTES: Final = 64 * 1024
"""Arrays up to this size may have any ratio."""
_FORMAT: Final = 0x01
_LEVEL: Final = 6
_LARGE_NUMBER: Final = re.compile(rb"[:,\[]-?(?:[0-9]{16,}|[0-9.]+e\+[0-9]+)[],}]")
"""Perhaps a number beyond 2**53-1, as a float may be, which no strict reader takes."""

Event = dict[str, Any]


def encode_payload(events: Sequence[Mapping[str, Any]]) -> bytes:
    """The payload of anchored events, in batch order.

    Raises `PayloadError` where it would break a bound or an event is not canonical JSON.
    """
    try:
        array = canonical_json(list(events))
    except CanonicalError as error:
        raise PayloadError(f"payload: {error}") from error
    return _encoded(array, len(events))


def encode_canonical_payload(events: Sequence[bytes]) -> bytes:
    """The same from each event's JCS bytes, for callers that already have them (unchecked)."""
    return _encoded(b"[" + b",".join(events) + b"]", len(events))


def _encoded(array: bytes, count: int) -> bytes:
    if not 1 <= count <= COUNT_MAX:
        raise PayloadError(f"payload: {count} events, not 1 to {COUNT_MAX}")
    if len(array) > JSON_BYTES_MAX:
        raise PayloadError(f"payload: {len(array)} bytes of JSON, at most {JSON_BYTES_MAX}")
    if _LARGE_NUMBER.search(array):
        _check_readable(array)
    payload = bytes([_FORMAT]) + zlib.compress(array, _LEVEL)
    if len(array) > _json_bytes_max(len(payload)):
        raise PayloadError(f"payload: compressed more than {RATIO_MAX} times; send fewer events")
    return payload


def decode_payload(payload: bytes) -> tuple[Event, ...]:
    """The anchored events, in batch order.

    Strict: one format byte, one zlib stream, no byte behind it, canonical JSON, objects only.
    Whether they are the batch under a root is for the caller to see. Raises `PayloadError`.
    """
    array = _inflated(payload)
    try:
        events = parse_json(array, size_bytes_max=JSON_BYTES_MAX, depth_max=DEPTH_MAX)
        canonical = canonical_json(events)
    except (JsonError, CanonicalError) as error:
        raise PayloadError(f"payload: {error}") from error
    if canonical != array:
        raise PayloadError("payload: the JSON is not in canonical form (RFC 8785)")
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise PayloadError("payload: an array of objects is meant")
    if not 1 <= len(events) <= COUNT_MAX:
        raise PayloadError(f"payload: {len(events)} events, not 1 to {COUNT_MAX}")
    return tuple(events)


def _check_readable(array: bytes) -> None:
    """A float such as 1e20 can be written but not read back (RFC 7493): refuse it now."""
    try:
        parse_json(array, size_bytes_max=JSON_BYTES_MAX, depth_max=DEPTH_MAX)
    except JsonError as error:
        raise PayloadError(f"payload: {error}") from error


def _json_bytes_max(payload_size: int) -> int:
    return min(JSON_BYTES_MAX, max(RATIO_FREE_BYTES, RATIO_MAX * payload_size))


def _inflated(payload: bytes) -> bytes:
    """The array's bytes; never holds more than the bound."""
    if not payload:
        raise PayloadError("payload: empty")
    if payload[0] != _FORMAT:
        raise PayloadError(f"payload: unknown format byte {payload[0]:#04x}")
    limit = _json_bytes_max(len(payload))
    stream = zlib.decompressobj()
    try:
        array = stream.decompress(payload[1:], limit + 1)
    except zlib.error as error:
        raise PayloadError(f"payload: no zlib stream ({error})") from error
    if len(array) > limit:
        raise PayloadError(f"payload: inflates to more than {limit} bytes")
    if not stream.eof:
        raise PayloadError("payload: the zlib stream is cut short")
    if stream.unused_data:
        raise PayloadError(f"payload: {len(stream.unused_data)} bytes behind the zlib stream")
    return array
