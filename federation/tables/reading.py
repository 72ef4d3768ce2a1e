"""Reading rows from a CSV file (RFC 4180), strictly and within bounds."""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NoReturn, TextIO

import numpy as np
from numpy.typing import NDArray

from federation.tables.errors import TableInvalid, TableMalformed
from federation.tables.table import ID_CHARACTERS_MAX, ROWS_MAX, Table, require_fields

SIZE_BYTES_MAX_DEFAULT = 8 * 1024**3
LINE_CHARACTERS_MAX = 1_000_000
MISSING = frozenset({"", "NA"})
"""What stands for a missing value."""

_BLOCK_ROWS = 4096
_NUMBER_BYTES = b"0123456789+-.eE"


def read_csv(
    path: Path | str,
    *,
    id_field: str = "id",
    fields: Sequence[str] | None = None,
    size_bytes_max: int = SIZE_BYTES_MAX_DEFAULT,
) -> Table:
    """The table in a UTF-8 CSV file with a header line; a byte order mark is passed over.

    `fields`: the columns wanted, in that order (all but the id, where none are named); others are
    not looked at. Cells are decimal numbers as JSON or a spreadsheet writes them (`-1.5e3`,
    `.5`), empty or `NA` where missing; no spaces, no thousands separators, no infinities.

    Raises `TableInvalid` with the line and the column that are wrong.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > size_bytes_max:
            raise TableInvalid(path, 0, f"{size} bytes, at most {size_bytes_max} are allowed")
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _Reading(path, id_field, fields).read(file)
    except OSError as error:
        raise TableInvalid(path, 0, f"cannot be read: {error.strerror}") from error


@dataclass(slots=True)
class _Row:
    line: int
    cells: list[str]


class _Reading:
    """One file being read, block by block of rows."""

    def __init__(self, path: Path, id_field: str, fields: Sequence[str] | None) -> None:
        self.path = path
        self.id_field = id_field
        self.wanted = fields

    def read(self, file: TextIO) -> Table:
        rows = self._rows(file)
        header = next(rows, None)
        if header is None:
            raise TableInvalid(self.path, 0, "the file is empty; its first line names the columns")
        id_place, places = self._places(header.cells)
        ids: list[str] = []
        lines = array("q")
        blocks: dict[str, list[NDArray[np.float64]]] = {name: [] for name in places}
        while block := list(islice(rows, _BLOCK_ROWS)):
            if len(ids) + len(block) > ROWS_MAX:
                raise TableInvalid(self.path, block[-1].line, f"more than {ROWS_MAX} rows")
            self._require_width(block, len(header.cells))
            columns = list(zip(*(row.cells for row in block), strict=True))
            ids.extend(self._ids(block, columns[id_place]))
            lines.extend(row.line for row in block)
            for name, place in places.items():
                blocks[name].append(self._numbers(block, name, columns[place]))
        if not ids:
            raise TableInvalid(self.path, 0, "the file has a header and no rows")
        self._require_unique(ids, lines)
        # One column at a time gives its blocks up, so that no second copy of the whole is held.
        return Table(tuple(ids), {name: _joined(blocks.pop(name)) for name in places})

    def _rows(self, file: TextIO) -> Iterator[_Row]:
        reader = csv.reader(self._lines(file), strict=True)
        try:
            for cells in reader:
                yield _Row(reader.line_num, cells)
        except csv.Error as error:
            raise TableInvalid(self.path, reader.line_num, f"not CSV: {error}") from error

    def _lines(self, file: TextIO) -> Iterator[str]:
        number = 0
        try:
            for line in iter(partial(file.readline, LINE_CHARACTERS_MAX), ""):
                number += 1
                if len(line) == LINE_CHARACTERS_MAX:
                    raise TableInvalid(
                        self.path, number, f"{LINE_CHARACTERS_MAX} characters or more"
                    )
                yield line
        except UnicodeDecodeError as error:
            # The file is decoded some lines ahead: where exactly is not known.
            raise TableInvalid(
                self.path, 0, f"not UTF-8 after line {number}: {error.reason}"
            ) from error

    def _places(self, header: list[str]) -> tuple[int, dict[str, int]]:
        """Where the id and each wanted field stand in a row."""
        wanted = None if self.wanted is None else tuple(self.wanted)
        try:
            require_fields(tuple(header))
            require_fields(wanted or ())
        except TableMalformed as error:
            raise TableInvalid(self.path, 1, str(error)) from error
        at = {name: place for place, name in enumerate(header)}
        for name in (self.id_field, *(wanted or ())):
            if name not in at:
                raise TableInvalid(self.path, 1, f"the header has no column {name!r}")
        if wanted is None:
            wanted = tuple(name for name in header if name != self.id_field)
        if self.id_field in wanted:
            raise TableInvalid(self.path, 1, f"the id {self.id_field!r} cannot be a field as well")
        return at[self.id_field], {name: at[name] for name in wanted}

    def _require_width(self, block: list[_Row], width: int) -> None:
        for row in block:
            if len(row.cells) != width:
                raise TableInvalid(
                    self.path, row.line, f"{len(row.cells)} cells, the header has {width}"
                )

    def _ids(self, block: list[_Row], ids: tuple[str, ...]) -> tuple[str, ...]:
        for row, name in zip(block, ids, strict=True):
            if not name or name != name.strip():
                reason = "the id begins or ends with a space" if name else "the id is empty"
                raise TableInvalid(self.path, row.line, reason, column=self.id_field)
            if not name.isprintable() or len(name) > ID_CHARACTERS_MAX:
                reason = f"the id must be at most {ID_CHARACTERS_MAX} characters, all printable"
                raise TableInvalid(self.path, row.line, reason, column=self.id_field)
        return ids

    def _require_unique(self, ids: list[str], lines: Sequence[int]) -> None:
        if len(set(ids)) == len(ids):
            return
        first: dict[str, int] = {}
        again = [place for place, name in enumerate(ids) if first.setdefault(name, place) != place]
        before = lines[first[ids[again[0]]]]
        raise TableInvalid(
            self.path,
            lines[again[0]],
            f"the id stands in line {before} already; so it is with {len(again)} rows in all",
            column=self.id_field,
        )

    def _numbers(self, block: list[_Row], name: str, cells: tuple[str, ...]) -> NDArray[np.float64]:
        if not _all_of_numbers(cells) or "" in cells:
            present = [cell for cell in cells if cell not in MISSING]
            if not _all_of_numbers(present):
                self._refuse(block, name, cells)
            read: Sequence[str] = ["nan" if cell in MISSING else cell for cell in cells]
        else:
            read = cells
        try:
            values = np.fromiter(map(float, read), dtype=np.float64, count=len(read))
        except ValueError:
            self._refuse(block, name, cells)
        if np.isinf(values).any():
            self._refuse(block, name, cells)
        return values

    def _refuse(self, block: list[_Row], name: str, cells: tuple[str, ...]) -> NoReturn:
        """Raise for the first cell of the block that is no number."""
        for row, cell in zip(block, cells, strict=True):
            if cell in MISSING:
                continue
            # The cell itself is not shown: messages end up in logs, and rows do not leave.
            if not _is_number(cell):
                raise TableInvalid(
                    self.path,
                    row.line,
                    f"a cell of {len(cell)} characters is not a decimal number, empty or NA",
                    column=name,
                )
            if np.isinf(float(cell)):
                raise TableInvalid(
                    self.path, row.line, "a number beyond what 64 bits hold", column=name
                )
        raise AssertionError("a block was refused whose cells are all numbers")


def _all_of_numbers(cells: Sequence[str]) -> bool:
    """Whether no character occurs that is not of a number.

    float() alone would take `1_000`, `nan` and ` 1 ` too.
    """
    return not "".join(cells).encode().translate(None, _NUMBER_BYTES)


def _is_number(cell: str) -> bool:
    if not _all_of_numbers((cell,)):
        return False
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _joined(blocks: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    column = np.concatenate(blocks)
    column.setflags(write=False)
    return column
