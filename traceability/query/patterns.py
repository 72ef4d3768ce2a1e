"""Values of `MATCH_` parameters: identifiers in any spelling, and EPC pure identity patterns.

Sources: EPCIS 2.0 section 8.2.7.1; EPC Tag Data Standard 1.13 section 8 (`urn:epc:idpat:`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from traceability.projection.vocabulary import thing_key
from traceability.query.errors import QueryParameterUnsupported, QueryValueInvalid

_PATTERN: Final = re.compile(r"urn:epc:idpat:([a-z]+):([0-9]+)((?:\.[^.]+)+)")
_BASE: Final = "https://id.gs1.org"


@dataclass(frozen=True, slots=True)
class Matcher:
    """Identifiers that a condition matches: these, and all that begin so."""

    exact: tuple[str, ...]
    prefixes: tuple[str, ...]


def matcher(parameter: str, values: tuple[str, ...], *, classes: bool) -> Matcher:
    """Read the values of a `MATCH_` parameter.

    `classes`: the parameter asks for classes, where `urn:epc:idpat:sgtin:….*` is itself the name
    of a class and not a pattern. Raises `QueryParameterUnsupported` or `QueryValueInvalid`.
    """
    exact: list[str] = []
    prefixes: list[str] = []
    for value in values:
        if not value.startswith("urn:epc:idpat:"):
            _require_no_star(parameter, value)
            exact.append(thing_key(value))
        elif classes and _names_class(value):
            exact.append(thing_key(value))
        else:
            more_exact, more_prefixes = _pattern(parameter, value)
            exact += more_exact
            prefixes += more_prefixes
    return Matcher(tuple(dict.fromkeys(exact)), tuple(dict.fromkeys(prefixes)))


def prefix_end(prefix: str) -> str:
    """The least text greater than all that begin with `prefix` (which ends below U+10FFFF)."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def _require_no_star(parameter: str, value: str) -> None:
    """An identifier with `*` would match nothing, silently, where a pattern was meant.

    Identifiers outside GS1's are opaque: there only a `*` at the end looks like a pattern.
    """
    ours = value.startswith(("urn:epc:", f"{_BASE}/")) or thing_key(value) != value
    if not (value.endswith("*") or (ours and "*" in value)):
        return
    shown = value if len(value) <= 120 else f"{value[:117]}..."
    raise QueryValueInvalid(
        f"{parameter}: {shown!r} is no pattern: write urn:epc:idpat:…, such as "
        "urn:epc:idpat:sgtin:9506000.013435.* (a * that belongs to a serial is written %2A)"
    )


def _names_class(value: str) -> bool:
    return thing_key(value) != value


def _pattern(parameter: str, value: str) -> tuple[list[str], list[str]]:
    match = _PATTERN.fullmatch(value)
    if match is None:
        raise QueryValueInvalid(f"{parameter}: {value!r} is not an EPC pattern")
    scheme, company, rest = match[1], match[2], match[3][1:].split(".")
    first_star = next((i for i, part in enumerate(rest) if part == "*"), len(rest))
    if any(part != "*" for part in rest[first_star:]):
        raise QueryValueInvalid(
            f"{parameter}: in {value!r} only the last parts may be * (EPC Tag Data Standard)"
        )
    if first_star == len(rest):
        return [thing_key(value.replace(":idpat:", ":id:", 1))], []
    if first_star == 0:
        return [], _company_prefixes(parameter, value, scheme, company)
    stem = f"urn:epc:id:{scheme}:{company}.{rest[0]}"
    if scheme == "sgtin":
        return [], [f"{_known(parameter, value, f'{stem}.0', '/21/')}/21/"]
    if scheme == "lgtin":
        base = _known(parameter, value, f"urn:epc:class:lgtin:{company}.{rest[0]}.0", "/10/")
        return [], [f"{base}/10/"]
    if scheme == "sgln":
        location = thing_key(f"{stem}.0")
        return [location], [f"{location}/254/"]
    raise QueryParameterUnsupported(
        f"{parameter}: patterns of scheme {scheme!r} are supported only as "
        f"urn:epc:idpat:{scheme}:<company prefix>.*"
    )


def _known(parameter: str, value: str, example: str, mark: str) -> str:
    """The class part of an example instance of the pattern."""
    link = thing_key(example)
    stem, found, _ = link.rpartition(mark)
    if not found:
        raise QueryValueInvalid(f"{parameter}: {value!r} does not hold a valid identifier")
    return stem


def _company_prefixes(parameter: str, value: str, scheme: str, company: str) -> list[str]:
    """Prefixes for "anything of this company"."""
    if not 6 <= len(company) <= 12:
        raise QueryValueInvalid(f"{parameter}: {value!r}: a company prefix has 6 to 12 digits")
    if scheme in ("sgtin", "sscc"):
        ai = "01" if scheme == "sgtin" else "00"
        return [f"{_BASE}/{ai}/{digit}{company}" for digit in range(10)]
    ai = {"sgln": "414", "pgln": "417", "giai": "8004", "grai": "8003", "gsrn": "8018"}.get(
        scheme, ""
    )
    if not ai:
        raise QueryParameterUnsupported(
            f"{parameter}: patterns of scheme {scheme!r} are not supported"
        )
    return [f"{_BASE}/{ai}/{'0' if scheme == 'grai' else ''}{company}"]
