"""The one SQL database of a node: SQLite (default) or PostgreSQL, by URL.

Reading: `with read_transaction(engine) as connection`. Writing: `with write_transaction(engine)`.
Plain `engine.begin()` works too, but on SQLite a transaction that reads first and writes later can
then be refused with "database is locked", because another writer came between.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from ledger.projection.errors import DatabaseUrlInvalid

BUSY_TIMEOUT_MS: Final = 15_000
CONNECT_TIMEOUT_S: Final = 10
"""Where the URL does not say. The driver's own is over two minutes, in which nothing is written."""
POOL_SIZE: Final = 8
POOL_OVERFLOW_MAX: Final = 24
SQLITE_POOL_SIZE: Final = 24
"""As many as ask at once under load: a connection is made and thrown away for each beyond, which
takes as long as three queries. Who comes first takes the one that was used last, so that the others
hold no memory as long as they are not needed."""
SQLITE_POOL_OVERFLOW_MAX: Final = 8
CACHE_SIZE_KIB: Final = 16_384
MMAP_SIZE_BYTES_MAX: Final = 256 << 20
WAL_SIZE_BYTES_MAX: Final = 64 << 20
CHECKPOINT_PAGES: Final = 8_192
"""Of 4 kB: the log is folded into the database every 32 MB, so that few commits pay for it."""

_BEGIN: Final = "tally_begin"
"""Execution option: the BEGIN statement that SQLite uses for the transaction."""
_RELAXED: Final = "tally_relaxed"
"""Execution option: on power loss the transaction may be forgotten whole (never torn)."""


def open_database(url: str) -> Engine:
    """Open the database at a SQLAlchemy URL (`sqlite:///path` or `postgresql://…`).

    SQLite gets WAL, a busy timeout, foreign keys and `synchronous=FULL`; the folder is made where
    missing. `postgresql://` means the psycopg 3 driver. Nothing is created yet: see `upgrade`.
    Raises `DatabaseUrlInvalid`.
    """
    parsed = _parse_url(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _open_sqlite(parsed)
    if backend == "postgresql":
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        if "connect_timeout" not in parsed.query:
            parsed = parsed.update_query_dict({"connect_timeout": str(CONNECT_TIMEOUT_S)})
        try:
            return create_engine(
                parsed, pool_size=POOL_SIZE, max_overflow=POOL_OVERFLOW_MAX, pool_pre_ping=True
            )
        except ModuleNotFoundError as missing:
            raise DatabaseUrlInvalid(
                f"PostgreSQL needs the package {missing.name}: install tallystick[postgresql]"
            ) from missing
    raise DatabaseUrlInvalid(
        f"database {backend!r} is not supported: use sqlite:///path or postgresql://host/name"
    )


@contextmanager
def read_transaction(engine: Engine) -> Iterator[Connection]:
    """A read-only look at one moment of the database."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        with connection.begin():
            yield connection


@contextmanager
def write_transaction(engine: Engine, *, relaxed: bool = False) -> Iterator[Connection]:
    """A transaction that will write; commits at the end, rolls back on any exception.

    `relaxed` drops the fsync: after a power loss (not after a crash of the process) the last such
    transactions may be gone, whole. Only for what can be derived again from the chain.
    """
    with engine.connect() as connection:
        options = {_BEGIN: "BEGIN IMMEDIATE", _RELAXED: relaxed}
        connection = connection.execution_options(**options)
        with connection.begin():
            if relaxed and connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
            yield connection


def _parse_url(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as error:
        # The URL may hold a password: it is not repeated.
        raise DatabaseUrlInvalid(
            "the database URL cannot be read: use sqlite:///path or postgresql://host/name"
        ) from error


def _open_sqlite(url: URL) -> Engine:
    if url.database in (None, "", ":memory:") or "memory" in url.query.get("mode", ()):
        raise DatabaseUrlInvalid(
            "an in-memory SQLite database cannot be shared between threads: name a file"
        )
    Path(str(url.database)).absolute().parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        pool_size=SQLITE_POOL_SIZE,
        max_overflow=SQLITE_POOL_OVERFLOW_MAX,
        pool_use_lifo=True,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    # The driver must not begin transactions by itself: _begin_sqlite does, so that DDL is inside.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"cache_size=-{CACHE_SIZE_KIB}",
        f"mmap_size={MMAP_SIZE_BYTES_MAX}",
        f"journal_size_limit={WAL_SIZE_BYTES_MAX}",
        f"wal_autocheckpoint={CHECKPOINT_PAGES}",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    begin = options.get(_BEGIN)
    if begin is None:
        _begin_reading(connection)
        return
    # Pooled connections pass from writer to writer: each says what it wants.
    level = "NORMAL" if options.get(_RELAXED) else "FULL"
    connection.exec_driver_sql(f"PRAGMA synchronous={level}")
    connection.exec_driver_sql(begin)


def _begin_reading(connection: Connection) -> None:
    # By the driver itself: SQLAlchemy's way of a statement costs more than reading a row.
    driver = connection.connection.driver_connection
    try:
        cast("sqlite3.Connection", driver).execute("BEGIN")
    except sqlite3.Error:
        connection.exec_driver_sql("BEGIN")  # the same again, as SQLAlchemy's own error
