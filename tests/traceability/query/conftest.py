"""Fixtures of the event queries' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from ledger.projection import open_database, upgrade
from tests.ledger.projection.support import database_url
from tests.traceability.projection.support import World

__all__ = ["database_url", "engine", "world"]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_database(database_url)
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine)
