"""Asking the JSON-RPC server in process, as ASGI does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

from ledger.chain import Ledger
from ledger.rpc import RpcServer, RpcSettings


class Rpc:
    """One server over one ledger."""

    def __init__(self, ledger: Ledger, **bounds: Any) -> None:
        self.ledger = ledger
        self.settings = RpcSettings(**bounds)
        self.server = RpcServer(ledger, self.settings)

    def call(self, method: str, *params: object) -> Any:
        """The `result`. Fails where there is none."""
        answer = self.ask({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def error(self, method: str, *params: object) -> dict[str, Any]:
        """The `error`. Fails where there is none."""
        answer = self.ask({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        assert "result" not in answer, answer
        error = answer["error"]
        assert isinstance(error, dict)
        return error

    def ask(self, body: object) -> Any:
        """Whatever is answered to this JSON."""
        status, answer = self.post(json.dumps(body).encode())
        assert status == 200, answer
        return json.loads(answer)

    def post(self, body: bytes, method: str = "POST") -> tuple[int, bytes]:
        """Status and body of an HTTP request."""
        return asyncio.run(self._http(body, method))

    async def _http(self, body: bytes, method: str) -> tuple[int, bytes]:
        parts = [body[: len(body) // 2], body[len(body) // 2 :]]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            part = parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(parts)}

        async def send(message: Any) -> None:
            sent.append(dict(message))

        await self.server({"type": "http", "method": method}, receive, send)
        start, end = sent
        assert start["type"] == "http.response.start"
        return start["status"], end["body"]


class Socket:
    """The client's end of a WebSocket."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.reads = asyncio.Event()
        self.reads.set()

    async def receive(self) -> dict[str, Any]:
        return await self.incoming.get()

    async def send(self, message: Any) -> None:
        if message["type"] == "websocket.send":
            await self.reads.wait()
        await self.sent.put(dict(message))

    async def say(self, method: str, *params: object, identity: int = 1) -> None:
        body = {"jsonrpc": "2.0", "id": identity, "method": method, "params": list(params)}
        await self.incoming.put({"type": "websocket.receive", "text": json.dumps(body)})

    async def hear(self, timeout_s: float = 5) -> Any:
        """The next message as JSON; a close as its code."""
        message = await asyncio.wait_for(self.sent.get(), timeout_s)
        if message["type"] == "websocket.close":
            return message["code"]
        return json.loads(message["text"])

    async def ask(self, method: str, *params: object) -> Any:
        await self.say(method, *params)
        return await self.hear()


async def _lifespan(server: RpcServer) -> Callable[[], Coroutine[Any, Any, None]]:
    messages: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    told: asyncio.Queue[dict[str, str]] = asyncio.Queue()

    async def send(message: Any) -> None:
        await told.put(dict(message))

    task = asyncio.create_task(server({"type": "lifespan"}, messages.get, send))
    await messages.put({"type": "lifespan.startup"})
    assert (await told.get())["type"] == "lifespan.startup.complete"

    async def stop() -> None:
        await messages.put({"type": "lifespan.shutdown"})
        await task

    return stop


def with_socket(rpc: Rpc, scene: Callable[[Socket], Coroutine[Any, Any, None]]) -> None:
    """Play a scene over one WebSocket of a server that follows its ledger."""

    async def play() -> None:
        stop = await _lifespan(rpc.server)
        socket = Socket()
        serving = asyncio.create_task(
            rpc.server({"type": "websocket"}, socket.receive, socket.send)
        )
        await socket.incoming.put({"type": "websocket.connect"})
        first = await socket.sent.get()
        if first["type"] == "websocket.accept":
            await scene(socket)
        else:
            await socket.sent.put(first)
            await scene(socket)
        await socket.incoming.put({"type": "websocket.disconnect"})
        await asyncio.wait_for(serving, 5)
        await stop()

    asyncio.run(play())
