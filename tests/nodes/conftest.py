"""Nodes in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import nodes.runtime
from tests.databases import upgrade_at_once


@pytest.fixture(scope="session", autouse=True)
def new_databases_are_copies() -> Iterator[None]:
    """A node's first start runs no migration of an empty SQLite file (`tests.databases`)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nodes.runtime, "upgrade", upgrade_at_once)
        yield
