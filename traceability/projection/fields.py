"""From an anchored event to the values that it is found by."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from traceability.projection.tables import Role
from traceability.projection.vocabulary import (
    Vocabulary,
    bare_word,
    extension_name,
    index_key,
    microseconds,
    prefixes_of,
    thing_key,
)

STANDARD_FIELDS: Final = frozenset(
    {
        "@context",
        "action",
        "bizLocation",
        "bizStep",
        "bizTransactionList",
        "certificationInfo",
        "childEPCs",
        "childQuantityList",
        "destinationList",
        "disposition",
        "epcList",
        "errorDeclaration",
        "eventID",
        "eventTime",
        "eventTimeZoneOffset",
        "ilmd",
        "inputEPCList",
        "inputQuantityList",
        "outputEPCList",
        "outputQuantityList",
        "parentID",
        "persistentDisposition",
        "quantityList",
        "readPoint",
        "recordTime",
        "sensorElementList",
        "sourceList",
        "transformationID",
        "type",
    }
)
_INSTANCE_LISTS: Final = (
    ("epcList", Role.EPC),
    ("childEPCs", Role.CHILD),
    ("inputEPCList", Role.INPUT),
    ("outputEPCList", Role.OUTPUT),
)
_QUANTITY_LISTS: Final = (
    ("quantityList", Role.QUANTITY),
    ("childQuantityList", Role.CHILD_QUANTITY),
    ("inputQuantityList", Role.INPUT_QUANTITY),
    ("outputQuantityList", Role.OUTPUT_QUANTITY),
)


class Field:
    """Names of `event_term.field`."""

    EVENT_ID: Final = "eventID"
    """The submitter's own."""
    PERSISTENT_SET: Final = "persistentDisposition set"
    PERSISTENT_UNSET: Final = "persistentDisposition unset"
    ERROR_REASON: Final = "errorReason"
    CORRECTIVE_ID: Final = "correctiveEventID"

    @staticmethod
    def transaction(kind: str) -> str:
        return f"bizTransaction {bare_word(kind, Vocabulary.TRANSACTION_TYPE)}"

    @staticmethod
    def source(kind: str) -> str:
        return f"source {bare_word(kind, Vocabulary.SOURCE_DESTINATION_TYPE)}"

    @staticmethod
    def destination(kind: str) -> str:
        return f"destination {bare_word(kind, Vocabulary.SOURCE_DESTINATION_TYPE)}"

    @staticmethod
    def extension(iri: str) -> str:
        return f"extension {iri}"

    @staticmethod
    def ilmd(iri: str) -> str:
        return f"ilmd {iri}"


@dataclass(frozen=True, slots=True)
class EventFields:
    """What the tables keep of one event beside its body."""

    columns: Mapping[str, object]
    """Of table `event`; times in microseconds since 1970."""
    event_time: int
    things: frozenset[tuple[str, int]]
    """(identifier, role)"""
    quantities: tuple[float, ...]
    terms: frozenset[tuple[str, str]]
    """(field, value)"""


def fields_of(event: Mapping[str, Any]) -> EventFields:
    """Read an anchored event that the strict parser has accepted.

    Raises `ValueError`, `TypeError` or `KeyError` where it is no EPCIS event after all.
    """
    event_time = microseconds(event["eventTime"])
    error = event.get("errorDeclaration")
    columns = {
        "event_time": event_time,
        "error_time": microseconds(error["declarationTime"]) if error else None,
        "event_type": index_key(event["type"]),
        "action": event.get("action"),
        "biz_step": _word(event.get("bizStep"), Vocabulary.BIZ_STEP),
        "disposition": _word(event.get("disposition"), Vocabulary.DISPOSITION),
        "read_point": _place(event.get("readPoint")),
        "biz_location": _place(event.get("bizLocation")),
        "parent_id": _thing(event.get("parentID")),
        "transformation_id": _thing(event.get("transformationID")),
    }
    return EventFields(
        columns, event_time, _things(event), tuple(_quantities(event)), frozenset(_terms(event))
    )


def _word(text: str | None, vocabulary: Vocabulary) -> str | None:
    return None if text is None else bare_word(text, vocabulary)


def _thing(text: str | None) -> str | None:
    return None if text is None else thing_key(text)


def _place(place: Mapping[str, Any] | None) -> str | None:
    return None if place is None else thing_key(place["id"])


def _things(event: Mapping[str, Any]) -> frozenset[tuple[str, int]]:
    things = {
        (thing_key(epc), int(role))
        for name, role in _INSTANCE_LISTS
        for epc in event.get(name) or ()
    }
    for name, role in _QUANTITY_LISTS:
        things.update(
            (thing_key(element["epcClass"]), int(role)) for element in event.get(name) or ()
        )
    if (parent := event.get("parentID")) is not None:
        things.add((thing_key(parent), int(Role.PARENT)))
    return frozenset(things)


def _quantities(event: Mapping[str, Any]) -> Iterator[float]:
    for name, _ in _QUANTITY_LISTS:
        for element in event.get(name) or ():
            if (quantity := element.get("quantity")) is not None:
                if not math.isfinite(value := float(quantity)):
                    raise ValueError(f"the quantity {quantity} is no finite number")
                yield value


def _terms(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if (own := event.get("eventID")) is not None:
        yield Field.EVENT_ID, index_key(own)
    for item in event.get("bizTransactionList") or ():
        yield Field.transaction(item.get("type") or ""), thing_key(item["bizTransaction"])
    for item in event.get("sourceList") or ():
        yield Field.source(item["type"]), thing_key(item["source"])
    for item in event.get("destinationList") or ():
        yield Field.destination(item["type"]), thing_key(item["destination"])
    if persistent := event.get("persistentDisposition"):
        for word in _listed(persistent.get("set")):
            yield Field.PERSISTENT_SET, bare_word(word, Vocabulary.DISPOSITION)
        for word in _listed(persistent.get("unset")):
            yield Field.PERSISTENT_UNSET, bare_word(word, Vocabulary.DISPOSITION)
    if error := event.get("errorDeclaration"):
        if (reason := error.get("reason")) is not None:
            yield Field.ERROR_REASON, bare_word(reason, Vocabulary.ERROR_REASON)
        for corrective in error.get("correctiveEventIDs") or ():
            yield Field.CORRECTIVE_ID, index_key(corrective)
    yield from _extensions(event)


def _extensions(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    names = [name for name in event if name not in STANDARD_FIELDS]
    ilmd = event.get("ilmd")
    if not names and not ilmd:
        return
    prefixes = prefixes_of(event.get("@context"))
    for name in names:
        if (iri := extension_name(name, prefixes)) is not None:
            for value in _scalars(event[name]):
                yield Field.extension(iri), value
    for name, content in (ilmd or {}).items():
        if (iri := extension_name(name, prefixes)) is not None:
            for value in _scalars(content):
                yield Field.ilmd(iri), value


def _scalars(value: object) -> Iterator[str]:
    """Values to compare with; the empty text stands for the presence of anything else."""
    for item in _listed(value):
        if isinstance(item, bool):
            yield "true" if item else "false"
        elif isinstance(item, (str, int, float)):
            yield index_key(str(item))
        else:
            yield ""


def _listed(value: Any) -> Any:
    if value is None:
        return ()
    return value if isinstance(value, (list, tuple)) else (value,)
