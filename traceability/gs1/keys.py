"""The tables of GS1 keys, key qualifiers and EPC schemes, read from `data/gs1.json`.

The file is data for every language that must read identifiers alike: this module and the
JavaScript of the consumer page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType

__all__ = [
    "CHARSETS",
    "DOMAIN",
    "KEYS",
    "QUALIFIERS",
    "SCHEMES",
    "URN_FORMS",
    "Field",
    "Key",
    "Scheme",
]


@dataclass(frozen=True, slots=True)
class Field:
    """A part of variable length: its character set ('N', 'X' or 'Y') and its bounds."""

    name: str
    charset: str
    length_min: int
    length_max: int


@dataclass(frozen=True, slots=True)
class Key:
    """A primary GS1 key of a Digital Link."""

    ai: str
    name: str
    digits: int
    """Digits up to and with the check digit, at the front of the value; 0 if there is none."""
    leading_zero: bool
    rest: Field | None
    """What follows them within the same value: serial of GRAI, GDTI, GCN; pieces of an ITIP."""
    qualifiers: tuple[str, ...]
    """Key qualifiers allowed, in the order in which a Digital Link has them."""
    finest: tuple[str, ...]
    """Qualifiers that CBV keeps, finest level first: only the first one present stays."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """An EPC scheme (`urn:epc:id:<name>:`)."""

    name: str
    ai: str
    digits: int
    """Company prefix and reference together (with the indicator, without the check digit)."""
    indicator: bool
    """The first digit of the reference stands before the company prefix in the GS1 key."""
    lead: str
    """Constant digits before the company prefix in the GS1 key (a GRAI's '0')."""
    pieces: bool
    """Has two parts 'piece' and 'total' of two digits (ITIP)."""
    serial: bool
    """The last part follows the check digit directly (GRAI, GDTI, GCN)."""
    free: bool
    """Company prefix and reference have no fixed length and no check digit (GIAI, GINC, CPI)."""
    qualifier: str | None
    """The last part is this key qualifier."""
    none: str | None
    """Value of the last part that means 'no qualifier' (the '0' of an SGLN)."""


_DATA = json.loads(files("traceability.gs1").joinpath("data/gs1.json").read_text("utf-8"))


def _field(name: str, spec: Mapping[str, str | int]) -> Field:
    return Field(name, str(spec["charset"]), int(spec["min"]), int(spec["max"]))


def _keys() -> dict[str, Key]:
    return {
        ai: Key(
            ai=ai,
            name=spec["name"],
            digits=spec["digits"],
            leading_zero=spec.get("leadingZero", False),
            rest=_field(spec["name"], spec["rest"]) if "rest" in spec else None,
            qualifiers=tuple(spec.get("qualifiers", ())),
            finest=tuple(spec.get("finest", ())),
        )
        for ai, spec in _DATA["keys"].items()
    }


def _schemes() -> dict[str, Scheme]:
    return {
        name: Scheme(
            name=name,
            ai=spec["ai"],
            digits=spec.get("digits", 0),
            indicator=spec.get("indicator", False),
            lead=spec.get("lead", ""),
            pieces=spec.get("pieces", False),
            serial=spec.get("serial", False),
            free=spec.get("free", False),
            qualifier=spec.get("qualifier"),
            none=spec.get("none"),
        )
        for name, spec in _DATA["schemes"].items()
    }


DOMAIN: str = _DATA["domain"]
"""The canonical resolver: `https://id.gs1.org`."""
CHARSETS: Mapping[str, frozenset[str]] = MappingProxyType(
    {name: frozenset(chars) for name, chars in _DATA["charsets"].items()}
)
"""N: digits. X: GS1 character set 82. Y: GS1 character set 39."""
DIGITAL_LINK_LITERAL: frozenset[str] = frozenset(_DATA["digitalLinkLiteral"])
"""Characters that a canonical Digital Link leaves unencoded."""
URN_LITERAL: frozenset[str] = frozenset(_DATA["urnLiteral"])
"""Characters that an EPC URN leaves unencoded."""
KEYS: Mapping[str, Key] = MappingProxyType(_keys())
QUALIFIERS: Mapping[str, Field] = MappingProxyType(
    {ai: _field(spec["name"], spec) for ai, spec in _DATA["qualifiers"].items()}
)
SCHEMES: Mapping[str, Scheme] = MappingProxyType(_schemes())
URN_FORMS: Mapping[str, frozenset[str]] = MappingProxyType(
    {form: frozenset(names) for form, names in _DATA["urnForms"].items()}
)
"""Schemes allowed after `urn:epc:id:`, `urn:epc:class:` and `urn:epc:idpat:`."""
KEY_OF_ALPHA: Mapping[str, str] = MappingProxyType(
    {spec["alpha"]: ai for ai, spec in _DATA["keys"].items()}
)
"""Old short names in Digital Links: `gtin` is `01`."""
QUALIFIER_OF_ALPHA: Mapping[str, str] = MappingProxyType(
    {spec["alpha"]: ai for ai, spec in _DATA["qualifiers"].items()}
)
