"""EPCIS query parameters become conditions (EPCIS 2.0, sections 8.2.7.1 and 12.6)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from traceability.projection.fields import Field
from traceability.projection.tables import Role
from traceability.projection.vocabulary import (
    Vocabulary,
    bare_word,
    event_identity,
    extension_name,
    index_key,
    microseconds,
    thing_key,
)
from traceability.query.conditions import (
    ColumnCompare,
    ColumnExists,
    ColumnIn,
    Comparison,
    Condition,
    HasEventId,
    HasQuantity,
    HasTerm,
    HasThing,
)
from traceability.query.errors import (
    QueryParameterUnknown,
    QueryParameterUnsupported,
    QueryValueInvalid,
)
from traceability.query.patterns import matcher

VALUES_MAX: Final = 100
VALUE_LENGTH_MAX: Final = 2_000
EVENT_TYPES: Final = frozenset(
    {
        "ObjectEvent",
        "AggregationEvent",
        "TransactionEvent",
        "TransformationEvent",
        "AssociationEvent",
    }
)
ACTIONS: Final = frozenset({"ADD", "OBSERVE", "DELETE"})

_INSTANCES: Final = (Role.EPC, Role.CHILD, Role.PARENT, Role.INPUT, Role.OUTPUT)
_CLASSES: Final = (
    Role.QUANTITY,
    Role.CHILD_QUANTITY,
    Role.INPUT_QUANTITY,
    Role.OUTPUT_QUANTITY,
)
_MATCH_ROLES: Final[Mapping[str, tuple[Role, ...]]] = {
    "MATCH_epc": (Role.EPC, Role.CHILD),
    "MATCH_parentID": (Role.PARENT,),
    "MATCH_inputEPC": (Role.INPUT,),
    "MATCH_outputEPC": (Role.OUTPUT,),
    "MATCH_anyEPC": _INSTANCES,
    "MATCH_epcClass": (Role.QUANTITY, Role.CHILD_QUANTITY),
    "MATCH_inputEPCClass": (Role.INPUT_QUANTITY,),
    "MATCH_outputEPCClass": (Role.OUTPUT_QUANTITY,),
    "MATCH_anyEPCClass": _CLASSES,
}
_TIMES: Final[Mapping[str, tuple[str, Comparison]]] = {
    "GE_eventTime": ("event_time", Comparison.GE),
    "LT_eventTime": ("event_time", Comparison.LT),
    "GE_recordTime": ("record_time", Comparison.GE),
    "LT_recordTime": ("record_time", Comparison.LT),
    "GE_errorDeclarationTime": ("error_time", Comparison.GE),
    "LT_errorDeclarationTime": ("error_time", Comparison.LT),
}
_TYPED: Final[Mapping[str, Callable[[str], str]]] = {
    "EQ_bizTransaction_": Field.transaction,
    "EQ_source_": Field.source,
    "EQ_destination_": Field.destination,
}
_QUANTITY: Final = re.compile(r"(EQ|GT|GE|LT|LE)_quantity")
_EXTENSION: Final = re.compile(r"(EQ|EXISTS)_(ILMD_)?([^:]+:.+)")
_COMPARED_EXTENSION: Final = re.compile(r"(GT|GE|LT|LE)_(ILMD_)?([^:]+:.+)")
_UNSUPPORTED: Final = re.compile(
    r"(HASATTR_|EQATTR_|(EQ|GT|GE|LT|LE|EXISTS)_(INNER_|SENSOR)|WD_bizLocation_).*"
    r"|(EQ|GT|GE|LT|LE)_(type|value|minValue|maxValue|meanValue|sDev|percRank|percValue|time"
    r"|startTime|endTime|deviceID|deviceMetadata|dataProcessingMethod|microorganism"
    r"|chemicalSubstance|bizRules|rawData|component|stringValue|booleanValue|hexBinaryValue"
    r"|uriValue|coordinateReferenceSystem|exception)(_.*)?"
    r"|EXISTS_(sensorElementList|bizStep|disposition|ilmd)"
)


def condition(name: str, text: str, namespaces: Mapping[str, str]) -> Condition:
    """The condition of one parameter. `namespaces`: prefixes of extension names, to their IRIs.

    Raises `QueryParameterUnknown`, `QueryParameterUnsupported` or `QueryValueInvalid`.
    """
    if (made := _standard(name, text)) is not None:
        return made
    if _UNSUPPORTED.fullmatch(name):
        raise QueryParameterUnsupported(f"{name}: this parameter is not supported")
    if match := _EXTENSION.fullmatch(name):
        return _extension(name, match[1], bool(match[2]), match[3], text, namespaces)
    if _COMPARED_EXTENSION.fullmatch(name):
        raise QueryParameterUnsupported(
            f"{name}: extension fields can be asked for with EQ_ and EXISTS_ only"
        )
    raise QueryParameterUnknown(
        f"{name!r} is not a query parameter (a field outside the standard is written with its "
        "namespace: EQ_example:field)"
    )


def _standard(name: str, text: str) -> Condition | None:
    if name in _MATCH_ROLES:
        roles = _MATCH_ROLES[name]
        things = matcher(name, values_of(name, text), classes=name.endswith("Class"))
        return HasThing(roles, things)
    if name in _TIMES:
        column, comparison = _TIMES[name]
        return ColumnCompare(column, comparison, _moment(name, text))
    if name in _SIMPLE:
        return _SIMPLE[name](name, text)
    if match := _QUANTITY.fullmatch(name):
        return HasQuantity(Comparison(match[1]), _number(name, text))
    for start, field in _TYPED.items():
        if name.startswith(start) and (kind := name.removeprefix(start)):
            return HasTerm(field(kind), tuple(map(thing_key, values_of(name, text))))
    return None


def values_of(name: str, text: str) -> tuple[str, ...]:
    """The values of a parameter, which stand between `|`. Raises `QueryValueInvalid`."""
    values = tuple(dict.fromkeys(text.split("|")))
    if not all(values):
        raise QueryValueInvalid(f"{name}: a value is empty")
    if len(values) > VALUES_MAX:
        raise QueryValueInvalid(f"{name}: {len(values)} values, at most {VALUES_MAX} are allowed")
    if any(len(value) > VALUE_LENGTH_MAX for value in values):
        raise QueryValueInvalid(f"{name}: a value is longer than {VALUE_LENGTH_MAX} characters")
    return values


def _one_of(column: str, allowed: frozenset[str]) -> Callable[[str, str], Condition]:
    def make(name: str, text: str) -> Condition:
        values = values_of(name, text)
        for value in values:
            if value not in allowed:
                raise QueryValueInvalid(
                    f"{name}: {value[:80]!r} is none of {', '.join(sorted(allowed))}"
                )
        return ColumnIn(column, values)

    return make


def _words(column: str, vocabulary: Vocabulary) -> Callable[[str, str], Condition]:
    def make(name: str, text: str) -> Condition:
        return ColumnIn(column, tuple(bare_word(v, vocabulary) for v in values_of(name, text)))

    return make


def _things(column: str) -> Callable[[str, str], Condition]:
    return lambda name, text: ColumnIn(column, tuple(map(thing_key, values_of(name, text))))


def _within(column: str) -> Callable[[str, str], Condition]:
    """A location and what lies in it, as far as identifiers tell: a GLN without extension holds
    every location that extends it. Hierarchies told by master data are not known here."""

    def make(name: str, text: str) -> Condition:
        keys = tuple(map(thing_key, values_of(name, text)))
        sites = [key for key in keys if "/414/" in key and "/254/" not in key]
        return ColumnIn(column, keys, tuple(f"{site}/254/" for site in sites))

    return make


def _term(field: str, read: Callable[[str], str]) -> Callable[[str, str], Condition]:
    return lambda name, text: HasTerm(field, tuple(map(read, values_of(name, text))))


def _disposition(text: str) -> str:
    return bare_word(text, Vocabulary.DISPOSITION)


def _error_reason(text: str) -> str:
    return bare_word(text, Vocabulary.ERROR_REASON)


def _event_ids(name: str, text: str) -> Condition:
    hashes: list[tuple[bytes, str]] = []
    own: list[str] = []
    for value in values_of(name, text):
        with suppress(ValueError):
            hashes.append(event_identity(value))
        # Also as the submitter's own: nothing keeps them from writing another event's hash id.
        own.append(index_key(value))
    return HasEventId(tuple(hashes), tuple(own))


def _exists(column: str) -> Callable[[str, str], Condition]:
    def make(name: str, text: str) -> Condition:
        _no_value(name, text)
        return ColumnExists(column)

    return make


def _no_value(name: str, text: str) -> None:
    # The standard leaves the value empty; "true" is what query builders send.
    if text not in ("", "true"):
        raise QueryValueInvalid(f"{name}: takes no value")


def _moment(name: str, text: str) -> int:
    try:
        return microseconds(text)
    except ValueError as error:
        raise QueryValueInvalid(
            f"{name}: {text[:80]!r} is not a time with offset, such as 2026-01-31T08:30:00Z"
        ) from error


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise QueryValueInvalid(f"{name}: {text[:80]!r} is not a number")
    return value


def _extension(
    name: str, start: str, ilmd: bool, field: str, text: str, namespaces: Mapping[str, str]
) -> Condition:
    iri = extension_name(field, namespaces)
    if iri is None:
        raise QueryValueInvalid(
            f"{name}: the prefix {field.partition(':')[0]!r} is not declared; send the header "
            "GS1-Extensions, or write the field's full IRI"
        )
    key = Field.ilmd(iri) if ilmd else Field.extension(iri)
    if start == "EXISTS":
        _no_value(name, text)
        return HasTerm(key)
    return HasTerm(key, tuple(map(index_key, values_of(name, text))))


_SIMPLE: Final[Mapping[str, Callable[[str, str], Condition]]] = {
    "eventType": _one_of("event_type", EVENT_TYPES),
    "EQ_action": _one_of("action", ACTIONS),
    "EQ_bizStep": _words("biz_step", Vocabulary.BIZ_STEP),
    "EQ_disposition": _words("disposition", Vocabulary.DISPOSITION),
    "EQ_persistentDisposition_set": _term(Field.PERSISTENT_SET, _disposition),
    "EQ_persistentDisposition_unset": _term(Field.PERSISTENT_UNSET, _disposition),
    "EQ_readPoint": _things("read_point"),
    "WD_readPoint": _within("read_point"),
    "EQ_bizLocation": _things("biz_location"),
    "WD_bizLocation": _within("biz_location"),
    "EQ_transformationID": _things("transformation_id"),
    "EQ_eventID": _event_ids,
    "EXISTS_errorDeclaration": _exists("error_time"),
    "EQ_errorReason": _term(Field.ERROR_REASON, _error_reason),
    "EQ_correctiveEventID": _term(Field.CORRECTIVE_ID, index_key),
}
