"""Who sees which records over HTTP (docs/finance.md, "Who sees what").

An organisation sees the records that it is or was a party to; regulators and arbitrators see all.
The rule is a condition of the SQL query itself, so that what is not seen is in no list, no count
and no page. Each kind of record has a table of its parties, filled by its projection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    CursorResult,
    Index,
    Insert,
    MetaData,
    Select,
    String,
    Table,
    bindparam,
    exists,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite

from contracts.consortium import Role
from contracts.instruments.columns import add_missing
from ledger.projection import write_later

SEE_ALL: Final = frozenset({Role.REGULATOR, Role.ARBITRATOR})
_VIEWER: Final = "viewer"
"""The parameter of a statement that is the viewer's organisation."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks. Make it by `Viewer.of`, `Viewer.everything` or `Viewer.nobody`."""

    organisation: str | None
    sees_all: bool = False
    later: bool = False
    """Which organisation is said when the statement runs (`PreparedQuery`)."""

    @classmethod
    def of(cls, organisation: str, role: Role | None = None) -> Viewer:
        """The organisation; with the role of a regulator or arbitrator it sees all."""
        return cls(organisation, role in SEE_ALL)

    @classmethod
    def everything(cls) -> Viewer:
        """For the node itself."""
        return cls(None, sees_all=True)

    @classmethod
    def nobody(cls) -> Viewer:
        """Whoever has shown no key."""
        return cls(None)

    @property
    def named(self) -> ColumnElement[str] | str | None:
        """The organisation, for conditions of a query."""
        return bindparam(_VIEWER, type_=String()) if self.later else self.organisation

    def may_see(self, parties: Table, record: ColumnElement[Any]) -> ColumnElement[bool]:
        """Condition of a query: `record` (a column of ids) is one that he may see."""
        if self.sees_all:
            return true()
        here = (parties.c.id == record) & (parties.c.organisation == self.named)
        return exists(select(1).select_from(parties).where(here))


class PreparedQuery:
    """A query that is asked often: made once for all who see all, and once for everybody else.

    Making a statement costs more than running it. `make` is given a viewer of that kind, for
    `Viewer.may_see` and `Viewer.named`; everything else that differs is a `bindparam`.
    """

    def __init__(self, make: Callable[[Viewer], Select[Any]]) -> None:
        self._make = make
        self._made: dict[bool, Select[Any]] = {}

    def run(self, connection: Connection, viewer: Viewer, **values: object) -> CursorResult[Any]:
        """Its rows for that viewer; `values` by the names of its parameters."""
        statement = self._made.get(viewer.sees_all)
        if statement is None:
            statement = self._make(Viewer(None, viewer.sees_all, later=True))
            self._made[viewer.sees_all] = statement
        return connection.execute(statement, {**values, _VIEWER: viewer.organisation})


def party_table(kind: str, metadata: MetaData) -> Table:
    """The table `<kind>_party` of who is or was a party to a record.

    `position` is the record's own (that of the leaf which made it), so that an organisation's
    records are found in their order.
    """
    name = f"{kind}_party"
    return Table(
        name,
        metadata,
        Column("id", String(66), primary_key=True),
        Column("organisation", String(32), primary_key=True),
        Column("position", BigInteger, nullable=False),
        Index(f"ix_{name}_organisation", "organisation", "position"),
    )


def note_parties(
    connection: Connection,
    parties: Table,
    record: str,
    position: int,
    organisations: Iterable[str | None],
) -> None:
    """Keep that these are parties to a record (None: nobody); who was one stays one."""
    known = sorted({one for one in organisations if one is not None})
    rows = [{"id": record, "organisation": one, "position": position} for one in known]
    add_missing(connection, parties, rows)


def note_parties_later(
    connection: Connection,
    parties: Table,
    records: Table,
    record: str,
    organisations: Iterable[str | None],
    about: str | None = None,
) -> None:
    """As `note_parties`, together with other rows; of no record, where `records` has none.

    `records` has the position of the record by its primary key. `about`: another id that they are
    parties to (of the lot that a receipt is for).
    """
    statement = _noting(parties, records, connection.dialect.name)
    rows = [
        {"about": about or record, "who": one, "record": record}
        for one in sorted({one for one in organisations if one is not None})
    ]
    write_later(connection, statement, *rows, after=(records,))


@lru_cache(maxsize=64)
def _noting(parties: Table, records: Table, dialect: str) -> Insert:
    (key,) = records.primary_key.columns
    row = select(
        bindparam("about", type_=String()), bindparam("who", type_=String()), records.c.position
    ).where(key == bindparam("record"))
    statement = postgresql.insert(parties) if dialect == "postgresql" else sqlite.insert(parties)
    return statement.from_select(["id", "organisation", "position"], row).on_conflict_do_nothing()
