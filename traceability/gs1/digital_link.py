"""GS1 Digital Link URIs (GS1 Digital Link Standard: URI Syntax, release 1.2), on any domain."""

from __future__ import annotations

from types import MappingProxyType
from urllib.parse import parse_qsl

from traceability.gs1.encoding import check_printable, decode
from traceability.gs1.errors import Gs1Error, MalformedIdentifier, UnknownKey
from traceability.gs1.keys import KEY_OF_ALPHA, KEYS, QUALIFIER_OF_ALPHA, QUALIFIERS
from traceability.gs1.types import DigitalLink, Identifier
from traceability.gs1.values import check_key, check_qualifier

__all__ = ["link_identifier", "parse_digital_link", "parse_link_path"]

_QUERY_PARAMETERS_MAX = 50


def parse_digital_link(uri: str) -> DigitalLink:
    """Read a Digital Link of any host, with any path before the key and any query.

    GTINs of 8, 12 and 13 digits are padded to 14. Old short names (`/gtin/`, `/lot/`, `/ser/`) are
    read. Raises MalformedIdentifier, UnknownKey, WrongLength, WrongCharacters, WrongCheckDigit.
    """
    origin, path, query = _divided(uri)
    identifier, depth = parse_link_path(path, uri)
    before = "/".join(path.split("/")[:depth])
    prefix = f"{origin}/{before}" if before else origin
    return DigitalLink(uri, identifier, prefix, MappingProxyType(_attributes(query, uri)))


def link_identifier(uri: str, *, verify: bool) -> Identifier:
    """Only the identifier of a Digital Link, whatever the query holds; `verify=False` leaves the
    check digit unverified. Raises as `parse_digital_link` does."""
    _, path, _ = _divided(uri)
    return parse_link_path(path, uri, verify=verify)[0]


def _divided(uri: str) -> tuple[str, str, str]:
    """Scheme with host, path without its leading slash, query."""
    check_printable(uri)
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        raise MalformedIdentifier(uri, "uri", "a Digital Link begins with https:// or http://")
    rest, _, _ = rest.partition("#")
    location, _, query = rest.partition("?")
    host, _, path = location.partition("/")
    if not host or "@" in host:
        raise MalformedIdentifier(uri, "host", "is missing or carries user information")
    return f"{scheme.lower()}://{host}", path, query


def parse_link_path(path: str, text: str, *, verify: bool = True) -> tuple[Identifier, int]:
    """Find key and qualifiers in a path without its leading slash.

    Returns the identifier and the number of segments before the key. Of several segments that look
    like keys the first wins that leads to a valid whole; else the error is about the last of them.
    """
    segments = path.removesuffix("/").split("/")
    found = [i for i, segment in enumerate(segments[:-1]) if _ai_of(segment) in KEYS]
    # A whole link has at most a value and every qualifier once after its key: any key further from
    # the end need not be tried, or a path of nothing but keys would take quadratic time.
    fitting = [
        i for i in found if len(segments) - i <= 2 + 2 * len(KEYS[_ai_of(segments[i])].qualifiers)
    ]
    failure: Gs1Error | None = None
    for depth in fitting or found[-1:]:
        try:
            return _parse_segments(
                _ai_of(segments[depth]), segments[depth + 1 :], text, verify
            ), depth
        except Gs1Error as error:
            failure = error
    if failure is not None:
        raise failure
    raise UnknownKey(text, "path", "has no GS1 key (such as /01/ for a GTIN)")


def _ai_of(segment: str) -> str:
    return KEY_OF_ALPHA.get(segment, segment)


def _parse_segments(ai: str, segments: list[str], text: str, verify: bool) -> Identifier:
    value = check_key(ai, decode(segments[0], text, KEYS[ai].name), text, verify=verify)
    if len(segments) % 2 == 0:
        raise MalformedIdentifier(text, "path", f"no value after {segments[-1]!r}")
    allowed = KEYS[ai].qualifiers
    found: dict[str, str] = {}
    for name, written in zip(segments[1::2], segments[2::2], strict=True):
        qualifier = QUALIFIER_OF_ALPHA.get(name, name)
        if qualifier not in allowed:
            raise UnknownKey(
                text, "path", f"{name!r} is no key qualifier of {KEYS[ai].name} ({ai})"
            )
        if qualifier in found:
            raise MalformedIdentifier(text, "path", f"{name!r} stands twice")
        if found and allowed.index(qualifier) < allowed.index(next(reversed(found))):
            raise MalformedIdentifier(
                text, "path", f"{name!r} is out of order; the order is {', '.join(allowed)}"
            )
        decoded = decode(written, text, QUALIFIERS[qualifier].name)
        check_qualifier(qualifier, decoded, text)
        found[qualifier] = decoded
    return Identifier(ai, value, tuple(found.items()))


def _attributes(query: str, uri: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            query.replace(";", "&"), keep_blank_values=True, max_num_fields=_QUERY_PARAMETERS_MAX
        )
    except ValueError as error:
        raise MalformedIdentifier(
            uri, "query", f"has more than {_QUERY_PARAMETERS_MAX} parameters"
        ) from error
    attributes: dict[str, str] = {}
    for name, value in pairs:
        attributes.setdefault(name, value)
    return attributes
