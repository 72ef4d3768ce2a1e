"""The marker of a join that has not ended, held by the one process that joins."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from nodes.errors import NodeError
from nodes.layout import NodeDirectory


@contextmanager
def holding_marker(directory: NodeDirectory) -> Iterator[bool]:
    """Make the marker `joining`, or take the one that is there, and hold it alone meanwhile.

    Yields whether an earlier join has left it. It stays unless the caller removes it; the operating
    system lets go of it when the process dies. Raises `NodeError` where another join holds it, or
    has come to its end in the meantime.
    """
    path = directory.joining
    earlier = path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NodeError(
                f"another `tally node join` is at work in {directory.root}: let it go on, or end "
                "it first"
            ) from None
        _refuse_finished(directory, descriptor, earlier)
        yield earlier
    finally:
        os.close(descriptor)


def _refuse_finished(directory: NodeDirectory, descriptor: int, earlier: bool) -> None:
    """A join that has ended between our look at the folder and our lock has removed its marker."""
    path = directory.joining
    ours = path.exists() and path.stat().st_ino == os.fstat(descriptor).st_ino
    made_anew = not earlier and directory.chain.exists()
    if ours and not made_anew:
        return
    if ours:
        path.unlink()
    raise NodeError(
        f"another `tally node join` has just ended in {directory.root}: give the command again"
    )
