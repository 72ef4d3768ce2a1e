"""Reading EPCIS 2.0 JSON: documents, query documents, bare events and arrays of bare events."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from ledger.canonical import JsonError, parse_json
from traceability.epcis.context import check_context, context_size
from traceability.epcis.errors import DocumentRefused
from traceability.epcis.events import Surroundings, read_event
from traceability.epcis.extensions import check_keys
from traceability.epcis.models import EVENT_MODELS
from traceability.epcis.types import Document, Event, Problem
from traceability.epcis.values import parse_time

__all__ = ["DEPTH_MAX", "EVENTS_MAX", "PROBLEMS_MAX", "parse_document"]

EVENTS_MAX = 10_000
DEPTH_MAX = 64
PROBLEMS_MAX = 100
SIZE_BYTES_MAX_DEFAULT = 64 * 1024 * 1024
# Every event is anchored with its whole context, so a small document could grow without bound.
_CONTEXTS_CHARS_MAX = 64 * 1024 * 1024

_ENVELOPES = ("EPCISDocument", "EPCISQueryDocument")
_ENVELOPE_FIELDS = frozenset(
    [
        "@context",
        "id",
        "type",
        "schemaVersion",
        "creationDate",
        "instanceIdentifier",
        "sender",
        "receiver",
        "epcisHeader",
        "epcisBody",
    ]
)
_TEXTS = ("id", "instanceIdentifier", "sender", "receiver")
_VERSION = re.compile(r"2(\.[0-9]+)*")


def parse_document(
    data: bytes, *, size_bytes_max: int = SIZE_BYTES_MAX_DEFAULT, strict: bool = False
) -> Document:
    """Read and validate EPCIS 2.0 JSON; all events of the result are complete and self-contained.

    Accepts an EPCISDocument, an EPCISQueryDocument, one bare event, or an array of bare events, of
    at most 10,000 events and 64 levels. Two things that the standard forbids but documents in the
    field do are warnings, and faults with `strict`: an `eventID` in the form of a CBV 2.0 hash id
    that is not this event's, and `ilmd` with another action than ADD.

    Raises DocumentRefused with every fault found (at most 100), each with its JSON pointer.
    """
    try:
        value = parse_json(data, size_bytes_max=size_bytes_max, depth_max=DEPTH_MAX)
    except JsonError as error:
        raise DocumentRefused([Problem(error.pointer, error.reason)]) from error
    if isinstance(value, list):
        return _events_only("array", value, "", strict=strict)
    if not isinstance(value, dict):
        raise DocumentRefused([Problem("", "must be an EPCIS document, an event, or an array")])
    kind = value.get("type")
    if isinstance(kind, str) and kind in EVENT_MODELS:
        return _events_only(kind, [value], None, strict=strict)
    if kind not in _ENVELOPES:
        what = "is missing" if kind is None else f"{str(kind)[:80]!r} is not known"
        known = ", ".join((*_ENVELOPES, *EVENT_MODELS))
        raise DocumentRefused([Problem("/type", f"{what}; known: {known}")])
    return _enveloped(value, strict=strict)


def _events_only(kind: str, raws: list[object], pointer: str | None, *, strict: bool) -> Document:
    problems: list[Problem] = []
    warnings: list[Problem] = []
    events = _events(raws, Surroundings(None), pointer, problems, warnings)
    return _finish(
        Document(kind, events, MappingProxyType({}), (), tuple(warnings)), problems, strict
    )


def _enveloped(value: dict[str, object], *, strict: bool) -> Document:
    context = value.get("@context")
    problems: list[Problem] = []
    if context is None:
        problems.append(Problem("/@context", "is missing"))
    else:
        problems += [
            Problem(f"/@context{place}", reason)
            for place, reason in check_context(context, needs_epcis=True)
        ]
    around = Surroundings(context if context is not None else [])
    query = value["type"] == "EPCISQueryDocument"
    problems += _envelope_problems(value, around.namespaces, query=query)
    results, place = _results(value, problems) if query else ({}, "/epcisBody")
    holder = results.get("resultsBody") if query else value.get("epcisBody")
    raws = _event_list(holder, around.namespaces, place, problems)
    warnings: list[Problem] = []
    events = _events(raws, around, f"{place}/eventList", problems, warnings)
    header = {key: value[key] for key in value if key not in ("@context", "epcisBody")}
    header |= {key: results[key] for key in results if key != "resultsBody"}
    entries = tuple(around.merged)
    document = Document(
        str(value["type"]), events, MappingProxyType(header), entries, tuple(warnings)
    )
    return _finish(document, problems, strict)


def _finish(document: Document, problems: list[Problem], strict: bool) -> Document:
    if strict:
        problems = [*problems, *document.warnings]
    if problems:
        raise DocumentRefused(problems[:PROBLEMS_MAX])
    return document


def _envelope_problems(
    value: Mapping[str, object], namespaces: Mapping[str, str], *, query: bool
) -> Iterator[Problem]:
    for place, reason in check_keys(value, _ENVELOPE_FIELDS, namespaces, "", "a document"):
        yield Problem(place, reason)
    version = value.get("schemaVersion")
    if version is None:
        if not query:
            yield Problem("/schemaVersion", "is missing")
    elif not isinstance(version, str) or _VERSION.fullmatch(version) is None:
        yield Problem("/schemaVersion", f"{str(version)[:20]!r} is not 2.x")
    created = value.get("creationDate")
    if created is None:
        if not query:
            yield Problem("/creationDate", "is missing")
    elif not isinstance(created, str):
        yield Problem("/creationDate", "must be a text")
    else:
        try:
            parse_time(created)
        except ValueError as error:
            yield Problem("/creationDate", f"{created[:80]!r} {error}")
    for name in _TEXTS:
        if name in value and not isinstance(value[name], str):
            yield Problem(f"/{name}", "must be a text")
    if "epcisHeader" in value and not isinstance(value["epcisHeader"], dict):
        yield Problem("/epcisHeader", "must be an object")


def _results(value: Mapping[str, object], problems: list[Problem]) -> tuple[dict[str, object], str]:
    place = "/epcisBody/queryResults"
    body = value.get("epcisBody")
    results = body.get("queryResults") if isinstance(body, dict) else None
    if not isinstance(results, dict):
        problems.append(Problem(place, "is missing" if results is None else "must be an object"))
        results = {"queryName": ""}
    if not isinstance(results.get("queryName"), str):
        problems.append(Problem(f"{place}/queryName", "must be there and a text"))
    return results, f"{place}/resultsBody"


def _event_list(
    holder: object, namespaces: Mapping[str, str], place: str, problems: list[Problem]
) -> list[object]:
    if not isinstance(holder, dict):
        problems.append(Problem(place, "is missing" if holder is None else "must be an object"))
        return []
    known = frozenset(("eventList", "vocabularyList"))
    problems += [
        Problem(pointer, reason)
        for pointer, reason in check_keys(holder, known, namespaces, place, "the body")
    ]
    raws = holder.get("eventList")
    if not isinstance(raws, list):
        problems.append(
            Problem(f"{place}/eventList", "is missing" if raws is None else "must be a list")
        )
        return []
    return raws


def _events(
    raws: list[object],
    around: Surroundings,
    pointer: str | None,
    problems: list[Problem],
    warnings: list[Problem],
) -> tuple[Event, ...]:
    if len(raws) > EVENTS_MAX:
        problems.append(
            Problem(pointer or "", f"has {len(raws)} events, at most {EVENTS_MAX} are allowed")
        )
        return ()
    events: list[Event] = []
    carried = 0
    for index, raw in enumerate(raws):
        here = "" if pointer is None else f"{pointer}/{index}"
        carried += around.size + (context_size(raw.get("@context")) if isinstance(raw, dict) else 0)
        if carried > _CONTEXTS_CHARS_MAX:
            reason = f"the contexts of all events together exceed {_CONTEXTS_CHARS_MAX} characters"
            problems.append(Problem(f"{here}/@context", f"{reason}; declare less, or split"))
            break
        read = read_event(raw, around, here, warnings)
        if isinstance(read, Event):
            events.append(read)
        else:
            problems += read
            if len(problems) >= PROBLEMS_MAX:
                break
    return tuple(events)
