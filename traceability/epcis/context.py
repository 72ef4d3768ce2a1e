"""JSON-LD contexts of EPCIS documents: checking, merging, prefixes. Nothing is ever fetched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from traceability.epcis.vocabulary import IGNORED_FIELDS, NAMESPACES, NEVER_PREFIXES, ORDER, Field

__all__ = ["check_context", "merged_context", "namespaces_of"]

_ENTRIES_MAX = 100
_TERMS_MAX = 1000
_EPCIS_CONTEXT_MARK = "epcis-context"


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
    if needs_epcis and not any(_EPCIS_CONTEXT_MARK in e for e in entries if isinstance(e, str)):
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
        elif _uri_of(value) is None:
            yield here, "must be the URI of a namespace"


def _uri_of(value: object) -> str | None:
    if isinstance(value, dict):
        value = value.get("@id")
    return value if isinstance(value, str) and ":" in value else None


def merged_context(outer: object, inner: object) -> list[object]:
    """The document's context followed by the event's, equal entries once: what the anchored event
    carries as its own `@context`. Entries beyond the bound of `check_context` are left out, for
    such a document is refused anyway and comparing them all would take quadratic time."""
    merged: list[object] = []
    for entry in [*_entries(outer)[:_ENTRIES_MAX], *_entries(inner)[:_ENTRIES_MAX]]:
        if entry not in merged:
            merged.append(entry)
    return merged


def namespaces_of(context: object) -> Mapping[str, str]:
    """Prefix to namespace URI: those that the EPCIS context declares, then this context's own,
    later ones winning."""
    found = dict(NAMESPACES)
    for entry in _entries(context):
        if isinstance(entry, dict):
            for name, value in entry.items():
                uri = _uri_of(value)
                if uri is not None and name not in NEVER_PREFIXES and not name.startswith("@"):
                    found[name] = uri
    return MappingProxyType(found)
