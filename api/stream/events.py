"""Server-sent events (WHATWG HTML section 9.2, "Server-sent events") of the feed.

Each notice is one event: `id` its place, `event` its kind, `data` its JSON in one line. An `id`
without data moves the client's last event id and fires nothing: it is sent first, so that a client
who is cut off before his first notice misses none, and with each heartbeat.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.gate import HEAD, TIMEOUT
from api.stream.connections import Connections
from api.stream.tail import Entry, Window
from contracts.instruments.viewer import Viewer
from contracts.notices import NoticeFilter, Place

MEDIA_TYPE: Final = "text/event-stream"
READERS_MAX: Final = 4
"""Followers who read the database at once; the others wait for their turn."""

_readers: Final = anyio.CapacityLimiter(READERS_MAX)


class EventStream(Response):
    """The answer to who follows: lasts until the client goes, is too slow, or loses his key."""

    media_type = MEDIA_TYPE

    def __init__(
        self,
        connections: Connections,
        viewer: Viewer,
        organisation: str,
        wanted: NoticeFilter,
        after: int | None,
        still_good: Callable[[], bool],
        until_ms: int | None = None,
    ) -> None:
        """`after` is the position of the last notice that the client has; None: only new ones.

        `until_ms`: when it ends at the latest, Unix milliseconds.
        """
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._connections = connections
        self._settings = connections.settings
        self._viewer = viewer
        self._organisation = organisation
        self._wanted = wanted
        self._after = after
        self._still_good = still_good
        self._until_ms = until_ms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve it."""
        if (limit := scope.get(TIMEOUT)) is not None:
            limit.reschedule(None)  # this answer has no end
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        if scope.get(HEAD):
            await send({"type": "http.response.body", "body": b""})
            return
        serving = asyncio.ensure_future(self._serve(send))
        leaving = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait((serving, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (serving, leaving):
                task.cancel()
            ended = await asyncio.gather(serving, leaving, return_exceptions=True)
        for one in ended:
            # Who was too slow is cut off: the answer has no end that he could be told of.
            if isinstance(one, Exception) and not isinstance(one, TimeoutError):
                raise one

    async def _serve(self, send: Send) -> None:
        with self._connections.joined(self._organisation) as woken:
            tail = self._connections.tail
            position = tail.end() if self._after is None else self._after
            await self._send(send, b"retry: %d\n" % self._settings.retry_ms + _place(position))
            while True:
                woken.clear()
                window = await self._next(position)
                given = b"".join(_event(one, self._viewer) for one in window.entries)
                if given:
                    if not await self._good():
                        break
                    await self._send(send, given)
                behind = window.upto > position
                position = window.upto
                if behind:
                    continue
                try:
                    async with asyncio.timeout(self._pause_s()):
                        await woken.wait()
                except TimeoutError:
                    if not await self._good():
                        break
                    await self._send(send, b":\n" + _place(position))
        await self._send(send, b"", more=False)

    def _pause_s(self) -> float:
        """How long nothing need be done: up to the next heartbeat, or the end."""
        heartbeat_s = self._settings.heartbeat_s
        if self._until_ms is None:
            return heartbeat_s
        return max(0.001, min(heartbeat_s, self._until_ms / 1000 - time.time()))

    async def _next(self, position: int) -> Window:
        """What the viewer is given after a position."""
        known = self._connections.tail.after(position)
        if known is not None:
            mine = (one for one in known.entries if one.concerns(self._viewer, self._wanted))
            return Window(tuple(mine), known.upto)
        return await anyio.to_thread.run_sync(
            self._connections.tail.read,
            self._viewer,
            self._wanted,
            position,
            self._settings.page_size,
            limiter=_readers,
        )

    async def _good(self) -> bool:
        return await anyio.to_thread.run_sync(self._still_good)

    async def _send(self, send: Send, data: bytes, *, more: bool = True) -> None:
        """Raises `TimeoutError` where the client takes nothing: the connection is broken off."""
        async with asyncio.timeout(self._settings.send_timeout_s):
            await send({"type": "http.response.body", "body": data, "more_body": more})


async def _gone(receive: Receive) -> None:
    """Return once the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _event(entry: Entry, viewer: Viewer) -> bytes:
    kind, told = entry.notice.kind.encode(), entry.told(viewer)
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (_id(entry.position), kind, told)


def _place(position: int) -> bytes:
    """Where the client is, without an event."""
    return b"id: %s\n\n" % _id(position)


def _id(position: int) -> bytes:
    return str(Place.of(position)).encode() if position >= 0 else b""
