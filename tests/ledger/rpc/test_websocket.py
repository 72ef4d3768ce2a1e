"""Subscriptions over WebSocket, and clients that are too slow or ask too much."""

from __future__ import annotations

import asyncio

import pytest

from ledger.chain import Ledger
from tests.ledger.chain.support import ECHO, ECHO_TOPIC, sender
from tests.ledger.rpc.conftest import mine
from tests.ledger.rpc.support import Rpc, Socket, with_socket

pytestmark = pytest.mark.feature("L9")


def test_a_socket_answers_like_http(rpc: Rpc) -> None:
    async def scene(socket: Socket) -> None:
        assert (await socket.ask("eth_chainId"))["result"] == hex(rpc.ledger.chain_id)
        await socket.incoming.put({"type": "websocket.receive", "bytes": b"[]", "text": None})
        assert (await socket.hear())["error"]["code"] == -32600

    with_socket(rpc, scene)


def test_followers_hear_heads_logs_and_pending_transactions(rpc: Rpc) -> None:
    one = sender(1)

    async def scene(socket: Socket) -> None:
        heads = (await socket.ask("eth_subscribe", "newHeads"))["result"]
        query = {"address": "0x" + ECHO.hex(), "topics": ["0x" + ECHO_TOPIC.hex()]}
        logs = (await socket.ask("eth_subscribe", "logs", query))["result"]
        none = (await socket.ask("eth_subscribe", "logs", {"address": "0x" + "00" * 20}))["result"]
        hashes = (await socket.ask("eth_subscribe", "newPendingTransactions"))["result"]
        whole = (await socket.ask("eth_subscribe", "newPendingTransactions", True))["result"]
        sent = await socket.ask("eth_sendRawTransaction", "0x" + one.call(7).hex())
        told = {}
        for _ in range(2):
            message = await socket.hear()
            told[message["params"]["subscription"]] = message["params"]["result"]
        assert told[hashes] == sent["result"]
        assert told[whole]["hash"] == sent["result"]
        block = await asyncio.to_thread(
            rpc.ledger.append_block, rpc.ledger.pending(), 2_000_000_000
        )
        for _ in range(2):
            message = await socket.hear()
            assert (message["jsonrpc"], message["method"]) == ("2.0", "eth_subscription")
            told[message["params"]["subscription"]] = message["params"]["result"]
        assert told[heads]["hash"] == "0x" + block.block.hash.hex()
        assert "transactions" not in told[heads]
        assert told[logs]["transactionHash"] == sent["result"]
        assert none not in told
        assert (await socket.ask("eth_unsubscribe", heads))["result"] is True
        assert (await socket.ask("eth_unsubscribe", heads))["result"] is False

    with_socket(rpc, scene)


@pytest.mark.parametrize(
    "params",
    [
        [],
        ["syncing"],
        [1],
        ["logs", "all"],
        ["logs", {"topics": 1}],
        ["logs", []],
        ["logs", {"blockHash": "0x" + "11" * 32}],
        ["newPendingTransactions", {}],
    ],
)
def test_a_subscription_that_makes_no_sense_is_refused(rpc: Rpc, params: list[object]) -> None:
    async def scene(socket: Socket) -> None:
        assert (await socket.ask("eth_subscribe", *params))["error"]["code"] == -32602

    with_socket(rpc, scene)


def test_subscriptions_of_a_socket_are_bounded(open_ledger: Ledger) -> None:
    rpc = Rpc(open_ledger, subscriptions_max=2)

    async def scene(socket: Socket) -> None:
        first = (await socket.ask("eth_subscribe", "newHeads"))["result"]
        await socket.ask("eth_subscribe", "newHeads")
        assert (await socket.ask("eth_subscribe", "newHeads"))["error"]["code"] == -32005
        await socket.ask("eth_unsubscribe", first)
        assert "result" in await socket.ask("eth_subscribe", "newHeads")

    with_socket(rpc, scene)


def test_sockets_are_bounded(open_ledger: Ledger) -> None:
    async def scene(socket: Socket) -> None:
        assert await socket.hear() == 1013

    with_socket(Rpc(open_ledger, websockets_max=0), scene)


def test_a_message_that_is_too_large_closes_the_socket(open_ledger: Ledger) -> None:
    async def scene(socket: Socket) -> None:
        await socket.say("eth_chainId", "x" * 1_000)
        assert await socket.hear() == 1009

    with_socket(Rpc(open_ledger, body_bytes_max=500), scene)


@pytest.mark.parametrize("bounds", [{"notifications_queued_max": 3}, {"outgoing_bytes_max": 5_000}])
def test_a_follower_that_does_not_read_is_disconnected(
    open_ledger: Ledger, bounds: dict[str, int]
) -> None:
    rpc = Rpc(open_ledger, **bounds)
    one = sender(1)

    async def scene(socket: Socket) -> None:
        await socket.ask("eth_subscribe", "newHeads")
        socket.reads.clear()
        for number in range(8):
            await asyncio.to_thread(mine, open_ledger, one.call(number))
        assert await socket.hear() == 1013

    with_socket(rpc, scene)


def test_a_client_that_does_not_read_its_answers_is_asked_no_more(open_ledger: Ledger) -> None:
    rpc = Rpc(open_ledger, outgoing_bytes_max=2_000)

    async def scene(socket: Socket) -> None:
        socket.reads.clear()
        for number in range(100):
            await socket.say("eth_getBlockByNumber", "0x0", False, identity=number)
        await asyncio.sleep(0.3)
        assert socket.incoming.qsize() > 90
        socket.reads.set()
        heard = [(await socket.hear())["id"] for _ in range(100)]
        assert heard == list(range(100))

    with_socket(rpc, scene)


def test_a_client_that_goes_while_it_is_sent_to_leaves_nothing_behind(rpc: Rpc) -> None:
    async def scene(socket: Socket) -> None:
        async def broken(_message: object) -> None:
            raise ConnectionError("gone")

        await socket.ask("eth_subscribe", "newHeads")
        (served,) = rpc.server._sockets
        served._outbox._messages.append((b"x", True))
        assert served is not None
        socket.send = broken  # type: ignore[method-assign]

    with_socket(rpc, scene)
    assert rpc.server._sockets == set()
