"""Whether a node that fills itself from others comes any further."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from nodes.network.errors import JoinStalled

STALL_S: Final = 300.0
SNAPSHOT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How long nothing may come."""

    stall_s: float = STALL_S
    """Of what has begun. The last chunk of a large snapshot takes its time."""
    snapshot_s: float = SNAPSHOT_S
    """Of a snapshot, before all blocks are executed instead."""


@dataclass(frozen=True, slots=True, order=True)
class Progress:
    """How far it is. Further is greater."""

    log_size: int
    height: int
    """Of the engine, made durable here."""
    chunks: int
    """Of the snapshot at hand."""
    chunks_whole: int

    @property
    def begun(self) -> bool:
        """Whether anything came at all."""
        return bool(self.log_size or self.height or self.chunks_whole)


class Watch:
    """Told of progress again and again; ends it when there is none.

    Only what goes further than ever counts: snapshots that are begun and refused in turn do not.
    """

    def __init__(
        self,
        pace: Pace,
        *,
        waits_for_snapshot: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pace = pace
        self._waits_for_snapshot = waits_for_snapshot
        self._clock = clock
        self._furthest = Progress(0, 0, 0, 0)
        self._since = clock()

    def saw(self, progress: Progress, trouble: Callable[[], str]) -> None:
        """Raises `JoinStalled` with `trouble` where nothing has come for too long."""
        now = self._clock()
        if progress > self._furthest:
            self._furthest, self._since = progress, now
            return
        waited_s = now - self._since
        first = self._waits_for_snapshot and not progress.begun
        if waited_s < (self._pace.snapshot_s if first else self._pace.stall_s):
            return
        raise JoinStalled(
            f"nothing has come from the other members for {waited_s:.0f} s: {trouble()}. Keys and "
            "descriptor stay: run the same command again when that is mended (--timeout waits "
            "longer)",
            before_anything=first,
        )
