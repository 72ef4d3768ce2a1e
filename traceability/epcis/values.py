"""Canonical spelling of single values: times, numbers, vocabulary words, URIs (CBV 2.0, 8.9.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from traceability.epcis.vocabulary import WEB_OF_URN, WHITESPACE, Vocabulary
from traceability.gs1 import canonical_or_same

__all__ = ["canonical_number", "canonical_text", "canonical_time", "parse_time"]

_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(?:\.([0-9]{1,12}))?(Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
)
_NUMBER = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,4}))?")
_DIGITS_MAX = 400  # longer than any IEEE 754 double in plain notation
_CACHED_LENGTH_MAX = 200
_CBV_URN = "urn:epcglobal:cbv:"


@lru_cache(maxsize=16_384)
def parse_time(text: str) -> datetime:
    """Read an xsd:dateTimeStamp; the result is naive UTC, rounded half up to milliseconds.

    Raises ValueError with the reason.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError("must be a date and time with zone, such as 2026-01-31T08:00:00.000+01:00")
    base, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(base)
        if fraction is not None:
            moment += timedelta(milliseconds=_milliseconds(fraction))
        if zone != "Z":
            offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
            moment += offset if zone[0] == "-" else -offset
    except (ValueError, OverflowError) as error:
        raise ValueError(f"is no time of the calendar ({error})") from error
    return moment


def _milliseconds(fraction: str) -> int:
    return int(fraction[:3].ljust(3, "0")) + (len(fraction) > 3 and fraction[3] >= "5")


@lru_cache(maxsize=16_384)
def canonical_time(text: str) -> str:
    """UTC with milliseconds and 'Z' (rules 8 and 9); a text that is no time comes back trimmed."""
    text = text.strip(WHITESPACE)
    try:
        return f"{parse_time(text).isoformat(timespec='milliseconds')}Z"
    except ValueError:
        return text


def canonical_number(value: float) -> str:
    """A JSON number in plain notation: no exponent, no leading '+', no superfluous zeros (rule 6).

    Floating point numbers count as their shortest decimal, as RFC 8785 writes them.
    """
    return _plain_number(repr(value)) or "0"


def _plain_number(text: str) -> str | None:
    """The same number in plain notation, exactly, or None if `text` is no number."""
    match = _NUMBER.fullmatch(text)
    if match is None or not (match[2] or match[3]):
        return None
    sign, whole, fraction, exponent = match[1], match[2], match[3] or "", match[4]
    if exponent is not None:
        if len(whole) + len(fraction) + abs(int(exponent)) > _DIGITS_MAX:
            return None
        spelled = format(Decimal(f"{whole or '0'}.{fraction or '0'}E{exponent}"), "f")
        whole, _, fraction = spelled.partition(".")
    whole = whole.lstrip("0") or "0"
    fraction = fraction.rstrip("0")
    plain = f"{whole}.{fraction}" if fraction else whole
    return f"-{plain}" if sign == "-" and plain != "0" else plain


def canonical_text(
    value: object, namespaces: Mapping[str, str], vocabulary: Vocabulary | None = None
) -> str:
    """The canonical text of a scalar: trimmed; bare words, CURIEs and URNs as full web URIs; GS1
    identifiers as canonical Digital Links; numbers in plain notation (rules 5 to 7, 14 to 18)."""
    if isinstance(value, str):
        text = value.strip(WHITESPACE)
        if vocabulary is not None and text in vocabulary.words:
            return vocabulary.prefix + text
        prefix, colon, rest = text.partition(":")
        if colon and prefix in namespaces and not rest.startswith("//"):
            text = namespaces[prefix] + rest
        return _cached(text) if len(text) <= _CACHED_LENGTH_MAX else _without_context(text)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return canonical_number(value)
    return ""


def _without_context(text: str) -> str:
    if text.startswith(_CBV_URN):
        for urn, web in WEB_OF_URN:
            if text.startswith(urn):
                return web + text[len(urn) :]
        return text
    if text[:1] in "+-.0123456789":
        number = _plain_number(text)
        return text if number is None else number
    return canonical_or_same(text)


_cached = lru_cache(maxsize=65_536)(_without_context)
