"""Files that `tally pool` reads and writes: assets with a bar, rules, salts, what is refused."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson

from contracts.pools import (
    AssetRefused,
    AssetRow,
    AssetTwice,
    BookState,
    Refusal,
    Rules,
    csv_rows,
    json_rows,
)
from contracts.pools.leaf import SALT_BYTES_MIN
from ledger.types import Hash32
from nodes.cli.output import err, progress
from nodes.errors import NodeError

SHOWN_MAX: Final = 20
"""Lines that are shown of what may be many."""
SUFFIXES: Final = (".csv", ".jsonl", ".ndjson")
_SALT_BYTES_MAX: Final = 1_024
_RULES_BYTES_MAX: Final = 65_536
_STEP: Final = 4_096
_POOL: Final = re.compile(r"0x[0-9a-f]{64}")

Item = TypeVar("Item")


@contextmanager
def rows_of(path: Path, show: bool) -> Iterator[Iterator[AssetRow]]:
    """The lines of a file of assets, with a bar that goes by its bytes."""
    if not path.is_file() and path.exists():
        raise AssetRefused(f"{path}: no file; files of assets end with {', '.join(SUFFIXES)}")
    if path.suffix not in SUFFIXES:
        raise AssetRefused(f"{path}: files of assets end with {', '.join(SUFFIXES)}")
    size = path.stat().st_size
    try:
        with progress(f"reading {path.name} (KiB)", size >> 10, show) as done:
            yield _rows(path, done)
    except AssetRefused as error:
        raise AssetRefused(f"{path}: {_told(path, error)}") from error


def _told(path: Path, error: AssetRefused) -> str:
    """The error with its lines, looked up where whoever found it was past them."""
    if isinstance(error.__cause__, UnicodeDecodeError):
        with path.open("rb") as raw:
            bad = next((n for n, line in enumerate(raw, 1) if not _is_text(line)), 0)
        return f"line {bad}: {error}"
    if isinstance(error, AssetTwice):
        lines = (row.line for row in _rows(path, lambda _: None) if row.reference == error.asset)
        shown = " and ".join(str(line) for line in islice(lines, 2))
        return f"lines {shown}: {error}"
    return str(error)


def _is_text(line: bytes) -> bool:
    try:
        line.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return True


def _rows(path: Path, done: Callable[[int], None]) -> Iterator[AssetRow]:
    with path.open("rb") as raw:
        if path.suffix == ".csv":
            found = csv_rows(io.TextIOWrapper(raw, encoding="utf-8-sig", newline=""))
        else:
            found = json_rows(raw)
        for number, row in enumerate(found):
            if number % _STEP == 0:
                done(raw.tell() >> 10)
            yield row


def counted(source: Iterator[Item], done: Callable[[int], None]) -> Iterator[Item]:
    """The same items; now and then it says how many there were."""
    for number, one in enumerate(source):
        if number % _STEP == 0:
            done(number)
        yield one


class Refusals:
    """What the rules do not take: counted, the first ones shown, all into a file where wanted."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: io.BufferedWriter | None = None
        self.count = 0
        self.shown: list[dict[str, Any]] = []

    def __enter__(self) -> Refusals:
        if self._path is not None:
            self._file = self._path.open("wb")
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def __call__(self, refusal: Refusal) -> None:
        """Note one."""
        line = {
            "line": refusal.line,
            "reference": refusal.reference,
            "reasons": list(refusal.reasons),
        }
        self.count += 1
        if len(self.shown) < SHOWN_MAX:
            self.shown.append(line)
        if self._file is not None:
            self._file.write(orjson.dumps(line) + b"\n")

    def print(self) -> None:
        """The first ones, on standard error."""
        for one in self.shown:
            reasons = "; ".join(one["reasons"])
            err.print(
                f"  not taken, line {one['line']}, {one['reference']}: {reasons}", markup=False
            )
        if self.count > len(self.shown):
            err.print(f"  … and {self.count - len(self.shown)} more")


def day_of(text: str) -> date:
    """A date of the calendar. Raises `NodeError`."""
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            raise ValueError("YYYY-MM-DD is meant")
        return date.fromisoformat(text)
    except ValueError as error:
        raise NodeError(f"{text[:40]!r} is no date: {error}") from error


def state_body(state: BookState) -> dict[str, Any]:
    """A state as `POST /pools/{id}/commit` takes it."""
    day = state.day
    return {
        "date": state.date.isoformat(),
        "root": f"0x{day.root.hex()}",
        "delta": None if day.delta is None else f"0x{day.delta.hex()}",
        "performing": str(day.performing),
        "overdue": str(day.overdue),
        "defaulted": str(day.defaulted),
        "count": day.count,
        "changed": day.changed,
    }


def pool_of(text: str) -> Hash32:
    """The id of a pool. Raises `NodeError`."""
    if not _POOL.fullmatch(text):
        raise NodeError(f"--pool {text[:80]!r}: 0x and 64 lower-case hex digits are meant")
    return Hash32(bytes.fromhex(text[2:]))


def rules_of(path: Path) -> Rules:
    """The eligibility rules in a file. Raises `RulesError`."""
    with path.open("rb") as file:
        return Rules.parse(file.read(_RULES_BYTES_MAX + 1))


def salt_of(path: Path) -> bytes:
    """The salt in a file, all its bytes. Raises `NodeError`."""
    with path.open("rb") as file:
        salt = file.read(_SALT_BYTES_MAX + 1)
    if not SALT_BYTES_MIN <= len(salt) <= _SALT_BYTES_MAX:
        raise NodeError(f"{path}: a salt has {SALT_BYTES_MIN} to {_SALT_BYTES_MAX} bytes")
    return salt
