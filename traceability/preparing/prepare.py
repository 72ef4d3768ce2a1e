"""Judging and hashing one document: the expensive part, pure, and run in a worker process."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from contracts.provenance import PayloadError, encode_canonical_payload
from ledger.canonical import CanonicalError, JsonError, canonical_json, parse_json
from traceability.epcis import DocumentRefused, Event, Problem, parse_document
from traceability.preparing import problems
from traceability.preparing.types import (
    ErrorBehaviour,
    JobError,
    Prepared,
    PreparedEvent,
    PreparingSettings,
)

RATIO_CHECK_BYTES: Final = 32 << 10
"""Below this a payload may compress as well as it likes (docs/proof-format.md, section 2)."""

_EVENT_PLACE: Final = re.compile(r"(?:/epcisBody(?:/queryResults/resultsBody)?/eventList)?/(\d+)")
_LIST_PLACE: Final = {
    "EPCISDocument": ("epcisBody",),
    "EPCISQueryDocument": ("epcisBody", "queryResults", "resultsBody"),
}
_ENVELOPE_KEPT: Final = ("@context", "type", "schemaVersion", "creationDate")


def prepare(document: bytes, behaviour: ErrorBehaviour, settings: PreparingSettings) -> Prepared:
    """Judge every event of a document and hash the valid ones. Never raises for bad input."""
    try:
        events = parse_document(document, size_bytes_max=settings.document_size_bytes_max).events
    except DocumentRefused as refused:
        if behaviour is ErrorBehaviour.PROCEED:
            return _one_by_one(document, refused, settings)
        return Prepared((), tuple(_errors(refused.problems)))
    if not events:
        return Prepared((), (problems.no_events(),))
    return _hashed(list(enumerate(events)), [], settings)


def warm_up() -> None:
    """Make the first document as quick as the others: imports, tables, compiled models."""
    prepare(_SAMPLE, ErrorBehaviour.ROLLBACK, PreparingSettings())


def _one_by_one(document: bytes, refused: DocumentRefused, settings: PreparingSettings) -> Prepared:
    """Each event in an envelope of its own, so that one fault costs no other event."""
    if any(_EVENT_PLACE.match(problem.pointer) is None for problem in refused.problems):
        return Prepared((), tuple(_errors(refused.problems)))
    value = _parsed(document, settings)
    raws, envelope = _split(value)
    if not raws or len(raws) > settings.event_count_max:
        return Prepared((), tuple(_errors(refused.problems)))
    valid: list[tuple[int, Event]] = []
    errors: list[JobError] = []
    for index, raw in enumerate(raws):
        try:
            (event,) = parse_document(canonical_json(_wrapped(envelope, raw))).events
        except DocumentRefused as fault:
            errors += _errors(fault.problems, index)
        except (CanonicalError, ValueError) as fault:
            errors.append(problems.invalid_event(str(fault), None, index))
        else:
            valid.append((index, event))
    return _hashed(valid, errors, settings)


def _hashed(
    events: Sequence[tuple[int, Event]], errors: list[JobError], settings: PreparingSettings
) -> Prepared:
    prepared: list[PreparedEvent] = []
    for index, event in events:
        body = event.canonical_bytes
        fault = _carriage_fault(body, settings)
        if fault is not None:
            errors.append(problems.event_too_large(fault, event.pointer, index))
            continue
        digest = hashlib.sha256(body).hexdigest()
        prepared.append(PreparedEvent(index, event.event_id, digest, body))
    errors.sort(key=lambda error: -1 if error.event_index is None else error.event_index)
    return Prepared(tuple(prepared), tuple(errors[: settings.errors_max]))


def _carriage_fault(body: bytes, settings: PreparingSettings) -> str | None:
    """Why a transaction cannot carry this event; None if it can."""
    if len(body) > settings.event_body_size_bytes_max:
        return (
            f"the event has {len(body)} bytes in canonical form; "
            f"{settings.event_body_size_bytes_max} are allowed"
        )
    if len(body) > RATIO_CHECK_BYTES:
        try:
            encode_canonical_payload([body])
        except PayloadError as error:
            return f"the event cannot be carried: {error}"
    return None


def _errors(found: Sequence[Problem], index: int | None = None) -> Iterator[JobError]:
    """`index` is the event's place in the document, where it was judged in an envelope alone."""
    for problem in found:
        place = _EVENT_PLACE.match(problem.pointer)
        if place is None and index is None:
            yield problems.invalid_document(problem.reason, problem.pointer)
            continue
        pointer = problem.pointer
        if place is None:
            at = index
        elif index is None:
            at = int(place[1])
        else:
            at = index
            pointer = f"{pointer[: place.start(1)]}{index}{pointer[place.end(1) :]}"
        yield problems.invalid_event(problem.reason, pointer, at)


def _parsed(document: bytes, settings: PreparingSettings) -> Any:
    try:
        return parse_json(
            document,
            size_bytes_max=settings.document_size_bytes_max,
            depth_max=settings.depth_max,
        )
    except JsonError:  # it was parsed a moment ago
        return None


def _split(value: Any) -> tuple[list[Any], dict[str, Any] | None]:
    """The events and the envelope without them; None for a bare array."""
    if isinstance(value, list):
        return value, None
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in _LIST_PLACE:
        return [], None
    holder: Any = value
    for step in _LIST_PLACE[kind]:
        holder = holder.get(step) if isinstance(holder, dict) else None
    raws = holder.get("eventList") if isinstance(holder, dict) else None
    envelope = {key: value[key] for key in _ENVELOPE_KEPT if key in value}
    return (raws if isinstance(raws, list) else []), envelope


def _wrapped(envelope: dict[str, Any] | None, raw: Any) -> Any:
    if envelope is None:
        return [raw]
    body: dict[str, Any] = {"eventList": [raw]}
    if envelope["type"] == "EPCISQueryDocument":
        body = {"queryResults": {"queryName": "capture", "resultsBody": body}}
    return {**envelope, "epcisBody": body}


_SAMPLE: Final = b"""{
  "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
  "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": "2020-01-01T00:00:00Z",
  "epcisBody": {"eventList": [{
    "type": "ObjectEvent", "action": "OBSERVE", "bizStep": "shipping",
    "eventTime": "2020-01-01T00:00:00Z", "eventTimeZoneOffset": "+00:00",
    "epcList": ["https://id.gs1.org/01/09506000134352/21/1"],
    "readPoint": {"id": "https://id.gs1.org/414/9506000134369"}
  }]}
}"""
