"""The EPCIS event hash id of CBV 2.0 (section 8.9).

`docs/cbv-hash.md` describes the algorithm so that it can be written again in another language; the
tables are `data/cbv.json` and `traceability/gs1/data/gs1.json`. In short:

1. `eventType=` and the type, then each field of the canonical order that the event has, with no
   separator: a value as `name=value`, an object or a list as its name and then its parts.
2. A list's items, and the extensions of an object, are sorted by the bytes of their UTF-8.
3. Values are spelled canonically (`values.py`): trimmed, times in UTC to the millisecond, numbers
   plain, vocabulary words and CURIEs as full URIs, GS1 identifiers as canonical Digital Links.
4. Extensions come last in the object that has them; their key is `{namespace}local-name`.
5. `recordTime`, `eventID`, `errorDeclaration`, `@context` and comments are left out.
6. The id is `ni:///sha-256;` + SHA-256 of the UTF-8 in hexadecimal + `?ver=CBV2.0`.

Nothing is ever fetched: the prefixes of the EPCIS context itself are in the tables.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from traceability.epcis.context import namespaces_of
from traceability.epcis.values import canonical_text, canonical_time
from traceability.epcis.vocabulary import (
    IGNORED_ANYWHERE,
    IGNORED_FIELDS,
    ORDER,
    VERSION,
    Field,
)

__all__ = ["hash_id", "prehash_of"]

Namespaces = Mapping[str, str]

_KNOWN = frozenset(field.name for field in ORDER) | IGNORED_FIELDS


def prehash_of(body: Mapping[str, object], namespaces: Namespaces | None = None) -> str:
    """The pre-hash string of a bare event.

    `namespaces` are the prefixes in force; by default those of the event's own `@context`.
    """
    if namespaces is None:
        namespaces = namespaces_of(body.get("@context"))
    parts = [f"eventType={canonical_text(body.get('type'), {})}"]
    for field in ORDER:
        value = body.get(field.name)
        if value is not None:
            parts.append(_render(field, value, namespaces))
    parts.append(_extensions(body, _KNOWN, namespaces))
    return "".join(parts)


def hash_id(prehash: str) -> str:
    """The event hash id (RFC 6920) of a pre-hash string."""
    digest = hashlib.sha256(prehash.encode("utf-8")).hexdigest()
    return f"ni:///sha-256;{digest}?ver={VERSION}"


def _render(field: Field, value: object, namespaces: Namespaces) -> str:
    """One field of the canonical order; empty if it has no content."""
    if isinstance(value, list):
        if field.item is None:
            return "".join(sorted(_named(field, field.name, item, namespaces) for item in value))
        items = "".join(sorted(_named(field, field.item, item, namespaces) for item in value))
        return field.name + items if items else ""
    return _named(field, field.name, value, namespaces)


def _named(field: Field, name: str, value: object, namespaces: Namespaces) -> str:
    """A single value or object under a name; empty if it has no content."""
    if isinstance(value, str | int | float):
        if field.time and isinstance(value, str):
            text = canonical_time(value)
        else:
            text = canonical_text(value, namespaces, field.vocabulary)
        return f"{name}={text}" if text else ""
    if not isinstance(value, dict):
        return ""
    parts = []
    for child in field.fields or ():
        inner = value.get(child.name)
        if inner is not None:
            parts.append(_render(child, inner, namespaces))
    if len(parts) < len(value):
        parts.append(_extensions(value, field.known, namespaces))
    content = "".join(parts)
    return name + content if content else ""


def _extensions(value: Mapping[str, object], known: frozenset[str], namespaces: Namespaces) -> str:
    """All keys of an object that are not `known`, sorted."""
    found: list[str] = []
    for key, inner in value.items():
        if key not in known and key not in IGNORED_ANYWHERE:
            found += _extension(_expanded_key(key, namespaces), inner, namespaces)
    found.sort()
    return "".join(found)


def _extension(key: str, value: object, namespaces: Namespaces) -> list[str]:
    """The parts that one extension contributes: a list as one part for each item."""
    if isinstance(value, list):
        return [_extension_item(key, item, namespaces) for item in value]
    if value is None:
        return []
    return [_extension_item(key, value, namespaces)]


def _extension_item(key: str, value: object, namespaces: Namespaces) -> str:
    if isinstance(value, dict):
        return key + _extensions(value, frozenset(), namespaces)
    if isinstance(value, list):
        return key + "".join(sorted(_extension_item("", item, namespaces) for item in value))
    text = canonical_text(value, namespaces)
    return f"{key}={text}" if text else key


def _expanded_key(key: str, namespaces: Namespaces) -> str:
    """`{namespace}local-name` (rules 19 and 20); a key without a declared prefix stays."""
    prefix, colon, local = key.partition(":")
    if colon and prefix in namespaces:
        return f"{{{namespaces[prefix]}}}{local}"
    return key
