"""Extension keys: every key that EPCIS does not define must belong to a declared namespace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from traceability.epcis.models import (
    EpcisEvent,
    ErrorDeclaration,
    Place,
    SensorElement,
    SensorMetadata,
    SensorReport,
)
from traceability.epcis.vocabulary import NEVER_PREFIXES

__all__ = ["check_extensions", "check_keys", "escape"]

Namespaces = Mapping[str, str]
Found = Iterator[tuple[str, str]]

_NONE: frozenset[str] = frozenset()
_PLACE = frozenset(Place.model_fields)
_ERROR = frozenset(ErrorDeclaration.model_fields)
_ELEMENT = frozenset(SensorElement.model_fields)
_METADATA = frozenset(SensorMetadata.model_fields)
_REPORT = frozenset(SensorReport.model_fields)


def escape(key: str) -> str:
    """A key as a segment of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def check_keys(
    value: object, known: frozenset[str], namespaces: Namespaces, pointer: str, what: str
) -> Found:
    """Yield (pointer, reason) for each key that is neither `known` nor in a declared namespace."""
    if not isinstance(value, dict):
        return
    for key in value:
        if key in known:
            continue
        prefix, colon, local = key.partition(":")
        here = f"{pointer}/{escape(key)}"
        if not colon or not prefix or not local:
            yield (
                here,
                f"is no field of {what}; an extension field needs a prefix, as in 'ext:{key}'",
            )
        elif prefix not in namespaces and prefix not in NEVER_PREFIXES:
            yield here, f"the prefix {prefix!r} is not declared in any @context"


def check_extensions(
    body: Mapping[str, object], model: type[EpcisEvent], namespaces: Namespaces, pointer: str
) -> Found:
    """Check every extension point of an event; tolerates parts of the wrong type."""
    known = _EVENT_FIELDS.setdefault(model, frozenset(model.model_fields) | {"@context"})
    if not body.keys() <= known:
        yield from check_keys(body, known, namespaces, pointer, _with_article(model.__name__))
    for name, inner, what in (
        ("readPoint", _PLACE, "a readPoint"),
        ("bizLocation", _PLACE, "a bizLocation"),
        ("errorDeclaration", _ERROR, "an errorDeclaration"),
        ("ilmd", _NONE, "ilmd"),
    ):
        if name in body:
            yield from check_keys(body[name], inner, namespaces, f"{pointer}/{name}", what)
    elements = body.get("sensorElementList")
    if isinstance(elements, list):
        for index, element in enumerate(elements):
            yield from _sensor(element, namespaces, f"{pointer}/sensorElementList/{index}")


def _with_article(name: str) -> str:
    return f"{'an' if name[0] in 'AO' else 'a'} {name}"


_EVENT_FIELDS: dict[type[EpcisEvent], frozenset[str]] = {}


def _sensor(element: object, namespaces: Namespaces, pointer: str) -> Found:
    if not isinstance(element, dict):
        return
    yield from check_keys(element, _ELEMENT, namespaces, pointer, "a sensorElement")
    metadata = element.get("sensorMetadata")
    yield from check_keys(
        metadata, _METADATA, namespaces, f"{pointer}/sensorMetadata", "sensorMetadata"
    )
    reports = element.get("sensorReport")
    if isinstance(reports, list):
        for index, report in enumerate(reports):
            yield from check_keys(
                report, _REPORT, namespaces, f"{pointer}/sensorReport/{index}", "a sensorReport"
            )
