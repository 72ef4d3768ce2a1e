"""Columns and rows of instruments in SQL, alike on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Insert, Numeric, String, Table, bindparam, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeDecorator, TypeEngine

from ledger.projection import write_later

UINT128_DIGITS: Final = 39


class Uint128(TypeDecorator[int]):
    """A quantity or an amount: NUMERIC(39, 0), exactly.

    SQLite's numbers end at 64 bits, so that digits are kept there, padded with zeros: they compare
    and sort as numbers do, but cannot be summed in SQL.
    """

    impl = Numeric(UINT128_DIGITS, 0)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column's type in this database."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(UINT128_DIGITS))
        return dialect.type_descriptor(Numeric(UINT128_DIGITS, 0))

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Any:
        """Into the database. Raises `ValueError` for what is no uint128."""
        if value is None:
            return None
        if not 0 <= value < 1 << 128:
            raise ValueError(f"{value} is not between 0 and 2**128 - 1")
        return f"{value:0{UINT128_DIGITS}d}" if dialect.name == "sqlite" else Decimal(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        """Out of the database."""
        del dialect
        return None if value is None else int(value)


def put(connection: Connection, table: Table, values: Mapping[str, Any]) -> None:
    """Write a row, whether or not there is one of that primary key.

    Columns that are not named stay as they are.
    """
    names = tuple(sorted(values))
    connection.execute(_upsert(table, connection.dialect.name, names), dict(values))


def put_later(
    connection: Connection, table: Table, values: Mapping[str, Any], kept: str = ""
) -> None:
    """As `put`, together with other rows (`ledger.projection.write_later`).

    `kept` is a column that stays as it is where there is a row.
    """
    statement = _upsert(table, connection.dialect.name, tuple(sorted(values)), kept)
    write_later(connection, statement, values)


def insert_later(connection: Connection, table: Table, values: Mapping[str, Any]) -> None:
    """Write a new row together with others; columns that are not named are null."""
    statement, blank = _whole(table)
    write_later(connection, statement, {**blank, **values})


def add_missing(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the rows of whose primary keys there are none yet."""
    if rows:
        statement = _insert(table, connection.dialect.name).on_conflict_do_nothing()
        connection.execute(statement, [dict(row) for row in rows])


@lru_cache(maxsize=256)
def _whole(table: Table) -> tuple[Insert, Mapping[str, None]]:
    return insert(table), {column.name: None for column in table.columns}


@lru_cache(maxsize=256)
def _upsert(table: Table, dialect: str, names: tuple[str, ...], kept: str = "") -> Insert:
    statement = _insert(table, dialect).values({name: bindparam(name) for name in names})
    keys = [column.name for column in table.primary_key.columns]
    rest = {name: statement.excluded[name] for name in names if name not in (*keys, kept)}
    if not rest:
        return statement.on_conflict_do_nothing()
    return statement.on_conflict_do_update(index_elements=keys, set_=rest)


def _insert(table: Table, dialect: str) -> sqlite.Insert | postgresql.Insert:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def hex_of(data: bytes | None) -> str | None:
    """As columns keep hashes, ids and addresses: 0x and lower-case digits."""
    return None if data is None else f"0x{data.hex()}"
