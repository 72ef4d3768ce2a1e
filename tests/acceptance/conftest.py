"""Acceptance tests speak only HTTP and the command line."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tests.acceptance.running import STARTED, RunningNode, start_node


@pytest.fixture(scope="session", autouse=True)
def no_node_outlives_the_tests() -> Iterator[None]:
    """A test that fails half-way leaves its node running: end it here."""
    yield
    for process in STARTED:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """One node for all tests that only add to it."""
    base = tmp_path_factory.mktemp("node")
    running = start_node(base / "data", base / "home")
    yield running
    running.stop()
