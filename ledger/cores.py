"""Which of the machine's cores the threads of this process run on.

Python's threads take turns at one interpreter. Where they are spread over several cores, each turn
wakes another core, which costs more than those cores bring: a busy node does more on one. What it
starts as processes of their own (the consensus engine, who prepares documents, who makes snapshots)
has interpreters of its own, or none, and takes every core (`on_every_core`).

Only on Linux; elsewhere nothing of this does anything.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_THREADS: Final = Path("/proc/self/task")


def _given() -> frozenset[int]:
    return frozenset(os.sched_getaffinity(0)) if sys.platform == "linux" else frozenset()


GIVEN: Final = _given()
"""The cores that this process may run on, as it was started; none where that is not known."""

_kept: frozenset[int] = GIVEN


def keep_to(cores: frozenset[int]) -> None:
    """Have all threads of this process, and those to come, run on these of `GIVEN`."""
    global _kept
    if sys.platform != "linux":
        return
    _kept = cores
    # A thread inherits from the one that starts it. Twice, for those begun during the first time.
    for _ in range(2):
        for thread in _THREADS.iterdir():
            with suppress(OSError):  # it has ended, or the system's operator forbids it
                os.sched_setaffinity(int(thread.name), cores)


@contextmanager
def on_every_core() -> Iterator[None]:
    """A process that this thread starts meanwhile runs on whatever cores this one was given."""
    if sys.platform != "linux" or _kept == GIVEN:
        yield
        return
    with suppress(OSError):
        os.sched_setaffinity(0, GIVEN)
    try:
        yield
    finally:
        with suppress(OSError):
            os.sched_setaffinity(0, _kept)
