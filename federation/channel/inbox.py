"""What has arrived from one party and has not been taken yet."""

from __future__ import annotations

import threading
import time
from collections import deque

from federation.channel.errors import ChannelError


class Inbox:
    """A queue between two threads, bounded in bytes and in number; it may end with a reason."""

    def __init__(self, *, size_bytes_max: int, messages_max: int) -> None:
        self._size_bytes_max = size_bytes_max
        self._messages_max = messages_max
        self._waiting: deque[bytes] = deque()
        self._size_bytes = 0
        self._end: ChannelError | None = None
        self._abandoned = False
        self._changed = threading.Condition()

    def put(self, data: bytes, timeout_s: float | None) -> bool:
        """Add what arrived, waiting for room; a message is let in alone whatever its size.

        False where there was no room in time, or nobody will take it any more.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._has_room(len(data)), timeout_s):
                return False
            if self._abandoned or self._end is not None:
                return False
            self._waiting.append(data)
            self._size_bytes += len(data)
            self._changed.notify_all()
            return True

    def take(self, timeout_s: float) -> bytes | None:
        """The oldest; None where nothing came in time. Raises the reason once it has ended."""
        until = time.monotonic() + timeout_s
        with self._changed:
            while not self._waiting:
                if self._end is not None:
                    raise self._end
                left = until - time.monotonic()
                if left <= 0:
                    return None
                self._changed.wait(left)
            data = self._waiting.popleft()
            self._size_bytes -= len(data)
            self._changed.notify_all()
            return data

    def end(self, reason: ChannelError) -> None:
        """Nothing more will arrive; what waits may still be taken. The first reason stays."""
        with self._changed:
            self._end = self._end or reason
            self._changed.notify_all()

    def abandon(self) -> None:
        """Nobody will take anything any more: let go of what waits, and refuse what comes."""
        with self._changed:
            self._abandoned = True
            self._waiting.clear()
            self._size_bytes = 0
            self._changed.notify_all()

    @property
    def ended(self) -> ChannelError | None:
        """Why nothing more will arrive, if so."""
        return self._end

    @property
    def abandoned(self) -> bool:
        """Whether nobody will take anything any more."""
        return self._abandoned

    def _has_room(self, size_bytes: int) -> bool:
        if self._abandoned or self._end is not None or not self._waiting:
            return True
        return (
            len(self._waiting) < self._messages_max
            and self._size_bytes + size_bytes <= self._size_bytes_max
        )
