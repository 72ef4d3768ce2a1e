"""Acceptance tests speak only HTTP and the command line, and hold for either way of ordering."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tests.acceptance import running
from tests.acceptance.running import STARTED, RunningNode, start_node
from tests.conftest import skip_or_fail

DRIVERS = ("solo", "cometbft")


@pytest.fixture(scope="session", autouse=True)
def no_node_outlives_the_tests() -> Iterator[None]:
    """A test that fails half-way leaves its node running: end it here."""
    yield
    for process in STARTED:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Whatever runs a node runs it with each driver; a module may leave the second one to the
    slow tests (`COMETBFT_IS_SLOW`), and a test leaves it out where it shows nothing else
    (`ONE_DRIVER`)."""
    starts = "start_node" in metafunc.function.__code__.co_names
    if "driver" in metafunc.fixturenames and (starts or "node" in metafunc.fixturenames):
        marks = [pytest.mark.slow] if getattr(metafunc.module, "COMETBFT_IS_SLOW", False) else []
        drivers = [DRIVERS[0], pytest.param(DRIVERS[1], marks=marks)]
        if metafunc.function.__name__ in getattr(metafunc.module, "ONE_DRIVER", ()):
            drivers = drivers[:1]
        metafunc.parametrize("driver", drivers, indirect=True, scope="session")


@pytest.fixture(scope="session", autouse=True)
def driver(request: pytest.FixtureRequest) -> str:
    """Which driver the nodes of this test order by; a loud skip where its engine is missing."""
    chosen = str(getattr(request, "param", DRIVERS[0]))
    if chosen == "cometbft":
        from ledger.consensus.cometbft import EngineMissing, EngineVersionWrong, find_engine

        try:
            find_engine()
        except (EngineMissing, EngineVersionWrong) as missing:
            skip_or_fail(str(missing))
    running.consensus = chosen
    return chosen


@pytest.fixture(scope="session")
def node(driver: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """One node for all tests that only add to it."""
    base = tmp_path_factory.mktemp("node")
    started = start_node(base / "data", base / "home")
    assert started.driver == driver
    yield started
    started.stop()
