"""Rows that are written together: as if each had been written at its turn."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    Column,
    Engine,
    Integer,
    MetaData,
    Table,
    bindparam,
    create_engine,
    delete,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import StaticPool

from ledger.projection import flush, open_database, write_later

pytestmark = pytest.mark.feature("N4")

METADATA = MetaData()
NUMBER = Table(
    "number", METADATA, Column("id", Integer, primary_key=True), Column("value", Integer)
)
COPY = Table("copy", METADATA, Column("id", Integer, primary_key=True), Column("value", Integer))
PUT = sqlite.insert(NUMBER)
PUT = PUT.on_conflict_do_update(index_elements=["id"], set_={"value": PUT.excluded.value})
RAISE = update(NUMBER).where(NUMBER.c.id == bindparam("at")).values(value=NUMBER.c.value + 1)
DROP = delete(NUMBER).where(NUMBER.c.id == bindparam("at"))
COPYING = (
    sqlite.insert(COPY)
    .from_select(
        ["id", "value"], select(NUMBER.c.id, NUMBER.c.value).where(NUMBER.c.id == bindparam("at"))
    )
    .on_conflict_do_nothing()
)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = open_database(f"sqlite:///{tmp_path / 'rows.sqlite'}")
    METADATA.create_all(engine)
    return engine


def rows(engine: Engine, table: Table = NUMBER) -> dict[int, int]:
    with engine.begin() as connection:
        return {row.id: row.value for row in connection.execute(select(table))}


def test_rows_are_written_before_the_transaction_commits_and_by_one_statement(
    engine: Engine,
) -> None:
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    with engine.begin() as connection:
        for number in range(50):
            write_later(connection, PUT, {"id": number, "value": number})
        assert not any("INSERT" in text for text in statements)
    assert sum("INSERT" in text for text in statements) == 1
    assert rows(engine) == {number: number for number in range(50)}


def test_who_reads_sees_what_was_flushed(engine: Engine) -> None:
    with engine.begin() as connection:
        write_later(connection, PUT, {"id": 1, "value": 1})
        assert connection.execute(select(NUMBER)).all() == []
        flush(connection, NUMBER)
        assert connection.execute(select(NUMBER.c.value)).scalars().all() == [1]


def test_a_statement_that_reads_a_table_finds_what_waits_for_it(engine: Engine) -> None:
    with engine.begin() as connection:
        write_later(connection, COPYING, {"at": 1}, after=(NUMBER,))
        write_later(connection, PUT, {"id": 1, "value": 7})
    assert rows(engine, COPY) == {1: 7}


def test_a_transaction_that_fails_leaves_nothing_for_the_next(engine: Engine) -> None:
    with engine.connect() as connection:
        failing = connection.begin()
        write_later(connection, PUT, {"id": 1, "value": 1})
        failing.rollback()
        with connection.begin():
            write_later(connection, PUT, {"id": 2, "value": 2})
    assert rows(engine) == {2: 2}


def test_what_the_database_refuses_fails_the_transaction(engine: Engine) -> None:
    twice = insert(NUMBER)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        write_later(connection, twice, {"id": 1, "value": 1}, {"id": 1, "value": 2})
    assert rows(engine) == {}


def test_without_a_transaction_nothing_is_written_later(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(RuntimeError, match="begin one"):
        write_later(connection, PUT, {"id": 1, "value": 1})


STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "raise", "drop", "flush"]), st.integers(0, 3)), max_size=25
)


@settings(max_examples=80)
@given(STEPS)
def test_the_end_is_that_of_one_statement_after_the_other(steps: list[tuple[str, int]]) -> None:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    METADATA.create_all(engine)
    expected: dict[int, int] = {}
    with engine.begin() as connection:
        for place, (step, at) in enumerate(steps):
            if step == "put":
                write_later(connection, PUT, {"id": at, "value": place})
                expected[at] = place
            elif step == "raise":
                write_later(connection, RAISE, {"at": at})
                if at in expected:
                    expected[at] += 1
            elif step == "drop":
                write_later(connection, DROP, {"at": at})
                expected.pop(at, None)
            else:
                flush(connection)
    assert rows(engine) == expected
