"""The Core Business Vocabulary of CBV 2.0 and the canonical property order, from `data/cbv.json`.

The file is data for every language that must hash events alike: this package and the JavaScript of
the consumer page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType

__all__ = ["ORDER", "VOCABULARIES", "Field", "Vocabulary"]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """One standard vocabulary, e.g. the business steps."""

    name: str
    prefix: str
    """Web vocabulary prefix: `https://ref.gs1.org/cbv/BizStep-`."""
    urn: str | None
    """URN prefix of CBV 1.2: `urn:epcglobal:cbv:bizstep:`."""
    words: frozenset[str]
    """Bare words of the JSON binding."""
    accepted: frozenset[str]
    """Words of drafts of the standard that documents in the field still use; never expanded."""


@dataclass(frozen=True, slots=True)
class Field:
    """One place in the canonical property order (CBV 2.0 section 8.9.2)."""

    name: str
    time: bool
    """The value is a timestamp."""
    vocabulary: Vocabulary | None
    """Bare words of this vocabulary are expanded."""
    item: str | None
    """The value is a list; the name each item gets in the pre-hash string (may be empty)."""
    fields: tuple[Field, ...] | None
    """The value (or each item) is an object with these fields, in this order, then extensions."""
    known: frozenset[str]
    """Names of those fields: any other key of the object is an extension."""


def _vocabularies(data: Mapping[str, dict[str, object]]) -> dict[str, Vocabulary]:
    def words(spec: dict[str, object], key: str) -> frozenset[str]:
        found = spec.get(key, [])
        assert isinstance(found, list)
        return frozenset(found)

    def text(value: object) -> str | None:
        assert value is None or isinstance(value, str)
        return value

    return {
        name: Vocabulary(
            name,
            text(spec["prefix"]) or "",
            text(spec["urn"]),
            words(spec, "words"),
            words(spec, "accepted"),
        )
        for name, spec in data.items()
    }


_DATA = json.loads(files("traceability.epcis").joinpath("data/cbv.json").read_text("utf-8"))

VOCABULARIES: Mapping[str, Vocabulary] = MappingProxyType(_vocabularies(_DATA["vocabularies"]))


def _field(spec: dict[str, object]) -> Field:
    vocabulary = spec.get("vocabulary")
    item = spec.get("item")
    fields = spec.get("fields")
    assert item is None or isinstance(item, str)
    children = _fields(fields) if isinstance(fields, list) else None
    return Field(
        name=str(spec["name"]),
        time=spec.get("kind") == "time",
        vocabulary=VOCABULARIES[str(vocabulary)] if vocabulary is not None else None,
        item=item,
        fields=children,
        known=frozenset(child.name for child in children or ()),
    )


def _fields(specs: list[dict[str, object]]) -> tuple[Field, ...]:
    return tuple(_field(spec) for spec in specs)


ORDER: tuple[Field, ...] = _fields(_DATA["order"])
"""The fields of an event after `eventType`, in the order of the pre-hash string."""
VERSION: str = _DATA["version"]
WHITESPACE: str = _DATA["whitespace"]
"""Characters trimmed from both ends of a value (Unicode White_Space)."""
NAMESPACES: Mapping[str, str] = MappingProxyType(_DATA["namespaces"])
"""Prefixes that the EPCIS JSON-LD context itself declares."""
NEVER_PREFIXES: frozenset[str] = frozenset(_DATA["neverPrefixes"])
"""URI schemes that no context may turn into a prefix."""
IGNORED_FIELDS: frozenset[str] = frozenset(_DATA["ignoredFields"])
"""Fields of an event that the hash leaves out."""
IGNORED_ANYWHERE: frozenset[str] = frozenset(_DATA["ignoredAnywhere"])
"""Comments, at any level."""
WEB_OF_URN: tuple[tuple[str, str], ...] = tuple(
    (vocabulary.urn, vocabulary.prefix)
    for vocabulary in VOCABULARIES.values()
    if vocabulary.urn is not None
)
"""URN prefixes of CBV 1.2 and the web vocabulary prefixes that replace them."""
