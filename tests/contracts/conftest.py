"""Fixtures of the contracts room."""

from __future__ import annotations

import pytest

from tests.contracts.scene import MemoryChain, founded_chain
from tests.ledger.projection.support import database_url

__all__ = ["chain", "database_url"]


@pytest.fixture
def chain() -> MemoryChain:
    """A chain with the operator and the farm as founders."""
    return founded_chain()
