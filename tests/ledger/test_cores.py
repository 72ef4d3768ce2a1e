"""Which cores a process' threads run on, and what it starts."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ledger.cores import GIVEN, keep_to, on_every_core

pytestmark = [
    pytest.mark.feature("N3"),
    pytest.mark.skipif(len(GIVEN) < 2, reason="this machine gives one core, or does not say"),
]
ASK = "import os; print(sorted(os.sched_getaffinity(0)))"


def _started() -> str:
    return subprocess.run(
        [sys.executable, "-S", "-c", ASK], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_threads_that_are_there_and_those_to_come_keep_to_the_core() -> None:
    begun, ended = threading.Event(), threading.Event()

    def waits() -> None:
        begun.set()
        ended.wait()

    there = threading.Thread(target=waits)
    there.start()
    begun.wait()
    core = frozenset({min(GIVEN)})
    keep_to(core)
    try:
        found: list[set[int]] = []
        new = threading.Thread(target=lambda: found.append(os.sched_getaffinity(0)))
        new.start()
        new.join()
        assert found == [core]
        of_all = {
            frozenset(os.sched_getaffinity(int(task.name)))
            for task in Path("/proc/self/task").iterdir()
        }
        assert of_all == {core}
    finally:
        ended.set()
        there.join()
        keep_to(GIVEN)
    assert os.sched_getaffinity(0) == GIVEN


def test_a_process_that_is_started_keeps_to_the_core_unless_it_is_to_have_them_all(
    one_core: frozenset[int],
) -> None:
    assert _started() == str(sorted(one_core))
    with on_every_core():
        assert _started() == str(sorted(GIVEN))
    assert os.sched_getaffinity(0) == one_core
    assert _started() == str(sorted(one_core))


def test_a_thread_that_starts_a_process_goes_where_the_others_went_meanwhile(
    one_core: frozenset[int],
) -> None:
    there = GIVEN - one_core
    with on_every_core():
        keep_to(there)
    assert os.sched_getaffinity(0) == there


def test_starting_where_every_core_is_used_changes_nothing() -> None:
    with on_every_core():
        assert os.sched_getaffinity(0) == GIVEN
    assert os.sched_getaffinity(0) == GIVEN
