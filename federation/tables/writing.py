"""Writing rows as a CSV file that `read_csv` reads back bit for bit."""

from __future__ import annotations

import csv
from pathlib import Path

from federation.tables.errors import TableMalformed, TablesError
from federation.tables.table import Table

_BLOCK_ROWS = 4096


def write_csv(table: Table, path: Path | str, *, id_field: str = "id") -> None:
    """The table as UTF-8 CSV, the id first; whole numbers without a point, missing ones empty.

    Raises `TableMalformed` where a field has the id's name, `TablesError` where the file cannot be
    written.
    """
    if id_field in table.columns:
        raise TableMalformed(f"the field {id_field!r} has the name of the id")
    path = Path(path)
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow((id_field, *table.fields))
            for start in range(0, table.rows, _BLOCK_ROWS):
                block = slice(start, start + _BLOCK_ROWS)
                columns = [map(_text, column[block].tolist()) for column in table.columns.values()]
                writer.writerows(zip(table.ids[block], *columns, strict=True))
    except OSError as error:
        raise TablesError(f"{path.name} cannot be written: {error.strerror}") from error


def _text(value: float) -> str:
    if value != value:
        return ""
    if value.is_integer() and abs(value) < 1e15 and (value or str(value) == "0.0"):
        return str(int(value))
    return repr(value)
