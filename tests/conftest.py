"""Fixtures that every room's tests share."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from ledger.cores import GIVEN, keep_to

# How fast examples are made and run says how busy the machine is, not whether the code is right.
settings.register_profile("tallystick", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# In CI a run repeats: what it finds is about the change. Everywhere else examples are drawn anew.
settings.register_profile("ci", settings.get_profile("tallystick"), derandomize=True)
settings.load_profile("ci" if os.environ.get("TALLY_REQUIRE_ALL") == "1" else "tallystick")

PROJECT = Path(__file__).resolve().parent.parent
SHARED_DATA = PROJECT.parent / "shared" / "data"


LONGEST = (
    "test_a_thousand_random_changes_under_load_divide_nobody",
    "test_kill_9_of_random_nodes_at_random_moments_loses_nothing",
    "test_a_million_random_calls_break_nothing",
    "test_forge_and_slither_pass",
    "TestSettlementLong",
    "test_kill_9_at_random_moments_loses_nothing_that_was_acknowledged",
    "test_every_acknowledged_event_is_provable_after_kill_9",
    "test_whatever_is_sent_the_answers_are_those_documented",
    "test_ten_thousand_random_programs_end_as_in_py_evms_own_loop",
    "test_a_signer_killed_at_random_never_signs_twice",
    "test_kill_9_ten_times_at_random_moments",
    "test_every_byte_of_the_stream_counts",
    "test_a_second_member_joins_a_promoted_ledger_with_keys_of_its_own",
    "test_a_new_member_joins_checks_what_it_gets_and_follows",
)
"""Slow tests of half a minute and more, the longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest of the slow tests begin first, so that no worker ends long after the others."""

    def rank(item: pytest.Item) -> int:
        if item.get_closest_marker("slow") is None:
            return len(LONGEST)
        found = (n for n, name in enumerate(LONGEST) if f"::{name}" in item.nodeid)
        return next(found, len(LONGEST))

    items.sort(key=rank)


def pytest_collection_finish() -> None:
    """Look for garbage in what tests leave, not in everything that was imported for them.

    The worker of a whole run has millions of objects: to look through all of them took seconds,
    for longer than a call of a contract may take.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def require_all() -> bool:
    """Whether a missing optional part is a failure (CI) instead of a skip (a user's machine)."""
    return os.environ.get("TALLY_REQUIRE_ALL") == "1"


def skip_or_fail(reason: str) -> None:
    """Skip, saying why; fail under TALLY_REQUIRE_ALL=1, where nothing may be missing."""
    if require_all():
        pytest.fail(f"{reason} (and TALLY_REQUIRE_ALL=1 allows no skip)")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def project_root() -> Path:
    return PROJECT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the public test data, which lies beside the project and is never part of it."""
    if not SHARED_DATA.is_dir():
        skip_or_fail(f"public test data not found at {SHARED_DATA.name}/ beside the project")
    return SHARED_DATA


@pytest.fixture
def one_core() -> Iterator[frozenset[int]]:
    """The core that this process keeps to while the test runs, as a serving node does."""
    core = frozenset(sorted(GIVEN)[-1:])
    keep_to(core)
    yield core
    keep_to(GIVEN)


@pytest.fixture(scope="session")
def require() -> Callable[[str], str]:
    """`require("node")` gives the program's path, or skips (fails in CI) where it is missing."""

    def find(program: str) -> str:
        path = shutil.which(program)
        if path is None:
            skip_or_fail(f"the program {program!r} is not installed")
        return str(path)

    return find
