"""Fixtures of the projection tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from ledger.projection import open_database, upgrade
from tests.ledger.projection.support import database_url, metadata

__all__ = ["database_url", "engine"]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A migrated database with the counting handler's table."""
    engine = open_database(database_url)
    upgrade(engine)
    metadata.create_all(engine)
    yield engine
    engine.dispose()
