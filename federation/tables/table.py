"""A party's rows: ids and columns of numbers that nobody changes any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from federation.tables.errors import FieldUnknown, TableMalformed

ROWS_MAX = 10_000_000
FIELDS_MAX = 1_000
ID_CHARACTERS_MAX = 200
FIELD_CHARACTERS_MAX = 64


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Rows of one party.

    Arrays are taken as they are where nobody can write to them, else copied; either way they are
    read-only afterwards. Raises `TableMalformed` for ids that are empty, repeated or not
    printable, columns of unlike length, infinities, and what is beyond the bounds.
    """

    ids: tuple[str, ...]
    """What the parties agreed to call a row by; unique, printable, at most 200 characters."""
    columns: Mapping[str, NDArray[np.float64]]
    """By field name, in the order of the file; one finite number a row, NaN where missing."""

    def __post_init__(self) -> None:
        ids = tuple(self.ids)
        require_ids(ids)
        require_fields(tuple(self.columns))
        columns = {name: _frozen(name, column, len(ids)) for name, column in self.columns.items()}
        object.__setattr__(self, "ids", ids)
        object.__setattr__(self, "columns", MappingProxyType(columns))

    @property
    def rows(self) -> int:
        """How many rows."""
        return len(self.ids)

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the columns, in their order."""
        return tuple(self.columns)

    def column(self, field: str) -> NDArray[np.float64]:
        """One column, read-only. Raises `FieldUnknown`."""
        try:
            return self.columns[field]
        except KeyError:
            raise FieldUnknown(field, self.fields) from None

    def take(self, rows: NDArray[np.int64]) -> Table:
        """The rows at those places, each at most once, in that order. Raises `TableMalformed`."""
        places = np.asarray(rows)
        if places.ndim != 1 or places.dtype.kind not in "iu":
            raise TableMalformed("rows are taken by a one-dimensional array of whole numbers")
        if places.size and not 0 <= int(places.min()) <= int(places.max()) < self.rows:
            raise TableMalformed(f"a place is not within the {self.rows} rows")
        ids = tuple(self.ids[place] for place in places.tolist())
        return Table(ids, {name: column[places] for name, column in self.columns.items()})

    def select(self, fields: Iterable[str]) -> Table:
        """The same rows with those fields only, in that order. Raises `FieldUnknown`."""
        names = tuple(fields)
        require_fields(names)
        return Table(self.ids, {name: self.column(name) for name in names})

    def without(self, *fields: str) -> Table:
        """The same rows without those fields. Raises `FieldUnknown`."""
        for name in fields:
            self.column(name)
        return self.select(name for name in self.fields if name not in fields)

    def matrix(self, fields: Sequence[str] | None = None) -> NDArray[np.float64]:
        """A new array (rows, fields) of those fields (all, where none are named)."""
        names = self.fields if fields is None else tuple(fields)
        out = np.empty((self.rows, len(names)), dtype=np.float64)
        for place, name in enumerate(names):
            out[:, place] = self.column(name)
        return out

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Table):
            return NotImplemented
        return (
            self.ids == other.ids
            and self.fields == other.fields
            and all(
                np.array_equal(column, other.columns[name], equal_nan=True)
                for name, column in self.columns.items()
            )
        )

    __hash__ = None  # type: ignore[assignment]  # the way to say that a thing has no hash

    def __repr__(self) -> str:
        # Never values or ids: what is printed ends up in logs.
        return f"Table({self.rows} rows, fields {', '.join(self.fields)})"

    def __reduce__(self) -> tuple[type[Table], tuple[object, ...]]:
        return Table, (self.ids, dict(self.columns))


def split_label(table: Table, field: str) -> tuple[Table, NDArray[np.uint8]]:
    """The table without its label, and the label as an array of 0 and 1 (1: went bad).

    Raises `FieldUnknown`, and `TableMalformed` where the field has anything but 0 and 1.
    """
    values = table.column(field)
    if not np.isin(values, (0.0, 1.0)).all():
        raise TableMalformed(f"the label {field!r} must be 0 or 1 in each row, and is not")
    label = values.astype(np.uint8)
    label.setflags(write=False)
    return table.without(field), label


def require_ids(ids: tuple[str, ...]) -> None:
    """Raise `TableMalformed` unless the ids are such as a table may have."""
    if len(ids) > ROWS_MAX:
        raise TableMalformed(f"{len(ids)} rows, at most {ROWS_MAX} are allowed")
    if not all(ids):
        raise TableMalformed("an id is empty")
    if max(map(len, ids), default=0) > ID_CHARACTERS_MAX:
        raise TableMalformed(f"an id is longer than {ID_CHARACTERS_MAX} characters")
    if not "".join(ids).isprintable():
        raise TableMalformed("an id has a character that cannot be printed")
    if len(set(ids)) != len(ids):
        repeated = sum(1 for count in Counter(ids).values() if count > 1)
        raise TableMalformed(f"ids must be unique, {repeated} of them occur more than once")


def require_fields(fields: tuple[str, ...]) -> None:
    """Raise `TableMalformed` unless the names are such as a table may have."""
    if len(fields) > FIELDS_MAX:
        raise TableMalformed(f"{len(fields)} fields, at most {FIELDS_MAX} are allowed")
    for name in fields:
        if not 0 < len(name) <= FIELD_CHARACTERS_MAX or not name.isprintable():
            raise TableMalformed(
                f"the field name {name[:80]!r} must be 1 to {FIELD_CHARACTERS_MAX} characters "
                "that can be printed"
            )
        if name != name.strip():
            raise TableMalformed(f"the field name {name!r} begins or ends with a space")
    if len(set(fields)) != len(fields):
        repeated = Counter(fields).most_common(1)[0][0]
        raise TableMalformed(f"the field {repeated!r} occurs more than once")


def _frozen(name: str, column: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
    array = np.asarray(column)
    if array.dtype.kind not in "fiub":
        raise TableMalformed(f"column {name!r} is not of numbers but of {array.dtype}")
    if array.shape != (rows,):
        raise TableMalformed(f"column {name!r} has shape {array.shape}, the table {rows} rows")
    if np.isinf(array).any():
        raise TableMalformed(f"column {name!r} has an infinity")
    if array.dtype != np.float64 or not array.flags.c_contiguous or _can_be_written(array):
        array = np.array(array, dtype=np.float64, order="C")
        if np.isinf(array).any():
            raise TableMalformed(f"column {name!r} has a number beyond 64 bits")
    array.setflags(write=False)
    return array


def _can_be_written(array: NDArray[np.float64]) -> bool:
    """Whether some array that shares its memory may be written to."""
    at: object = array
    while isinstance(at, np.ndarray):
        if at.flags.writeable:
            return True
        at = at.base
    return at is not None
