"""Fixtures of the projection tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.databases import migrated
from tests.ledger.projection.support import database_url, metadata

__all__ = ["database_url", "engine"]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A migrated database with the counting handler's table."""
    engine = migrated(database_url)
    metadata.create_all(engine)
    yield engine
    engine.dispose()
