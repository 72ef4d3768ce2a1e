"""How much room the parts of a node take, and how much is left where they lie."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from nodes.operations.types import DiskPart

ENTRIES_MAX: Final = 200_000
"""Files and folders counted of one part; tiles of a long log are in LMDB, not in files."""
KEPT_S: Final = 15.0
"""Walking folders is the dearest part of an observation: done at most this often."""
BLOCK_BYTES: Final = 512
"""Unit of st_blocks (stat(2))."""


class DiskGauge:
    """Measures parts of a node on disk. Thread-safe; remembers for a while."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = dict(folders)
        self._lock = threading.Lock()
        self._measured: tuple[DiskPart, ...] = ()
        self._when = float("-inf")

    def parts(self) -> tuple[DiskPart, ...]:
        """Every part, also those that are not there (yet): nothing used then."""
        with self._lock:
            if time.monotonic() - self._when > KEPT_S:
                self._measured = tuple(measure(name, path) for name, path in self._folders.items())
                self._when = time.monotonic()
            else:  # what is left costs nothing to ask, and is what readiness hangs on
                self._measured = tuple(
                    _with_room(part, self._folders[part.name]) for part in self._measured
                )
            return self._measured


def measure(name: str, path: Path) -> DiskPart:
    """One part: a folder with all below it, or a file with those that belong to it (-wal, -shm)."""
    roots = [path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))]
    used, left = 0, ENTRIES_MAX
    for root in roots:
        more, left = _used_bytes(root, left)
        used += more
    free, total = _room(path)
    return DiskPart(name, used, free, total, complete=left > 0)


def _with_room(part: DiskPart, path: Path) -> DiskPart:
    free, total = _room(path)
    return DiskPart(part.name, part.used_bytes, free, total, part.complete)


def _used_bytes(root: Path, left: int) -> tuple[int, int]:
    """Bytes that files occupy at and below a path, and how many more may be counted."""
    used = 0
    waiting = [root]
    seen: set[tuple[int, int]] = set()
    while waiting and left > 0:
        path = waiting.pop()
        left -= 1
        try:
            found = path.lstat()
            if found.st_nlink > 1 and not _is_folder(found.st_mode):
                if (found.st_dev, found.st_ino) in seen:
                    continue
                seen.add((found.st_dev, found.st_ino))
            used += found.st_blocks * BLOCK_BYTES
            if _is_folder(found.st_mode):
                with os.scandir(path) as entries:
                    for entry in entries:
                        if len(waiting) >= left:
                            left = 0
                            break
                        waiting.append(Path(entry.path))
        except OSError:  # gone meanwhile, or not for this user to see
            continue
    return used, left


def _is_folder(mode: int) -> bool:
    return (mode & 0o170000) == 0o040000


def _room(path: Path) -> tuple[int, int]:
    """Bytes free for this process and bytes in all, of the disk on which a path is or would be."""
    for place in (path, *path.parents):
        try:
            disk = os.statvfs(place)
        except OSError:
            continue
        return disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
    return 0, 0
