"""The database by URL: what is refused, and how transactions behave."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from ledger.projection import (
    DatabaseUrlInvalid,
    open_database,
    read_transaction,
    write_transaction,
)
from tests.ledger.projection.support import counted, counted_rows

pytestmark = pytest.mark.feature("N4")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory"])
def test_a_database_in_memory_is_refused(url: str) -> None:
    with pytest.raises(DatabaseUrlInvalid, match="memory"):
        open_database(url)


@pytest.mark.parametrize("url", ["mysql://host/db", "oracle://host/db"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(DatabaseUrlInvalid, match="not supported"):
        open_database(url)


def test_an_unreadable_url_is_refused_without_repeating_it() -> None:
    with pytest.raises(DatabaseUrlInvalid) as raised:
        open_database("not a url: secret")
    assert "secret" not in str(raised.value)


def test_the_folder_of_a_new_database_is_made(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path}/deep/er/db.sqlite")
    with write_transaction(engine) as connection:
        connection.execute(text("CREATE TABLE t (x INTEGER)"))
    engine.dispose()
    assert (tmp_path / "deep/er/db.sqlite").is_file()


def test_sqlite_is_durable_unless_the_writer_relaxes(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path}/db.sqlite")
    with write_transaction(engine, relaxed=True) as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    with write_transaction(engine) as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    engine.dispose()


def test_a_failed_transaction_leaves_nothing_not_even_tables(engine: Engine) -> None:
    def fail() -> None:
        with write_transaction(engine) as connection:
            connection.execute(text("CREATE TABLE half (x INTEGER)"))
            connection.execute(counted.insert().values(leaf_index=1, block_number=1, data=b""))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with read_transaction(engine) as connection:
        assert counted_rows(connection) == []
    with write_transaction(engine) as connection:
        connection.execute(text("CREATE TABLE half (x INTEGER)"))


def test_a_reader_sees_one_moment_while_writers_go_on(engine: Engine) -> None:
    insert = counted.insert()
    with write_transaction(engine) as writer:
        writer.execute(insert.values(leaf_index=1, block_number=1, data=b"a"))
    with read_transaction(engine) as reader:
        before = counted_rows(reader)
        with write_transaction(engine) as writer:
            writer.execute(insert.values(leaf_index=2, block_number=2, data=b"b"))
        assert counted_rows(reader) == before
    with read_transaction(engine) as reader:
        assert len(counted_rows(reader)) == 2


def test_writers_that_read_first_wait_for_each_other(engine: Engine) -> None:
    """The pattern that plain deferred transactions of SQLite refuse."""
    errors: list[BaseException] = []

    def add_many(start: int) -> None:
        try:
            for number in range(20):
                with write_transaction(engine) as connection:
                    counted_rows(connection)
                    connection.execute(
                        counted.insert().values(leaf_index=start + number, block_number=0, data=b"")
                    )
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=add_many, args=(100 * i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with read_transaction(engine) as connection:
        assert len(counted_rows(connection)) == 80


def test_without_its_driver_postgresql_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(DatabaseUrlInvalid, match="psycopg: install tallystick"):
        open_database("postgresql://tally:hunter2@127.0.0.1/tally")


@pytest.mark.parametrize(
    ("url", "seconds"),
    [
        ("postgresql://a@127.0.0.1:1/b", "10"),
        ("postgresql+psycopg://a@127.0.0.1:1/b?connect_timeout=3", "3"),
    ],
)
def test_a_server_that_does_not_answer_is_not_waited_for_for_minutes(
    url: str, seconds: str
) -> None:
    engine = open_database(url)
    assert engine.url.query["connect_timeout"] == seconds
    engine.dispose()
