"""The ASGI application: JSON-RPC by POST and over WebSocket, on any path."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

from ledger.chain import Ledger
from ledger.rpc.dispatch import Dispatcher
from ledger.rpc.subscriptions import Subscriptions
from ledger.rpc.types import RpcContext, RpcSettings
from ledger.types import CommittedBlock, Transaction

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

CORS = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"POST, OPTIONS"),
    (b"access-control-allow-headers", b"content-type"),
    (b"access-control-max-age", b"600"),
]
"""Open to pages of any origin: the node holds no client's keys and no cookie is read."""

CLOSE_TOO_BIG = 1009
CLOSE_TRY_LATER = 1013


class RpcServer:
    """ASGI application. Follows the ledger from `lifespan.startup` to `lifespan.shutdown`."""

    def __init__(self, ledger: Ledger, settings: RpcSettings | None = None) -> None:
        self._ledger = ledger
        self._settings = settings or RpcSettings()
        self._dispatcher = Dispatcher(RpcContext(ledger, self._settings))
        self._sockets: set[_Socket] = set()
        self._stop_following: list[Callable[[], None]] = []

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._follow(asyncio.get_running_loop())
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                for stop in self._stop_following:
                    stop()
                await asyncio.to_thread(self._dispatcher.close)
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _follow(self, loop: asyncio.AbstractEventLoop) -> None:
        def on_block(committed: CommittedBlock) -> None:
            if self._sockets:
                loop.call_soon_threadsafe(self._block_committed, committed)

        def on_pending(transaction: Transaction) -> None:
            if self._sockets:
                loop.call_soon_threadsafe(self._transaction_pending, transaction)

        self._stop_following = [
            self._ledger.subscribe(on_block),
            self._ledger.subscribe_pending(on_pending),
        ]

    def _block_committed(self, committed: CommittedBlock) -> None:
        for socket in tuple(self._sockets):
            socket.subscriptions.block_committed(committed)

    def _transaction_pending(self, transaction: Transaction) -> None:
        for socket in tuple(self._sockets):
            socket.subscriptions.transaction_pending(transaction)

    async def _http(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await _respond(send, 204, b"")
            return
        if scope["method"] != "POST":
            await _respond(send, 405, b'{"error":"JSON-RPC 2.0 is asked by POST or WebSocket"}')
            return
        body = await _read_body(receive, self._settings.body_bytes_max)
        if body is None:
            limit = self._settings.body_bytes_max
            text = f"the body is larger than {limit} bytes"
            error = {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": text}}
            await _respond(send, 413, orjson.dumps(error))
            return
        answer = await self._dispatcher.answer(body)
        if answer is None:
            await _respond(send, 204, b"")
        else:
            await _respond(send, 200, answer)

    async def _websocket(self, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        if len(self._sockets) >= self._settings.websockets_max:
            await send({"type": "websocket.close", "code": CLOSE_TRY_LATER})
            return
        await send({"type": "websocket.accept"})
        socket = _Socket(self._settings, self._dispatcher)
        self._sockets.add(socket)
        try:
            await socket.run(receive, send)
        finally:
            self._sockets.discard(socket)


class _Outbox:
    """What waits to be sent to one client, bounded in number and bytes."""

    def __init__(self, settings: RpcSettings) -> None:
        self._settings = settings
        self._messages: deque[tuple[bytes, bool]] = deque()
        """Each with whether it is a notification."""
        self._answers_bytes = 0
        self._notified = 0
        self._notified_bytes = 0
        self._changed = asyncio.Event()
        self.overrun = asyncio.Event()
        """A notification found no room."""

    def notify(self, message: bytes) -> None:
        """Add a notification; nobody waits for a slow follower."""
        size_bytes = self._notified_bytes + len(message)
        if (
            self._notified >= self._settings.notifications_queued_max
            or size_bytes > self._settings.outgoing_bytes_max
        ):
            self.overrun.set()
            return
        self._notified += 1
        self._notified_bytes = size_bytes
        self._add(message, notification=True)

    async def answer(self, message: bytes) -> None:
        """Add an answer; returns once there is room for another."""
        self._answers_bytes += len(message)
        self._add(message, notification=False)
        while (
            self._answers_bytes > self._settings.outgoing_bytes_max
            or len(self._messages) - self._notified > self._settings.notifications_queued_max
        ):
            self._changed.clear()
            await self._changed.wait()

    async def send_all(self, send: Send) -> None:
        """Send for ever."""
        while True:
            while self._messages:
                message, notification = self._messages[0]
                await send({"type": "websocket.send", "text": message.decode()})
                self._messages.popleft()
                if notification:
                    self._notified -= 1
                    self._notified_bytes -= len(message)
                else:
                    self._answers_bytes -= len(message)
                self._changed.set()
            self._changed.clear()
            await self._changed.wait()

    def _add(self, message: bytes, *, notification: bool) -> None:
        self._messages.append((message, notification))
        self._changed.set()


class _Socket:
    """One WebSocket: what it is to be sent, and its subscriptions."""

    def __init__(self, settings: RpcSettings, dispatcher: Dispatcher) -> None:
        self._settings = settings
        self._dispatcher = dispatcher
        self._outbox = _Outbox(settings)
        self.subscriptions = Subscriptions(settings, self._outbox.notify)

    async def run(self, receive: Receive, send: Send) -> None:
        """Serve until either side ends."""
        tasks = [
            asyncio.create_task(self._outbox.send_all(send)),
            asyncio.create_task(self._outbox.overrun.wait()),
            asyncio.create_task(self._read(receive)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            sending, overrun, reading = tasks
            code: int | None = None
            if reading.done() and reading.exception() is None:
                code = reading.result()
            if overrun.done():
                code = CLOSE_TRY_LATER
            failed = sending.done() or (reading.done() and reading.exception() is not None)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if code is not None and not failed:
            await send({"type": "websocket.close", "code": code})

    async def _read(self, receive: Receive) -> int | None:
        """Answer requests; gives the close code, None where the client has gone."""
        methods = self.subscriptions.methods()
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return None
            text, raw = message.get("text"), message.get("bytes")
            body = text.encode() if text is not None else bytes(raw or b"")
            if len(body) > self._settings.body_bytes_max:
                return CLOSE_TOO_BIG
            answer = await self._dispatcher.answer(body, methods)
            if answer is not None:
                await self._outbox.answer(answer)


async def _read_body(receive: Receive, size_bytes_max: int) -> bytes | None:
    """The whole body, or None where it is larger than allowed."""
    parts: list[bytes] = []
    size_bytes = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        part = message.get("body", b"")
        size_bytes += len(part)
        if size_bytes > size_bytes_max:
            return None
        parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


async def _respond(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-length", str(len(body)).encode()), *CORS]
    if body:
        headers.append((b"content-type", b"application/json"))
    if status == 405:
        headers.append((b"allow", b"POST, OPTIONS"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
