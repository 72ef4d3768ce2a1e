"""Who is connected to the stream: bounds, and waking all of them at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from api.errors import RateLimited, Unavailable
from api.stream.settings import StreamSettings
from api.stream.tail import Tail


class Connections:
    """The streams of one application. Lives on its event loop: not thread-safe."""

    def __init__(self, tail: Tail, settings: StreamSettings) -> None:
        self.tail = tail
        self.settings = settings
        self._waiting: set[asyncio.Event] = set()
        self._count: Counter[str] = Counter()
        self._end: Callable[[], None] = lambda: None

    def __len__(self) -> int:
        return self._count.total()

    def check(self, organisation: str) -> None:
        """That one more fits. Raises `RateLimited`, `Unavailable`."""
        if self._count[organisation] >= self.settings.connections_per_organisation_max:
            raise RateLimited(
                f"{organisation} has {self._count[organisation]} streams open already; close one",
                retry_after_s=5,
            )
        if len(self) >= self.settings.connections_max:
            raise Unavailable("too many streams are open on this node", retry_after_s=5)

    @contextmanager
    def joined(self, organisation: str) -> Iterator[asyncio.Event]:
        """A connection as long as the block lasts; the event is set whenever there may be more."""
        event = asyncio.Event()
        loop = asyncio.get_running_loop()
        if not self._waiting:
            self._end = self.tail.follow(lambda: _call(loop, self._wake))
        self._waiting.add(event)
        self._count[organisation] += 1
        try:
            yield event
        finally:
            self._waiting.discard(event)
            self._count[organisation] -= 1
            if not self._count[organisation]:
                del self._count[organisation]
            if not self._waiting:
                self._end()

    def _wake(self) -> None:
        for event in self._waiting:
            event.set()


def _call(loop: asyncio.AbstractEventLoop, wake: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(wake)
