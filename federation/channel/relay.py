"""A relay for parties that cannot accept connections: it pairs two that connect, and passes bytes.

TLS runs between the parties, inside; the relay sees ciphertext, its amount and its times, and a
token that names neither party nor run. Whoever knows a run's parties can make the token and come
first: then TLS fails, for it has no certificate; nothing worse.

What a client sends: 8 bytes `TALLYRL1`, one byte (1: whose id is the greater of the two), 32 bytes
of token. What it gets: one byte, 1, once the other is there; from then on the other's bytes.

`python -m federation.channel --host 0.0.0.0 --port 7443` runs one.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextlib import suppress

from federation.channel.connecting import (
    RELAY_HELLO,
    RELAY_MAGIC,
    RELAY_PAIRED,
    Address,
)
from federation.channel.errors import RelayFailed

PIECE_BYTES = 1 << 16
HELLO_S = 10.0


class Relay:
    """A relay in a thread of its own."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        connections_max: int = 256,
        waiting_s: float = 300.0,
        idle_s: float = 300.0,
    ) -> None:
        """`waiting_s`: how long one waits for the other; `idle_s`: how long a pair says nothing."""
        self._host = host
        self._port = port
        self._connections_max = connections_max
        self._waiting_s = waiting_s
        self._idle_s = idle_s
        self._connections = 0
        self._waiting: dict[tuple[bytes, int], _End] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._started: Future[Address] = Future()
        self._ending = asyncio.Event()

    def start(self) -> Address:
        """Listen, and give the address. Raises `RelayFailed`."""
        self._thread.start()
        try:
            return self._started.result()
        except OSError as error:
            raise RelayFailed("relay", f"cannot listen: {error.strerror}") from error

    def close(self) -> None:
        """Cut everything."""
        if self._thread.is_alive():
            with suppress(RuntimeError):  # the loop ended meanwhile
                self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()

    def wait(self) -> None:
        """Until it is closed."""
        self._thread.join()

    def _run(self) -> None:
        with suppress(OSError):
            self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        try:
            server = await asyncio.start_server(
                self._connected, self._host, self._port, limit=PIECE_BYTES
            )
        except OSError as error:
            self._started.set_exception(error)
            raise
        self._started.set_result(Address(self._host, server.sockets[0].getsockname()[1]))
        await self._ending.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._connections >= self._connections_max:
            writer.close()
            return
        self._connections += 1
        try:
            await self._serve_one(reader, writer)
        except* (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass  # a client that goes, dawdles or is none: its connection ends below
        finally:
            self._connections -= 1
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(HELLO_S):
            head = await reader.readexactly(RELAY_HELLO.size)
        magic, greater, token = RELAY_HELLO.unpack(head)
        if magic != RELAY_MAGIC or greater > 1:
            return
        end = _End(reader, writer)
        other = self._waiting.pop((token, 1 - greater), None)
        if other is None:
            await self._wait_for_other((token, greater), end)
        else:
            other.met.set_result(end)
            await end.finished.wait()  # the other's handler passes bytes

    async def _wait_for_other(self, key: tuple[bytes, int], end: _End) -> None:
        """Until the other comes; then pass bytes until both have ended."""
        if key in self._waiting:
            return
        self._waiting[key] = end
        early = asyncio.ensure_future(end.reader.read(1))  # ends where the client goes or speaks
        try:
            await asyncio.wait(
                (early, end.met), timeout=self._waiting_s, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            if self._waiting.get(key) is end:
                del self._waiting[key]
            early.cancel()
            await asyncio.gather(early, return_exceptions=True)
        if not end.met.done():
            return
        other = end.met.result()
        try:
            await _pass_both(end, other, self._idle_s)
        finally:
            other.finished.set()


class _End:
    """One of two connections that belong together."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.met: asyncio.Future[_End] = asyncio.get_running_loop().create_future()
        self.finished = asyncio.Event()


async def _pass_both(one: _End, other: _End, idle_s: float) -> None:
    """Bytes both ways until both have ended, one broke, or one direction was idle too long."""
    for end in (one, other):
        end.writer.write(RELAY_PAIRED)
    async with asyncio.TaskGroup() as both:
        both.create_task(_pass(one.reader, other.writer, idle_s))
        both.create_task(_pass(other.reader, one.writer, idle_s))


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, idle_s: float) -> None:
    while True:
        async with asyncio.timeout(idle_s):
            data = await reader.read(PIECE_BYTES)
            if not data:
                break
            writer.write(data)
            await writer.drain()  # no faster than the other takes it
    if writer.can_write_eof():
        writer.write_eof()
