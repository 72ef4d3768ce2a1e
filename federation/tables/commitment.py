"""A salted commitment to rows: what was trained on can be shown later, row by row, field by field.

A tree of trees (RFC 6962, section 2.1, SHA-256):

- a *cell* is a leaf over the canonical JSON `[name, salt, value]` (RFC 8785): the id's first, as
  `["", salt, id]`, then the fields in the order of their names; a missing value is null, and one
  beyond 2**53 - 1 is text, because JSON readers differ there;
- a *row* is the root over its cells; the *commitment* is the root over the rows' roots, each a
  leaf of its own, rows in the order of their ids (by code point).

A salt is 16 bytes in hexadecimal that only the secret gives: SHAKE256 (FIPS 202) over the secret
and the id, cut in order of the cells. Without it nobody can try ids or values against a hash, and
one cell's salt says nothing of another's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import shake_256
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, TypeAdapter

from federation.documents import STRICT, Hash, decode, encode
from federation.tables.errors import DocumentInvalid, OpeningInvalid, TableMalformed, TablesError
from federation.tables.table import FIELDS_MAX, ROWS_MAX, Table, require_fields
from ledger.canonical import canonical_json
from ledger.tlog import (
    InclusionError,
    inclusion_path,
    leaf_hash,
    root_from_inclusion,
    root_of,
)

SECRET_BYTES_MIN, SECRET_BYTES_MAX = 16, 1_024
SALT_BYTES = 16
_BLOCK_ROWS = 2_048
_PATH_MAX = 32
_SLOW_BELOW = 1e-4
_EXACT_MAX = float(2**53 - 1)
_SECRET_TAG = b"tallystick-commitment/1"


@dataclass(frozen=True, slots=True)
class Commitment:
    """What stands on the ledger for a table."""

    root: Hash
    rows: Annotated[int, Field(ge=0, le=ROWS_MAX)]
    fields: Annotated[tuple[str, ...], Field(max_length=FIELDS_MAX)]
    """In the order of their names."""
    format: Literal["tallystick-commitment/1"] = "tallystick-commitment/1"
    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    def to_json(self) -> bytes:
        """Canonical JSON."""
        return encode(_COMMITMENT, self)

    @staticmethod
    def from_json(data: bytes) -> Commitment:
        """What `to_json` wrote. Raises `DocumentInvalid`."""
        made = decode(_COMMITMENT, data, "commitment", DocumentInvalid)
        try:
            require_fields(made.fields)
        except TableMalformed as error:
            raise DocumentInvalid(f"commitment: {error}") from error
        if list(made.fields) != sorted(made.fields):
            raise DocumentInvalid("commitment: fields stand in the order of their names")
        return made


@dataclass(frozen=True, slots=True)
class Shown:
    """A cell that is shown."""

    place: Annotated[int, Field(ge=0, le=FIELDS_MAX)]
    """0: the id; n: the n-th field."""
    salt: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    value: Annotated[str | float | int | None, Field(union_mode="left_to_right")]
    __pydantic_config__: ClassVar[ConfigDict] = STRICT


@dataclass(frozen=True, slots=True)
class Hidden:
    """A cell of which only the hash is shown."""

    place: Annotated[int, Field(ge=0, le=FIELDS_MAX)]
    hash: Hash
    __pydantic_config__: ClassVar[ConfigDict] = STRICT


@dataclass(frozen=True, slots=True)
class Opening:
    """One row of a commitment: some cells shown, the others as hashes, and its place.

    The place is that of the id among all ids in order, and so says roughly what the id begins
    with, even where it is not shown.
    """

    index: Annotated[int, Field(ge=0, lt=ROWS_MAX)]
    path: Annotated[tuple[Hash, ...], Field(max_length=_PATH_MAX)]
    shown: Annotated[tuple[Shown, ...], Field(max_length=FIELDS_MAX + 1)]
    hidden: Annotated[tuple[Hidden, ...], Field(max_length=FIELDS_MAX + 1)]
    format: Literal["tallystick-opening/1"] = "tallystick-opening/1"
    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    def to_json(self) -> bytes:
        """Canonical JSON."""
        return encode(_OPENING, self)

    @staticmethod
    def from_json(data: bytes) -> Opening:
        """What `to_json` wrote. Raises `DocumentInvalid`."""
        return decode(_OPENING, data, "opening", DocumentInvalid)


_COMMITMENT = TypeAdapter(Commitment)
_OPENING = TypeAdapter(Opening)


def commit(table: Table, salt: bytes) -> Commitment:
    """The commitment to a table; `salt` is the secret that every row's salts come from.

    Whoever has it can try values against hashes: it stays with the owner, who needs it (and the
    rows) to show anything later. Raises `TablesError` for a secret that is too short or too long.
    """
    return CommittedTable(table, salt).commitment


class CommittedTable:
    """A table with the hashes of its rows, to show some of them."""

    def __init__(self, table: Table, salt: bytes) -> None:
        if not SECRET_BYTES_MIN <= len(salt) <= SECRET_BYTES_MAX:
            raise TablesError(
                f"the secret has {len(salt)} bytes; {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} "
                "random ones are needed"
            )
        self._table = table
        self._secret = salt
        self._fields = tuple(sorted(table.fields))
        self._order = sorted(range(table.rows), key=table.ids.__getitem__)
        self._rows = [leaf_hash(root_of(cells)) for cells in self._cells(self._order)]
        self.commitment = Commitment(root_of(self._rows), table.rows, self._fields)

    def open(self, row_id: str, fields: Iterable[str] | None = None) -> Opening:
        """A row with those fields shown (all and the id, where none are named; the id is shown
        only then). Raises `TablesError` for an unknown id, `FieldUnknown` for an unknown field."""
        try:
            row = self._table.ids.index(row_id)
        except ValueError:
            raise TablesError("no row of the table has that id") from None
        index = self._order.index(row)
        places = list(range(len(self._fields) + 1))
        if fields is not None:
            asked = set(self._table.select(fields).fields)
            places = [n for n, name in enumerate(self._fields, start=1) if name in asked]
        hashes = next(self._cells([row]))
        salts = self._salts(row_id)
        values = (row_id, *(_plain(float(self._table.column(f)[row])) for f in self._fields))
        return Opening(
            index=index,
            path=inclusion_path(self._rows, index),
            shown=tuple(Shown(n, salts[n], values[n]) for n in places),
            hidden=tuple(Hidden(n, h) for n, h in enumerate(hashes) if n not in places),
        )

    def _salts(self, row_id: str) -> list[str]:
        size = SALT_BYTES * (len(self._fields) + 1)
        # Each part has its length in front, so that no two (secret, id) run into the same bytes.
        secret = len(self._secret).to_bytes(4, "big") + self._secret
        salts = shake_256(_SECRET_TAG + secret + row_id.encode()).hexdigest(size)
        return [salts[at : at + 2 * SALT_BYTES] for at in range(0, 2 * size, 2 * SALT_BYTES)]

    def _cells(self, rows: list[int]) -> Iterator[list[bytes]]:
        """The hashes of the cells of those rows, one row after the other."""
        starts = [b"[" + canonical_json(name) + b',"' for name in ("", *self._fields)]
        for begin in range(0, len(rows), _BLOCK_ROWS):
            block = rows[begin : begin + _BLOCK_ROWS]
            ids = [self._table.ids[row] for row in block]
            columns = [_texts(self._table.column(name)[block]) for name in self._fields]
            for place, row_id in enumerate(ids):
                values = (canonical_json(row_id), *(texts[place] for texts in columns))
                yield [
                    leaf_hash(b'%b%b",%b]' % (start, salt.encode(), value))
                    for start, salt, value in zip(starts, self._salts(row_id), values, strict=True)
                ]


def check_opening(commitment: Commitment, opening: Opening) -> dict[str, str | float | None]:
    """What an opening shows, by field name (the id as ``""``), if it belongs to the commitment.

    Raises `OpeningInvalid`.
    """
    cells: dict[int, bytes] = {}
    values: dict[str, str | float | None] = {}
    names = ("", *commitment.fields)
    places = [*(cell.place for cell in opening.shown), *(cell.place for cell in opening.hidden)]
    if sorted(places) != list(range(len(names))):
        raise OpeningInvalid(f"each of the {len(names)} cells of a row must stand there once")
    for hidden in opening.hidden:
        cells[hidden.place] = hidden.hash
    for cell in opening.shown:
        name = names[cell.place]
        cells[cell.place] = leaf_hash(canonical_json([name, cell.salt, cell.value]))
        values[name] = _id(cell.value) if cell.place == 0 else _number(cell.value)
    row = leaf_hash(root_of([cells[place] for place in range(len(names))]))
    try:
        root = root_from_inclusion(row, opening.index, commitment.rows, opening.path)
    except InclusionError as error:
        raise OpeningInvalid(str(error)) from error
    if root != commitment.root:
        raise OpeningInvalid("the row does not lead to the committed root")
    return values


def _texts(values: NDArray[np.float64]) -> list[bytes]:
    """The canonical JSON of each value."""
    plain = [_plain(value) for value in values.tolist()]
    # The few near zero, which JCS writes with an exponent, would send all of them the slow way.
    near = [n for n, v in enumerate(plain) if type(v) is float and 0.0 < abs(v) < _SLOW_BELOW]
    slow = {n: canonical_json(plain[n]) for n in near}
    for place in near:
        plain[place] = None
    texts = canonical_json(plain)[1:-1].split(b",") if plain else []
    for place, text in slow.items():
        texts[place] = text
    return texts


def _plain(value: float) -> str | float | None:
    """The value as it stands in a cell."""
    if value != value:
        return None
    return repr(value) if abs(value) > _EXACT_MAX else value


def _id(value: str | float | None) -> str:
    if not isinstance(value, str):
        raise OpeningInvalid("an id is text")
    return value


def _number(value: str | float | None) -> float | None:
    if not isinstance(value, str):
        return None if value is None else float(value)
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    # One value has one form: "1.5" for 1.5 would be a second one.
    if not _EXACT_MAX < abs(number) < math.inf or repr(number) != value:
        raise OpeningInvalid("a cell is a number, missing, or a number beyond 2**53 - 1 as text")
    return number
