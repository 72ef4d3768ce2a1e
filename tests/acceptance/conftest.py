"""Acceptance tests speak only HTTP and the command line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.running import RunningNode, start_node


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """One node for all tests that only add to it."""
    base = tmp_path_factory.mktemp("node")
    running = start_node(base / "data", base / "home")
    yield running
    running.stop()
