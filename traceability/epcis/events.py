"""From the raw JSON of one event to an `Event`, or to everything that is wrong with it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from traceability.epcis.context import (
    check_context,
    context_size,
    merged_context,
    namespaces_of,
)
from traceability.epcis.extensions import check_extensions, escape
from traceability.epcis.hashing import hash_id, prehash_of
from traceability.epcis.models import EVENT_MODELS, EpcisEvent
from traceability.epcis.types import Event, Problem
from traceability.epcis.values import parse_time

__all__ = ["Surroundings", "event_id", "prehash", "read_event"]

_HASH_ID = re.compile(r"ni:///sha-256;[0-9a-fA-F]{64}\?ver=CBV2\.0")
_PLAIN_REASONS = {
    "missing": "is missing",
    "extra_forbidden": "is no field of this object",
    "string_type": "must be a text",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "too_short": "may not be empty",
}


class Surroundings:
    """What an event inherits from its document: the outer context and its prefixes."""

    def __init__(self, context: object) -> None:
        self.context = context
        self.merged = merged_context(context, None)
        self.namespaces = namespaces_of(context)
        self.size = context_size(context)


def prehash(event: Event | Mapping[str, object]) -> str:
    """The pre-hash string of CBV 2.0 section 8.9: of an event, or of a bare event's JSON object
    with its own `@context`."""
    return prehash_of(event.body if isinstance(event, Event) else event)


def event_id(event: Event | Mapping[str, object]) -> str:
    """The CBV 2.0 event hash id, computed anew from the body; nothing is validated or fetched."""
    return hash_id(prehash(event))


def read_event(
    raw: object, around: Surroundings, pointer: str, warnings: list[Problem]
) -> Event | list[Problem]:
    """One event of a document; a list of problems where it is refused."""
    if not isinstance(raw, dict):
        return [Problem(pointer, "must be an event (a JSON object)")]
    kind = raw.get("type")
    model = EVENT_MODELS.get(kind) if isinstance(kind, str) else None
    if model is None:
        what = "is missing" if kind is None else f"{str(kind)[:80]!r} is no EPCIS event type"
        return [Problem(f"{pointer}/type", f"{what}; known: {', '.join(EVENT_MODELS)}")]
    problems: list[Problem] = []
    namespaces = around.namespaces
    context = around.merged
    if "@context" in raw:
        own = raw["@context"]
        problems += [
            Problem(f"{pointer}/@context{place}", reason)
            for place, reason in check_context(own, needs_epcis=around.context is None)
        ]
        context = merged_context(around.context, own)
        namespaces = namespaces_of(context)
    elif around.context is None:
        problems.append(Problem(f"{pointer}/@context", "is missing; a bare event needs its own"))
    problems += [
        Problem(place, reason)
        for place, reason in check_extensions(raw, model, namespaces, pointer)
    ]
    body = {"@context": context, **{key: raw[key] for key in raw if key not in _NOT_ANCHORED}}
    try:
        checked = model.model_validate(body)
    except ValidationError as error:
        return sorted(
            problems + list(_readable(error, raw, pointer)), key=lambda problem: problem.pointer
        )
    if problems:
        return problems
    event = Event(
        body=body,
        model=checked,
        event_id=hash_id(prehash_of(body, namespaces)),
        event_time=parse_time(checked.eventTime).replace(tzinfo=UTC),
        pointer=pointer,
    )
    warnings += _warnings(event, checked, raw)
    return event


_NOT_ANCHORED = frozenset(("@context", "recordTime"))


def _readable(error: ValidationError, raw: Mapping[str, object], pointer: str) -> Iterator[Problem]:
    for details in error.errors(include_url=False, include_context=False):
        yield Problem(pointer + _place(details, raw), _reason(details))


def _place(details: ErrorDetails, raw: object) -> str:
    """The location as a JSON pointer; Pydantic's names of union branches are left out."""
    place = ""
    value = raw
    missing = details["type"] == "missing"
    for index, step in enumerate(details["loc"]):
        last_missing = missing and index == len(details["loc"]) - 1
        if isinstance(value, dict) and (step in value or last_missing):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int):
            value = value[step]
        else:
            continue
        place += f"/{escape(str(step))}"
    return place


def _reason(details: ErrorDetails) -> str:
    kind = details["type"]
    if kind == "value_error":
        return details["msg"].removeprefix("Value error, ")
    if kind == "literal_error":
        expected = details["msg"].removeprefix("Input should be ")
        return f"{_shown(details['input'])} must be {expected}"
    return _PLAIN_REASONS.get(kind, details["msg"][:1].lower() + details["msg"][1:])


def _shown(value: object) -> str:
    """A value as its sender wrote it: JSON's words, not Python's."""
    if isinstance(value, str):
        return repr(value[:80])
    return json.dumps(value, ensure_ascii=False, default=str)[:80]


def _warnings(event: Event, model: EpcisEvent, raw: Mapping[str, object]) -> Iterator[Problem]:
    claimed = model.eventID
    if claimed is not None and _HASH_ID.fullmatch(claimed) and claimed != event.event_id:
        yield Problem(
            f"{event.pointer}/eventID",
            f"is not the hash id of this event, which is {event.event_id}",
        )
    if raw.get("ilmd") is not None and raw.get("action", "ADD") != "ADD":
        yield Problem(f"{event.pointer}/ilmd", "belongs to action ADD only (EPCIS 2.0, 7.4.2)")
