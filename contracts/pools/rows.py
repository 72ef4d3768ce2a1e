"""Files of assets, line by line: CSV with a header (RFC 4180), or one JSON object for each line.

    reference       what the asset is called outside, or 0x and 64 hex digits of an instrument
    kind            outside (the default), receivable or receipt
    balance         outstanding, in hundredths: a whole number
    state           performing, overdue, defaulted, repaid or removed; without it: what the days say
    daysPastDue     a whole number; 0 without it

Every other column is an attribute: the asset's `terms` is the hash of all of them. Names are
letters, digits and `_`, at most 64 attributes of at most 256 characters. A line of changes names
the reference and what is different.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from contracts.pools.eligibility import TEXT_MAX, Value
from contracts.pools.errors import AssetRefused
from contracts.pools.leaf import REFERENCE_BYTES_MAX
from contracts.pools.types import AssetKind, AssetState
from ledger.canonical import JsonError, parse_json

ATTRIBUTES_MAX: Final = 64
LINE_BYTES_MAX: Final = 65_536
_OWN: Final[tuple[str, ...]] = ("reference", "kind", "balance", "state", "daysPastDue")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_INSTRUMENT: Final = re.compile(r"0x[0-9a-f]{64}")
_KINDS: Final = {kind.name.lower(): kind for kind in AssetKind}
_STATES: Final = {state.name.lower(): state for state in AssetState}
_DIGITS_MAX: Final = 19

Choice = TypeVar("Choice")


@dataclass(frozen=True, slots=True)
class AssetRow:
    """One line; what it does not say is None."""

    line: int
    """Counted from 1, the header included."""
    reference: str
    kind: AssetKind | None
    balance: int | None
    state: AssetState | None
    days_past_due: int | None
    attributes: Mapping[str, Value]


def read_rows(path: Path) -> Iterator[AssetRow]:
    """The lines of a file: `.csv`, or `.jsonl` and `.ndjson`. Raises `AssetRefused`."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as text:
            yield from csv_rows(text)
    elif path.suffix in (".jsonl", ".ndjson"):
        with path.open("rb") as lines:
            yield from json_rows(lines)
    else:
        raise AssetRefused(f"{path}: files of assets end with .csv, .jsonl or .ndjson")


def csv_rows(lines: Iterable[str]) -> Iterator[AssetRow]:
    """Rows of CSV. Raises `AssetRefused` at the first line that is none."""
    reader = csv.reader(_bounded(lines), strict=True)
    try:
        header = next(reader, None)
        if header is None:
            raise AssetRefused("line 1: a header with the names of the columns is missing")
        _check_header(header)
        width = len(header)
        own = {name: header.index(name) for name in _OWN if name in header}
        others = [(name, place) for place, name in enumerate(header) if name not in _OWN]
        for cells in reader:
            if not cells:
                continue
            if len(cells) != width:
                raise AssetRefused(
                    f"line {reader.line_num}: {len(cells)} columns, the header has {width}"
                )
            values = {name: cells[place] for name, place in own.items() if cells[place]}
            attributes = {name: cells[place] for name, place in others if cells[place]}
            yield _row(reader.line_num, values, attributes)
    except csv.Error as error:
        raise AssetRefused(f"line {reader.line_num}: {error}") from error
    except UnicodeDecodeError as error:  # text is decoded ahead, by more than a line
        raise AssetRefused("not UTF-8 throughout: save it as UTF-8") from error


def json_rows(lines: Iterable[bytes]) -> Iterator[AssetRow]:
    """Rows of JSON lines. Raises `AssetRefused` at the first line that is none."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = parse_json(line, size_bytes_max=LINE_BYTES_MAX, depth_max=2)
        except JsonError as error:
            raise AssetRefused(f"line {number}: {error}") from error
        if not isinstance(found, dict):
            raise AssetRefused(f"line {number}: an object is meant")
        values: dict[str, str] = {}
        attributes: dict[str, Value] = {}
        for name, value in found.items():
            if isinstance(value, bool) or not isinstance(value, str | int):
                raise AssetRefused(f"line {number}: {name[:64]} is neither text nor whole number")
            if name in _OWN:
                values[name] = str(value)
            else:
                attributes[name] = value
        _check_header([*values, *attributes], number)
        yield _row(number, values, attributes)


def _bounded(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if len(line) > LINE_BYTES_MAX:
            raise AssetRefused(f"a line of more than {LINE_BYTES_MAX} characters")
        yield line


def _check_header(names: list[str], line: int = 1) -> None:
    if "reference" not in names:
        raise AssetRefused(f"line {line}: reference is missing")
    if len(set(names)) != len(names):
        raise AssetRefused(f"line {line}: a column stands twice")
    if len(names) > ATTRIBUTES_MAX + len(_OWN):
        raise AssetRefused(f"line {line}: more than {ATTRIBUTES_MAX} attributes")
    for name in names:
        if not _NAME.fullmatch(name):
            raise AssetRefused(f"line {line}: {name[:80]!r} is no name of a column")


def _row(line: int, values: Mapping[str, str], attributes: Mapping[str, Value]) -> AssetRow:
    try:
        reference = values.get("reference", "")
        if not 1 <= len(reference.encode("utf-8")) <= REFERENCE_BYTES_MAX:
            raise AssetRefused(f"a reference has 1 to {REFERENCE_BYTES_MAX} bytes")
        kind = _choice(_KINDS, values, "kind")
        if kind in (AssetKind.RECEIVABLE, AssetKind.RECEIPT) and not _INSTRUMENT.fullmatch(
            reference
        ):
            raise AssetRefused("an instrument's reference is 0x and 64 lower-case hex digits")
        for name, value in attributes.items():
            if isinstance(value, str) and len(value) > TEXT_MAX:
                raise AssetRefused(f"{name} has more than {TEXT_MAX} characters")
        return AssetRow(
            line=line,
            reference=reference,
            kind=kind,
            balance=_number(values, "balance"),
            state=_choice(_STATES, values, "state"),
            days_past_due=_number(values, "daysPastDue"),
            attributes=attributes,
        )
    except (AssetRefused, UnicodeEncodeError) as error:
        raise AssetRefused(f"line {line}: {error}") from error


def _number(values: Mapping[str, str], name: str) -> int | None:
    text = values.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX):
        raise AssetRefused(f"{name} {text[:40]!r} is no whole number of hundredths or days")
    return int(text)


def _choice(choices: Mapping[str, Choice], values: Mapping[str, str], name: str) -> Choice | None:
    text = values.get(name)
    if text is None:
        return None
    if text not in choices:
        raise AssetRefused(f"{name} {text[:40]!r} is none of {', '.join(choices)}")
    return choices[text]
