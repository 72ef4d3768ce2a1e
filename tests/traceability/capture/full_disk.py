"""A database whose disk is full."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.traceability.capture.stack import Stack

_FULL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END
$$;
CREATE TRIGGER full_disk BEFORE INSERT ON capture_job EXECUTE FUNCTION full_disk();
"""
_ROOM = "DROP TRIGGER full_disk ON capture_job; DROP FUNCTION full_disk();"


@contextmanager
def full_disk(stack: Stack) -> Iterator[None]:
    """SQLite may take no page more; PostgreSQL answers as it does when it cannot extend a file."""
    postgresql = stack.engine.dialect.name == "postgresql"
    full, room = (_FULL, _ROOM) if postgresql else (_pages(1), _pages(100_000_000))
    _run(stack, full)
    yield
    _run(stack, room)


def _pages(limit: int) -> str:
    return f"PRAGMA max_page_count={limit}"


def _run(stack: Stack, statement: str) -> None:
    stack.capture._committer.submit(lambda c: c.exec_driver_sql(statement)).result(10)
