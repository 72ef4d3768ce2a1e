"""Making snapshots beside a running node: a process of its own, at low priority."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from ledger.cores import on_every_core
from ledger.snapshot.errors import SnapshotError, SnapshotFailed
from ledger.snapshot.shelf import KEPT_DEFAULT, SnapshotStore
from ledger.snapshot.types import Progress, SnapshotInfo

_STOP_S = 10.0
_log = logging.getLogger(__name__)


class SnapshotMaker:
    """One snapshot at a time, and only the newest few are kept. Thread-safe."""

    def __init__(
        self, chain: Path | str, shelf: SnapshotStore, *, keep: int = KEPT_DEFAULT
    ) -> None:
        if keep < 1:
            raise ValueError("at least one snapshot must be kept")
        self._chain = Path(chain).absolute()
        self._shelf = shelf
        self._keep = keep
        self._busy = threading.Lock()
        self._child: subprocess.Popen[str] | None = None
        self._closed = False

    def make(
        self, progress: Progress = lambda _done, _all: None, *, height: int | None = None
    ) -> SnapshotInfo:
        """Make one and return it: of the chain as it is now, or as soon as it comes to `height`.

        Waits for its end. Raises `SnapshotFailed` with what the process said, or where one is
        being made already.
        """
        if not self._busy.acquire(blocking=False):
            raise SnapshotFailed("a snapshot is being made already")
        try:
            return self._run(progress, height)
        finally:
            self._busy.release()

    def close(self) -> None:
        """End the process that makes one, if there is one; nothing of it is left."""
        self._closed = True
        child = self._child
        if child is not None:
            child.terminate()
        if self._busy.acquire(timeout=_STOP_S):
            self._busy.release()

    def _run(self, progress: Progress, height: int | None) -> SnapshotInfo:
        command = [sys.executable, "-m", "ledger.snapshot", str(self._chain)]
        command += [str(self._shelf.directory.absolute()), "--parent", str(os.getpid())]
        if height is not None:
            command += ["--height", str(height)]
        with on_every_core():
            child = subprocess.Popen(  # noqa: S603 - our own module, paths as arguments
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        with child:
            self._child = child
            try:
                if self._closed:
                    child.terminate()
                said = _follow(child, progress)
                status = child.wait()
            finally:
                self._child = None
                child.kill()
        self._shelf.prune(self._keep)
        if status or "height" not in said:
            raise SnapshotFailed(str(said.get("error") or f"the process ended with {status}"))
        for info in self._shelf.list():
            if info.height == said["height"]:
                return info
        raise SnapshotFailed("the snapshot is not where it should be")


def _follow(child: subprocess.Popen[str], progress: Progress) -> dict[str, object]:
    """Pass on how far it is; what it said last. What it has to complain of goes to the log."""
    assert child.stdout is not None
    assert child.stderr is not None
    complaints = threading.Thread(target=_complain, args=(child.stderr,), daemon=True)
    complaints.start()
    last: dict[str, object] = {}
    for line in child.stdout:
        try:
            said = json.loads(line)
        except ValueError:
            continue
        match said:
            case {"done": int(done), "total": int(total)}:
                progress(done, total)
            case dict():
                last = said
    complaints.join()
    return last


def _complain(lines: Iterable[str]) -> None:
    for line in lines:
        _log.warning("snapshot: %s", line.rstrip()[:500])


class SnapshotSchedule:
    """A snapshot at each multiple of so many heights, so that all nodes make the same ones."""

    def __init__(
        self, maker: SnapshotMaker, interval: int, *, soon: Callable[[], bool] = lambda: False
    ) -> None:
        """`interval` in heights, at least 1. `soon`: whether one is needed as soon as can be."""
        if interval < 1:
            raise ValueError("snapshots need an interval of at least 1 height")
        self._maker = maker
        self._interval = interval
        self._soon = soon
        self._lead = max(2, min(50, interval // 4))
        self._lock = threading.Lock()
        self._last = 0
        self._thread: threading.Thread | None = None

    def reached(self, height: int) -> None:
        """The chain has come so far. Returns at once; the process starts a little in advance."""
        due = -(-(height + 1) // self._interval) * self._interval
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return
            if self._soon():
                self._begin(None)
            elif due != self._last and due - height <= self._lead:
                self._last = due
                self._begin(due)

    def _begin(self, height: int | None) -> None:
        self._thread = threading.Thread(
            target=self._make, args=(height,), name="snapshot-schedule", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """End what is being made."""
        self._maker.close()
        thread = self._thread
        if thread is not None:
            thread.join(_STOP_S)

    def _make(self, height: int | None) -> None:
        try:
            info = self._maker.make(height=height)
        except (SnapshotError, OSError) as error:
            which = "the present" if height is None else f"height {height}"
            _log.warning("no snapshot of %s: %s", which, error)
        else:
            _log.info("snapshot of height %d made, %d chunks", info.height, info.chunks)
