"""Rows that a handler writes: those of one statement go to the database together.

A statement costs far more than a row. Within one transaction `write_later` collects rows by table;
they are written in their order before the transaction commits, at `flush` (which whoever reads his
tables calls before), and when another statement for the same table comes. What is read and written
is thus what it would be one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Table, event
from sqlalchemy.sql.dml import UpdateBase

ROWS_MAX: Final = 5_000
"""Of one table; then they are written."""


class _Writes:
    """What one transaction has still to write."""

    def __init__(self, transaction: object) -> None:
        self.transaction = transaction
        self._waiting: dict[Table, tuple[UpdateBase, list[Mapping[str, Any]]]] = {}
        self._after: dict[Table, tuple[Table, ...]] = {}

    def add(
        self,
        connection: Connection,
        statement: UpdateBase,
        rows: Sequence[Mapping[str, Any]],
        after: tuple[Table, ...],
    ) -> None:
        table = cast("Table", statement.table)
        waiting = self._waiting.get(table)
        if waiting is not None and (waiting[0] is not statement or len(waiting[1]) >= ROWS_MAX):
            self.flush(connection, table)
            waiting = None
        if waiting is None:
            self._waiting[table] = (statement, list(rows))
            self._after[table] = after
        else:
            waiting[1].extend(rows)

    def flush(self, connection: Connection, *tables: Table) -> None:
        """Write rows of these tables (none named: of all), before them what they refer to."""
        for table in tables or tuple(self._waiting):
            waiting = self._waiting.pop(table, None)
            if waiting is not None:
                for other in self._after.pop(table):
                    self.flush(connection, other)
                statement, rows = waiting
                connection.execute(statement, rows)


_open: Final[WeakKeyDictionary[Connection, _Writes]] = WeakKeyDictionary()


def write_later(
    connection: Connection,
    statement: UpdateBase,
    *rows: Mapping[str, Any],
    after: tuple[Table, ...] = (),
) -> None:
    """Run an INSERT, UPDATE or DELETE with these parameters before the transaction commits.

    The statement is to be the same object each time, made once, and all its rows have the same
    keys. `after` are tables that it reads. Raises what the database raises, for earlier rows.
    """
    if rows:
        _writes(connection).add(connection, statement, rows, after)


@event.listens_for(Engine, "commit")
def flush(connection: Connection, *tables: Table) -> None:
    """Write what waits for these tables, or for all. Raises what the database raises."""
    found = _open.get(connection)
    if found is not None and found.transaction is connection.get_transaction():
        found.flush(connection, *tables)


def _writes(connection: Connection) -> _Writes:
    transaction = connection.get_transaction()
    if transaction is None:
        raise RuntimeError("rows are written within a transaction: begin one")
    found = _open.get(connection)
    if found is None or found.transaction is not transaction:
        found = _open[connection] = _Writes(transaction)
    return found
