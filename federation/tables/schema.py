"""What a party's fields are, as the other parties may know it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, TypeAdapter

from federation.documents import STRICT, decode, encode
from federation.tables.disclosure import COUNT_BOUND, told_range
from federation.tables.errors import DocumentInvalid, FieldUnknown, TableMalformed
from federation.tables.table import FIELD_CHARACTERS_MAX, FIELDS_MAX, Table, require_fields

CODES_MAX = 200


class FieldKind(StrEnum):
    """How the numbers of a field are to be understood."""

    NUMBER = "number"
    WHOLE = "whole"
    FLAG = "flag"
    """0 or 1."""
    CATEGORY = "category"
    """A code: whole numbers that only name something."""


@dataclass(frozen=True, slots=True)
class FieldSchema:
    """One field."""

    name: Annotated[str, Field(min_length=1, max_length=FIELD_CHARACTERS_MAX)]
    kind: FieldKind
    unit: Annotated[str, Field(max_length=32)]
    """Such as `CNY`, `kWh`, `days`; empty where it has none."""
    meaning: Annotated[str, Field(max_length=500)]
    low: float | None
    high: float | None
    """About where values lie (see `disclosure`); None where that cannot be told."""
    codes: Annotated[tuple[int, ...], Field(max_length=CODES_MAX)] = ()
    """Of a category: those that enough rows have, ascending. There may be others."""
    __pydantic_config__: ClassVar[ConfigDict] = STRICT


@dataclass(frozen=True, slots=True)
class Schema:
    """The fields of a table, in the order of their names, so that the order of columns in a file
    does not matter."""

    fields: Annotated[tuple[FieldSchema, ...], Field(max_length=FIELDS_MAX)]
    format: Literal["tallystick-schema/1"] = "tallystick-schema/1"
    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the fields."""
        return tuple(field.name for field in self.fields)

    def field(self, name: str) -> FieldSchema:
        """The field of that name. Raises `FieldUnknown`."""
        for field in self.fields:
            if field.name == name:
                return field
        raise FieldUnknown(name, self.names)

    def require(self, table: Table) -> None:
        """Raise `FieldUnknown` or `TableMalformed` unless a table has these fields, each with
        values of its kind (further fields do not matter): what a model was trained on is what it
        scores. Ranges are not held against, which is drift's matter."""
        for field in self.fields:
            values = table.column(field.name)
            if not _is_of(field.kind, values[~np.isnan(values)]):
                raise TableMalformed(
                    f"the field {field.name!r} has values that are no {field.kind}"
                )

    def to_json(self) -> bytes:
        """Canonical JSON."""
        return encode(_ADAPTER, self)

    @staticmethod
    def from_json(data: bytes) -> Schema:
        """What `to_json` wrote. Raises `DocumentInvalid`."""
        schema = decode(_ADAPTER, data, "schema", DocumentInvalid)
        try:
            require_fields(schema.names)
        except TableMalformed as error:
            raise DocumentInvalid(f"schema: {error}") from error
        if list(schema.names) != sorted(schema.names):
            raise DocumentInvalid("schema: fields stand in the order of their names")
        return schema


_ADAPTER = TypeAdapter(Schema)


def schema_of(
    table: Table,
    *,
    kinds: Mapping[str, FieldKind] | None = None,
    units: Mapping[str, str] | None = None,
    meanings: Mapping[str, str] | None = None,
) -> Schema:
    """The schema of a table. Kinds that are not named are seen from the values: a flag where all
    are 0 or 1, whole where all are whole, else a number; a category is never guessed.

    Raises `FieldUnknown` for names that the table has not, `TableMalformed` where a kind does not
    fit the values, `DocumentInvalid` for texts that are too long.
    """
    kinds, units, meanings = kinds or {}, units or {}, meanings or {}
    for name in (*kinds, *units, *meanings):
        table.column(name)
    fields = tuple(
        _field(
            name, table.column(name), kinds.get(name), units.get(name, ""), meanings.get(name, "")
        )
        for name in sorted(table.fields)
    )
    return Schema.from_json(Schema(fields).to_json())


def _field(
    name: str, values: NDArray[np.float64], kind: FieldKind | None, unit: str, meaning: str
) -> FieldSchema:
    present = values[~np.isnan(values)]
    kind = _kind(present) if kind is None else kind
    if not _is_of(kind, present):
        raise TableMalformed(_unfit(name, kind))
    if kind is FieldKind.FLAG:
        return FieldSchema(name, kind, unit, meaning, 0.0, 1.0)
    if kind is FieldKind.CATEGORY:
        codes, counts = np.unique(present, return_counts=True)
        told = codes[counts >= COUNT_BOUND][:CODES_MAX]
        return FieldSchema(name, kind, unit, meaning, None, None, tuple(int(code) for code in told))
    low, high = told_range(present) or (None, None)
    return FieldSchema(name, kind, unit, meaning, low, high)


def _unfit(name: str, kind: FieldKind) -> str:
    return f"the field {name!r} has values that are no {kind.value}"


def _kind(present: NDArray[np.float64]) -> FieldKind:
    for kind in (FieldKind.FLAG, FieldKind.WHOLE):
        # With few rows the kind itself would say too much of them.
        if present.size >= COUNT_BOUND and _is_of(kind, present):
            return kind
    return FieldKind.NUMBER


def _is_of(kind: FieldKind, present: NDArray[np.float64]) -> bool:
    if kind is FieldKind.NUMBER:
        return True
    if kind is FieldKind.FLAG:
        return bool(np.isin(present, (0.0, 1.0)).all())
    if kind is FieldKind.CATEGORY and np.abs(present).max(initial=0.0) > 2**53 - 1:
        return False
    return bool((present == np.rint(present)).all())
