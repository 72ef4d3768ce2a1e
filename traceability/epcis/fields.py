"""Types of single EPCIS 2.0 fields, as Pydantic knows them. Messages are for people."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, PlainValidator, StrictBool

from traceability.epcis.values import parse_time
from traceability.epcis.vocabulary import NAMESPACES, VOCABULARIES, Vocabulary
from traceability.gs1 import Gs1Error, parse_identifier
from traceability.gs1.errors import UnknownKey

__all__ = [
    "Action",
    "BizStep",
    "BizTransactionType",
    "CertificationInfo",
    "Component",
    "Decimal",
    "Disposition",
    "Epc",
    "ErrorReason",
    "HexBinary",
    "MeasurementType",
    "SensorAlertType",
    "SourceDestinationType",
    "StringValue",
    "Text",
    "Time",
    "TimeZoneOffset",
    "Uom",
    "Uri",
    "unique",
]

_URI_LENGTH_MAX = 2000
_STRING_VALUE_LENGTH_MAX = 65_536

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x1f]+")
_OFFSET = re.compile(r"[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00)")
_UOM = re.compile(r"[A-Z0-9]{2,3}")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+|[0-9A-Fa-f]+")
_GS1_HOST = re.compile(r"https?://id\.gs1\.org/")

T = TypeVar("T")


def unique(items: list[T]) -> list[T]:
    """No entry of an EPC list may stand twice (JSON Schema of EPCIS 2.0: uniqueItems)."""
    seen: set[T] = set()
    for item in items:
        if item in seen:
            raise ValueError(f"{item!r} stands twice")
        seen.add(item)
    return items


def _uri(text: str) -> str:
    if _URI.fullmatch(text) is None:
        raise ValueError(f"{_shown(text)} is no URI")
    return text


def _epc(text: str) -> str:
    """A URI; an EPC URN of a GS1 key, or an address at id.gs1.org, must be a good identifier.

    An address on any other host may be a company's own URI that only looks like a Digital Link.
    """
    _uri(text)
    try:
        if text.startswith("urn:epc:") or _GS1_HOST.match(text):
            parse_identifier(text)
    except UnknownKey:
        if _GS1_HOST.match(text):
            raise ValueError(f"{_shown(text)} has no GS1 key in its path") from None
    except Gs1Error as error:
        raise ValueError(f"{_shown(text)}: {error.place}: {error.reason}") from error
    return text


def _certification(value: object) -> object:
    """A URI, or a list of URIs or of certification details (GS1 Web Vocabulary)."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str):
            _uri(item)
        elif not (isinstance(item, dict) and isinstance(value, list)):
            raise ValueError("must be a URI, or a list of URIs or of certification details")
    return value


def _time(text: str) -> str:
    try:
        parse_time(text)
    except ValueError as error:
        raise ValueError(f"{_shown(text)} {error}") from error
    return text


def _matching(pattern: re.Pattern[str], wanted: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if pattern.fullmatch(text) is None:
            raise ValueError(f"{_shown(text)} is not {wanted}")
        return text

    return check


def _word_of(vocabulary: Vocabulary) -> Callable[[str], str]:
    """A bare word of the vocabulary, its URI, or a user's own URI."""

    @lru_cache(maxsize=4096)
    def check(text: str) -> str:
        if text in vocabulary.words or text in vocabulary.accepted:
            return text
        if ":" not in text:
            raise ValueError(
                f"{_shown(text)} is no standard {vocabulary.name}; use a word of CBV 2.0 or a URI"
            )
        _uri(text)
        prefix, _, rest = text.partition(":")
        full = NAMESPACES[prefix] + rest if prefix in NAMESPACES else text
        # An address in the standard's own vocabulary must be one that the standard has; the
        # GS1 web vocabulary is wider than sensor types, so it cannot be judged so.
        own = [p for p in (vocabulary.prefix, vocabulary.urn) if p and p.endswith(("-", ":"))]
        for start in own:
            if full.startswith(start) and full.removeprefix(start) not in vocabulary.words:
                raise ValueError(f"{_shown(text)} is no standard {vocabulary.name} of CBV 2.0")
        return text

    return check


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:77]}...")


Text = Annotated[str, Field(max_length=_URI_LENGTH_MAX)]
StringValue = Annotated[str, Field(max_length=_STRING_VALUE_LENGTH_MAX)]
Uri = Annotated[Text, AfterValidator(_uri)]
Epc = Annotated[Text, AfterValidator(_epc)]
Time = Annotated[Text, AfterValidator(_time)]
TimeZoneOffset = Annotated[Text, AfterValidator(_matching(_OFFSET, "an offset such as +02:00"))]
Uom = Annotated[
    Text, AfterValidator(_matching(_UOM, "a UN/CEFACT unit code of two or three characters"))
]
HexBinary = Annotated[Text, AfterValidator(_matching(_HEX, "hexadecimal"))]
Decimal = Annotated[float, Field(allow_inf_nan=False)]
Boolean = StrictBool
CertificationInfo = Annotated[str | list[str | dict[str, object]], PlainValidator(_certification)]
Action = Literal["ADD", "OBSERVE", "DELETE"]

BizStep = Annotated[Text, AfterValidator(_word_of(VOCABULARIES["bizStep"]))]
Disposition = Annotated[Text, AfterValidator(_word_of(VOCABULARIES["disposition"]))]
BizTransactionType = Annotated[Text, AfterValidator(_word_of(VOCABULARIES["bizTransactionType"]))]
SourceDestinationType = Annotated[
    Text, AfterValidator(_word_of(VOCABULARIES["sourceDestinationType"]))
]
ErrorReason = Annotated[Text, AfterValidator(_word_of(VOCABULARIES["errorReason"]))]
Component = Annotated[Text, AfterValidator(_word_of(VOCABULARIES["component"]))]
MeasurementType = Annotated[Text, AfterValidator(_word_of(VOCABULARIES["measurementType"]))]
SensorAlertType = Annotated[Text, AfterValidator(_word_of(VOCABULARIES["sensorAlertType"]))]
