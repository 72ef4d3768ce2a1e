"""The first look at a document, before it is stored: is it JSON within bounds, and EPCIS at all?

Cheap on purpose (about 1 ms for 100 events), because it runs in the serving process. What the
events say is judged later, in a worker.
"""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

from traceability.capture.errors import DocumentMalformed, DocumentTooLarge
from traceability.capture.types import CaptureSettings

DOCUMENT_TYPES: Final = frozenset({"EPCISDocument", "EPCISQueryDocument"})
EVENT_TYPES: Final = frozenset(
    {"ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent"}
    | {"AssociationEvent"}
)

_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_NOT_BRACKET: Final = re.compile(rb"[^\[\]{}]+")
_OPENING: Final = frozenset(b"[{")


def check_document(data: bytes, settings: CaptureSettings) -> int:
    """Number of events that the document claims to hold.

    Raises `DocumentMalformed` (no JSON, too deep, not EPCIS) or `DocumentTooLarge`.
    """
    if len(data) > settings.document_size_bytes_max:
        raise DocumentTooLarge(
            f"the document has {len(data)} bytes; {settings.document_size_bytes_max} are allowed"
        )
    depth = nesting_depth(data)
    if depth > settings.depth_max:
        raise DocumentMalformed(
            f"the JSON is nested {depth} levels deep; {settings.depth_max} are allowed"
        )
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise DocumentMalformed(f"not JSON: {error}") from error
    count = _event_count(value)
    if count > settings.event_count_max:
        raise DocumentTooLarge(
            f"the document has {count} events; {settings.event_count_max} are allowed"
        )
    return count


def nesting_depth(data: bytes) -> int:
    """Deepest nesting of arrays and objects; exact for JSON, some number for anything else."""
    if data.count(b"{") + data.count(b"[") <= 1:
        return 1
    deepest = depth = 0
    for byte in _NOT_BRACKET.sub(b"", _STRING.sub(b"", data)):
        if byte in _OPENING:
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest


def _event_count(value: Any) -> int:
    if isinstance(value, list):
        return len(value)
    if not isinstance(value, dict):
        raise DocumentMalformed("not an EPCIS document: a JSON object or array is needed", "")
    kind = value.get("type")
    if isinstance(kind, str) and kind in EVENT_TYPES:
        return 1
    if not isinstance(kind, str) or kind not in DOCUMENT_TYPES:
        shown = (
            kind[:80] if isinstance(kind, str) else kind if kind is None else type(kind).__name__
        )
        raise DocumentMalformed(
            f"type is {shown!r}, but an EPCISDocument, an EPCISQueryDocument or a bare event is "
            "needed",
            "/type",
        )
    events, place = _event_list(value)
    if not isinstance(events, list):
        raise DocumentMalformed(f"an array of events is needed at {place}", place)
    return len(events)


def _event_list(document: dict[str, Any]) -> tuple[Any, str]:
    steps = ["epcisBody"]
    if document["type"] == "EPCISQueryDocument":
        steps += ["queryResults", "resultsBody"]
    steps.append("eventList")
    value: Any = document
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    return value, "/" + "/".join(steps)
