"""Time to finality: one client for our own networks and for CometBFT's own application.

A transaction counts as done when the client hears, over WebSocket, of the block that holds it. A
lane is one sender on one node: its transactions go in nonce order, at a common pace or, to
saturate, with so many on their way at once (`window`).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.load import Connection, post

DONE_WITHIN_S: Final = 300.0
MESSAGE_MAX: Final = 1 << 26
Told = Callable[[str], None]
"""Called with the name of each transaction that is in a block."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """One signed transaction, ready to be handed in."""

    name: str
    """How the follower will call it: its hash."""
    request: bytes


@dataclass(frozen=True, slots=True)
class Lane:
    """One sender on one node."""

    host: str
    port: int
    transactions: Sequence[Prepared]


@dataclass
class Followed:
    """What the client has heard of."""

    submitted: dict[str, float] = field(default_factory=dict)
    included: dict[str, float] = field(default_factory=dict)
    waiters: dict[str, asyncio.Event] = field(default_factory=dict)
    expected: int = 0
    everything: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, name: str) -> None:
        """A transaction is final."""
        self.included.setdefault(name, time.perf_counter())
        if (waiter := self.waiters.pop(name, None)) is not None:
            waiter.set()
        if len(self.included) >= self.expected:
            self.everything.set()


@dataclass(frozen=True, slots=True)
class Finality:
    """What was measured."""

    done: int
    seconds: float
    latencies_s: list[float]


@asynccontextmanager
async def ethereum_follower(url: str, tell: Told) -> AsyncIterator[None]:
    """Follow a node of ours: heads by subscription, each block's transactions by asking."""

    async def read(socket: ClientConnection) -> None:
        told: int | None = None
        async for message in socket:
            body: dict[str, Any] = orjson.loads(message)
            if body.get("method") == "eth_subscription":
                number = int(body["params"]["result"]["number"], 16)
                for one in range((number if told is None else told + 1), number + 1):
                    ask = {
                        "jsonrpc": "2.0",
                        "id": one,
                        "method": "eth_getBlockByNumber",
                        "params": [hex(one), False],
                    }
                    await socket.send(orjson.dumps(ask))
                told = number
            elif isinstance(body.get("result"), dict):
                for name in body["result"]["transactions"]:
                    tell(name)

    subscribe = b'{"jsonrpc":"2.0","id":0,"method":"eth_subscribe","params":["newHeads"]}'
    async with _following(url.replace("http", "ws", 1), subscribe, read):
        yield


@asynccontextmanager
async def engine_follower(url: str, tell: Told) -> AsyncIterator[None]:
    """Follow CometBFT itself: new blocks by subscription."""

    async def read(socket: ClientConnection) -> None:
        async for message in socket:
            data = orjson.loads(message).get("result", {}).get("data")
            for text in (data or {"value": {"block": {"data": {}}}})["value"]["block"]["data"].get(
                "txs", ()
            ):
                tell(engine_name(base64.b64decode(text)))

    subscribe = orjson.dumps(
        {"jsonrpc": "2.0", "id": 0, "method": "subscribe", "params": ["tm.event='NewBlock'"]}
    )
    async with _following(url.replace("http", "ws", 1) + "/websocket", subscribe, read):
        yield


def engine_name(transaction: bytes) -> str:
    """How CometBFT calls a transaction."""
    return hashlib.sha256(transaction).hexdigest()


@asynccontextmanager
async def _following(
    url: str, subscribe: bytes, read: Callable[[ClientConnection], Any]
) -> AsyncIterator[None]:
    async with connect(url, max_size=MESSAGE_MAX, compression=None) as socket:
        await socket.send(subscribe)
        await socket.recv()
        task = asyncio.create_task(read(socket))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def measure_finality(
    follower: Callable[[str, Told], Any],
    follow_url: str,
    lanes: Sequence[Lane],
    *,
    pace_per_s: float | None = None,
    window: int = 1,
) -> Finality:
    """Hand everything in and wait until all of it is final. Raises RuntimeError on a refusal.

    With `pace_per_s` all lanes together send so many a second, whatever the answers do; without,
    each lane has at most `window` transactions that are not yet final.
    """
    followed = Followed(expected=sum(len(lane.transactions) for lane in lanes))
    begin = time.perf_counter()
    async with follower(follow_url, followed.tell):
        await asyncio.gather(
            *(
                _paced(lane, followed, begin + index / pace_per_s, len(lanes) / pace_per_s)
                if pace_per_s
                else _windowed(lane, followed, window)
                for index, lane in enumerate(lanes)
            )
        )
        await asyncio.wait_for(followed.everything.wait(), DONE_WITHIN_S)
    latencies = [followed.included[name] - at for name, at in followed.submitted.items()]
    seconds = max(followed.included.values()) - min(followed.submitted.values())
    return Finality(len(latencies), seconds, latencies)


async def _paced(lane: Lane, followed: Followed, first_at: float, every_s: float) -> None:
    connection = await Connection.open(lane.host, lane.port)
    for index, one in enumerate(lane.transactions):
        await asyncio.sleep(max(0.0, first_at + index * every_s - time.perf_counter()))
        # The pace is the client's: what is late is counted from when it was due.
        due = first_at + index * every_s
        await _hand_in(connection, one, followed, due)
    connection.close()


async def _windowed(lane: Lane, followed: Followed, window: int) -> None:
    connection = await Connection.open(lane.host, lane.port)
    for index, one in enumerate(lane.transactions):
        if index >= window:
            before = lane.transactions[index - window].name
            if before not in followed.included:
                waiter = followed.waiters.setdefault(before, asyncio.Event())
                await asyncio.wait_for(waiter.wait(), DONE_WITHIN_S)
        await _hand_in(connection, one, followed, None)
    connection.close()


async def _hand_in(
    connection: Connection, one: Prepared, followed: Followed, due: float | None
) -> None:
    answer = await connection.exchange(one.request)
    body = orjson.loads(answer.body)
    if "error" in body or (isinstance(body["result"], dict) and body["result"].get("code")):
        raise RuntimeError(f"refused: {answer.body[:500]!r}")
    followed.submitted[one.name] = answer.started if due is None else due


def ethereum_request(url: str, raw: str) -> bytes:
    """`eth_sendRawTransaction` as HTTP."""
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": [raw]}
    return post("/", urlsplit(url).netloc, orjson.dumps(call))


def engine_request(url: str, transaction: bytes) -> bytes:
    """`broadcast_tx_sync` as HTTP: answered when the node's mempool has taken it, as ours is."""
    text = base64.b64encode(transaction).decode()
    call = {"jsonrpc": "2.0", "id": 1, "method": "broadcast_tx_sync", "params": {"tx": text}}
    return post("/", urlsplit(url).netloc, orjson.dumps(call))
