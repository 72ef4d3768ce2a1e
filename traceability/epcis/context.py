"""JSON-LD contexts of EPCIS documents: checking, merging, prefixes. Nothing is ever fetched."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from traceability.epcis.vocabulary import IGNORED_FIELDS, NAMESPACES, NEVER_PREFIXES, ORDER, Field

__all__ = ["check_context", "context_size", "merged_context", "namespaces_of"]

_ENTRIES_MAX = 100
_TERMS_MAX = 1000
_SIZE_CHARS_MAX = 65_536
_NAMESPACE_CHARS_MAX = 256  # it takes the place of a prefix at every use
_EPCIS_CONTEXT_MARKS = ("epcis", "context")


def _names(fields: tuple[Field, ...]) -> Iterator[str]:
    for field in fields:
        yield field.name
        yield from _names(field.fields or ())


_STANDARD_TERMS = frozenset(_names(ORDER)) | IGNORED_FIELDS | {"id", "type"}


def _entries(context: object) -> list[object]:
    if context is None:
        return []
    return context if isinstance(context, list) else [context]


def check_context(context: object, *, needs_epcis: bool) -> Iterator[tuple[str, str]]:
    """Yield (JSON pointer below the context, reason) for all that is wrong with a `@context`.

    `needs_epcis`: one entry must be the address of an EPCIS context.
    """
    entries = _entries(context)
    if len(entries) > _ENTRIES_MAX:
        yield "", f"has {len(entries)} entries, at most {_ENTRIES_MAX} are allowed"
        return
    size = context_size(context)
    if size > _SIZE_CHARS_MAX:
        yield "", f"has {size} characters of JSON, at most {_SIZE_CHARS_MAX} are allowed"
        return
    if needs_epcis and not any(_is_epcis_context(e) for e in entries if isinstance(e, str)):
        yield (
            "",
            (
                "must name the EPCIS context, such as "
                "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
            ),
        )
    single = not isinstance(context, list)
    for index, entry in enumerate(entries):
        place = "" if single else f"/{index}"
        if isinstance(entry, str):
            if ":" not in entry:
                yield place, "must be the full address of a context"
        elif isinstance(entry, dict):
            yield from _check_terms(entry, place)
        else:
            yield place, "must be an address or an object of prefixes"


def context_size(context: object) -> int:
    """Characters of a context as JSON: what each event carries with it when it is anchored."""
    return 0 if context is None else len(json.dumps(context))


def _is_epcis_context(address: str) -> bool:
    """The standard's context at any of its addresses and versions, drafts too."""
    return all(mark in address.lower() for mark in _EPCIS_CONTEXT_MARKS)


def _check_terms(terms: dict[str, object], place: str) -> Iterator[tuple[str, str]]:
    if len(terms) > _TERMS_MAX:
        yield place, f"declares {len(terms)} terms, at most {_TERMS_MAX} are allowed"
        return
    for name, value in terms.items():
        here = f"{place}/{name.replace('~', '~0').replace('/', '~1')}"
        if name in NEVER_PREFIXES:
            yield here, f"{name!r} is a URI scheme and may not be declared as a prefix"
        elif name in _STANDARD_TERMS and not name.startswith("@"):
            yield here, f"{name!r} is a term of EPCIS and may not be declared anew"
        elif name.startswith("@"):
            continue
        elif (uri := _uri_of(value)) is None:
            yield here, "must be the URI of a namespace"
        elif len(uri) > _NAMESPACE_CHARS_MAX:
            yield here, f"is longer than {_NAMESPACE_CHARS_MAX} characters"


def _uri_of(value: object) -> str | None:
    if isinstance(value, dict):
        value = value.get("@id")
    return value if isinstance(value, str) and ":" in value else None


def merged_context(outer: object, inner: object) -> list[object]:
    """The document's context followed by the event's: what the anchored event carries as its own
    `@context`. An entry that is there already is left out, unless another has since given one of
    its prefixes another meaning. Entries beyond the bound of `check_context` are left out, for such
    a document is refused anyway."""
    merged: list[object] = []
    seen: set[str] = set()
    in_force: dict[str, str] = {}
    for entry in [*_entries(outer)[:_ENTRIES_MAX], *_entries(inner)[:_ENTRIES_MAX]]:
        spelled = json.dumps(entry, sort_keys=True)
        terms = dict(_prefixes(entry))
        if spelled in seen and all(in_force[name] == uri for name, uri in terms.items()):
            continue
        seen.add(spelled)
        in_force |= terms
        merged.append(entry)
    return merged


def namespaces_of(context: object) -> Mapping[str, str]:
    """Prefix to namespace URI: those that the EPCIS context declares, then this context's own,
    later ones winning."""
    found = dict(NAMESPACES)
    for entry in _entries(context):
        found.update(_prefixes(entry))
    return MappingProxyType(found)


def _prefixes(entry: object) -> Iterator[tuple[str, str]]:
    """The prefixes that one entry of a context declares."""
    if isinstance(entry, dict):
        for name, value in entry.items():
            uri = _uri_of(value)
            if uri is not None and name not in NEVER_PREFIXES and not name.startswith("@"):
                yield name, uri
