"""Changing a trust file where others may at the same time: a node, and commands beside it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from traceability.bundle import Trust


def change_trust(path: Path, change: Callable[[Trust], Trust]) -> Trust:
    """Load a trust file, change it and save it, alone meanwhile; what it says then.

    Whoever else changes a trust file of that folder by this function waits. `change` is told what
    stands in the file and must not take long. The lock is on the folder, so that none is left
    behind. Raises `TrustMalformed`, and what `change` raises.
    """
    if not path.is_file():
        return change(Trust.load(path))  # which says what is wrong
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        before = Trust.load(path)
        after = change(before)
        if after != before:
            after.save(path)
        return after
    finally:
        os.close(descriptor)
