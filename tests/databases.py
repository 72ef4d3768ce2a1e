"""Databases at this software's schema, without every migration for every test."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, Engine, event, inspect
from sqlalchemy.engine import make_url

from ledger.projection import open_database, upgrade


def migrated(url: str) -> Engine:
    """The empty database at that URL, migrated.

    Every migration runs once in a process for each kind of database: then a SQLite file is a copy,
    and PostgreSQL is told again, at once, what it was told then.
    """
    parsed = make_url(url)
    sqlite = parsed.get_backend_name() == "sqlite"
    if sqlite:
        place_migrated(Path(str(parsed.database)))
    engine = open_database(url)
    if not sqlite and not inspect(engine).get_table_names():
        _tell_again(engine)
    upgrade(engine)
    return engine


def place_migrated(path: Path) -> None:
    """A migrated SQLite database of no rows at that path, unless something is there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_migrated_file())


@cache
def _migrated_file() -> bytes:
    """What the migrations make of a new file; once in a process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "migrated.sqlite"
        engine = open_database(f"sqlite:///{path}")
        upgrade(engine)
        engine.dispose()  # folds the log into the file
        assert list(path.parent.iterdir()) == [path]
        return path.read_bytes()


_told: list[str] = []
"""What the migrations have told PostgreSQL, in order."""


def _tell_again(engine: Engine) -> None:
    if not _told:
        event.listen(engine, "before_cursor_execute", _note)
        upgrade(engine)
        event.remove(engine, "before_cursor_execute", _note)
        return
    with closing(engine.raw_connection()) as connection:
        connection.cursor().execute(";\n".join(_told))
        connection.commit()


def _note(_c: Connection, _k: object, statement: str, parameters: object, *_: object) -> None:
    if not statement.lstrip().upper().startswith(("SELECT", "SHOW")):
        assert not parameters, f"{statement} has parameters, and is not told again as it stands"
        _told.append(statement)


def upgrade_at_once(engine: Engine) -> None:
    """As `upgrade`: where there is nothing yet in a SQLite file, the pages are copied."""
    if engine.dialect.name == "sqlite" and not inspect(engine).get_table_names():
        with closing(sqlite3.connect(":memory:")) as source:
            source.deserialize(_pages())
            with closing(engine.raw_connection()) as connection:
                source.backup(connection.driver_connection)
    upgrade(engine)


@cache
def _pages() -> bytes:
    """The migrated file without its note that there is a log beside it (file format, 1.3)."""
    pages = bytearray(_migrated_file())
    pages[18:20] = b"\1\1"
    return bytes(pages)
