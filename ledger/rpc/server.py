"""The ASGI application: JSON-RPC by POST and over WebSocket, on any path."""

from __future__ import annotations

import asyncio
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


class _Socket:
    """One WebSocket: a queue of outgoing messages and its subscriptions."""

    def __init__(self, settings: RpcSettings, dispatcher: Dispatcher) -> None:
        self._settings = settings
        self._dispatcher = dispatcher
        self._outgoing: asyncio.Queue[bytes] = asyncio.Queue(settings.notifications_queued_max)
        self._overrun = asyncio.Event()
        self.subscriptions = Subscriptions(settings, self._put)

    def _put(self, message: bytes) -> None:
        try:
            self._outgoing.put_nowait(message)
        except asyncio.QueueFull:
            self._overrun.set()

    async def run(self, receive: Receive, send: Send) -> None:
        """Serve until either side ends."""
        tasks = {
            asyncio.create_task(self._write(send)),
            asyncio.create_task(self._read(receive)),
            asyncio.create_task(self._overrun.wait()),
        }
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        code = next((t.result() for t in done if isinstance(t.result(), int)), None)
        if self._overrun.is_set():
            code = CLOSE_TRY_LATER
        if code is not None and not isinstance(code, bool):
            await send({"type": "websocket.close", "code": code})

    async def _write(self, send: Send) -> None:
        while True:
            message = await self._outgoing.get()
            await send({"type": "websocket.send", "text": message.decode()})

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
                await self._outgoing.put(answer)


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
