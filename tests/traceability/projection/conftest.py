"""Fixtures of the event projection's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.databases import migrated
from tests.ledger.projection.support import database_url
from tests.traceability.projection.support import World

__all__ = ["database_url", "engine", "world"]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = migrated(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine)
