"""Migrations: one history of all rooms, all or nothing, and equal to the declared tables."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from ledger.projection import (
    SchemaError,
    current_revisions,
    migration_folders,
    open_database,
    schema,
    upgrade,
    write_transaction,
)
from ledger.projection.tables import metadata

pytestmark = pytest.mark.feature("N4")

BROKEN = """
from alembic import op
import sqlalchemy as sa

revision = "broken_0001"
down_revision = None
branch_labels = ("broken",)
depends_on = "projection_0001"


def upgrade():
    op.create_table("half", sa.Column("x", sa.Integer))
    op.execute("THIS IS NOT SQL")
"""
ADDED = """
from alembic import op
import sqlalchemy as sa

revision = "added_0001"
down_revision = None
branch_labels = ("added",)
depends_on = "projection_0001"


def upgrade():
    op.create_table("added", sa.Column("x", sa.Integer))
"""


def test_rooms_are_found_by_their_folders() -> None:
    names = [folder.parent.name for folder in migration_folders()]
    assert names[0] == "projection"
    assert len(set(migration_folders())) == len(names)


def test_upgrade_makes_the_declared_table_and_can_be_repeated(database_url: str) -> None:
    engine = open_database(database_url)
    upgrade(engine)
    revisions = current_revisions(engine)
    upgrade(engine)
    assert current_revisions(engine) == revisions
    assert "projection_0001" in revisions
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_name": lambda name, kind, _: kind != "table" or name in metadata.tables},
        )
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_two_processes_may_upgrade_at_once(database_url: str) -> None:
    errors: list[BaseException] = []

    def run() -> None:
        engine = open_database(database_url)
        try:
            upgrade(engine)
        except BaseException as error:
            errors.append(error)
        finally:
            engine.dispose()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def with_folder(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, source: str) -> None:
    folder.mkdir()
    (folder / name).write_text(source)
    folders = (*migration_folders(), folder)
    monkeypatch.setattr(schema, "migration_folders", lambda: folders)


def test_a_failing_migration_leaves_the_database_as_it_was(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_database(database_url)
    upgrade(engine)
    before = current_revisions(engine), sorted(inspect(engine).get_table_names())
    with_folder(monkeypatch, tmp_path / "migrations", "broken_0001.py", BROKEN)
    with pytest.raises(SchemaError, match=r"nothing was changed.*THIS"):
        upgrade(engine)
    assert (current_revisions(engine), sorted(inspect(engine).get_table_names())) == before
    engine.dispose()


def test_a_room_added_later_is_brought_in(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_database(database_url)
    upgrade(engine)
    with_folder(monkeypatch, tmp_path / "migrations", "added_0001.py", ADDED)
    upgrade(engine)
    assert "added_0001" in current_revisions(engine)
    assert "added" in inspect(engine).get_table_names()
    engine.dispose()


def test_a_database_of_newer_software_is_refused(database_url: str) -> None:
    engine = open_database(database_url)
    upgrade(engine)
    with write_transaction(engine) as connection:
        connection.execute(text("INSERT INTO alembic_version VALUES ('future_0009')"))
    with pytest.raises(SchemaError, match="newer software"):
        upgrade(engine)
    engine.dispose()
