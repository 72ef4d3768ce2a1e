"""Errors of a party's own rows."""

from __future__ import annotations

from pathlib import Path

from federation.errors import FederationError


class TablesError(FederationError):
    """Base of every error of this room."""


class TableMalformed(TablesError):
    """The ids and columns given do not make a table."""


class TableInvalid(TablesError):
    """A file is not a table: `path`, `line` (from 1; 0: the whole file), `column`, `reason`."""

    def __init__(self, path: Path, line: int, reason: str, *, column: str | None = None) -> None:
        place = path.name if line == 0 else f"{path.name}, line {line}"
        if column is not None:
            place = f"{place}, column {column!r}"
        super().__init__(f"{place}: {reason}")
        self.path = path
        self.line = line
        self.column = column
        self.reason = reason


class FieldUnknown(TablesError):
    """A table has no field of that name."""

    def __init__(self, field: str, known: tuple[str, ...]) -> None:
        shown = ", ".join(known[:8]) + (", …" if len(known) > 8 else "")
        super().__init__(f"no field {field!r}; the table has {shown or 'none'}")
        self.field = field


class DocumentInvalid(TablesError):
    """A schema, a commitment, an opening or a report, as JSON, is not what it should be."""


class OpeningInvalid(TablesError):
    """A shown row does not belong to the commitment it was shown for."""
