"""A database whose disk is full."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from ledger.projection import GroupCommitter

_FULL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END
$$;
CREATE TRIGGER full_disk BEFORE INSERT ON capture_job EXECUTE FUNCTION full_disk();
CREATE TRIGGER full_disk BEFORE INSERT ON capture_batch EXECUTE FUNCTION full_disk();
"""
_ROOM = "DROP FUNCTION full_disk() CASCADE;"


@contextmanager
def full_disk(committer: GroupCommitter, engine: Engine) -> Iterator[None]:
    """SQLite may take no page more; PostgreSQL answers as it does when it cannot extend a file."""
    postgresql = engine.dialect.name == "postgresql"
    full, room = (_FULL, _ROOM) if postgresql else (_pages(1), _pages(100_000_000))
    _run(committer, full)
    yield
    _run(committer, room)


def _pages(limit: int) -> str:
    return f"PRAGMA max_page_count={limit}"


def _run(committer: GroupCommitter, statement: str) -> None:
    committer.submit(lambda c: c.exec_driver_sql(statement)).result(10)
