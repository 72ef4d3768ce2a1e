"""Sorting more records than the memory takes: sorted runs in files, merged."""

from __future__ import annotations

import heapq
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ledger.closing import Closing

MEMORY_BYTES = 128 << 20
_OVERHEAD_BYTES = 96
"""What a byte string takes beside its bytes, with its place in a list."""
_RUNS_MAX = 128
_BUFFER_BYTES = 256 << 10
_LENGTH = struct.Struct(">I")


class Sorter(Closing):
    """Byte strings in ascending order, equal ones once. Not thread-safe."""

    def __init__(self, directory: Path | None = None, memory_bytes: int = MEMORY_BYTES) -> None:
        """Runs go into `directory`, by default the system's one for temporary files."""
        self._directory = directory
        self._memory_bytes = memory_bytes
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._runs: list[IO[bytes]] = []

    def add(self, item: bytes) -> None:
        """One more."""
        self._held.append(item)
        self._held_bytes += len(item) + _OVERHEAD_BYTES
        if self._held_bytes >= self._memory_bytes:
            self._spill()

    def sorted(self) -> Iterator[bytes]:
        """All of them. Once; nothing may be added after."""
        self._held.sort()
        merged: Iterator[bytes] = iter(self._held)
        if self._runs:
            merged = heapq.merge(*map(_read, self._runs), self._held)
        return _distinct(merged)

    def close(self) -> None:
        """Let go of memory and files."""
        self._held, self._held_bytes = [], 0
        for run in self._runs:
            run.close()
        self._runs = []

    def _spill(self) -> None:
        self._held.sort()
        self._runs.append(self._write(iter(self._held)))
        self._held, self._held_bytes = [], 0
        if len(self._runs) >= _RUNS_MAX:
            runs = self._runs
            self._runs = [self._write(heapq.merge(*map(_read, runs)))]
            for run in runs:
                run.close()

    def _write(self, items: Iterator[bytes]) -> IO[bytes]:
        # Without a name from the start: nothing is left behind, however the process ends.
        run = tempfile.TemporaryFile(dir=self._directory, buffering=_BUFFER_BYTES)  # noqa: SIM115
        for item in items:
            run.write(_LENGTH.pack(len(item)))
            run.write(item)
        run.flush()
        return run


def _read(run: IO[bytes]) -> Iterator[bytes]:
    run.seek(0)
    while head := run.read(_LENGTH.size):
        yield run.read(_LENGTH.unpack(head)[0])


def _distinct(items: Iterator[bytes]) -> Iterator[bytes]:
    first = next(items, None)
    if first is None:
        return
    yield first
    yield from _changes(first, items)


def _changes(last: bytes, items: Iterator[bytes]) -> Iterator[bytes]:
    for item in items:
        if item != last:
            yield item
        last = item
