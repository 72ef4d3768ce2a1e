"""Calls that burn all they may: the chain goes on, and others get their answers."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.chain import Genesis, Ledger
from ledger.consensus import SoloDriver
from ledger.evm import PyEvmEngine
from ledger.tlog import NoteSigner
from tests.ledger.chain.support import genesis_document, sender
from tests.ledger.rpc.support import Rpc

pytestmark = pytest.mark.feature("L9")

BURNER = "0x" + "b0" * 20
BURNER_CODE = "0x5b5f5f5f5f5f60045af1505f56"
"""Calls the identity contract for ever."""
CALL_S_MAX = 2.0


@pytest.fixture
def busy(tmp_path: Path, note_signer: NoteSigner) -> Iterator[Rpc]:
    """A server as a node runs it, over a chain that makes blocks."""
    document = genesis_document()
    document["alloc"][BURNER] = {"balance": "0x0", "nonce": "0x1", "code": BURNER_CODE}
    switch_s = sys.getswitchinterval()
    sys.setswitchinterval(0.001)  # as nodes do
    with Ledger.open(
        tmp_path / "busy",
        genesis=Genesis.parse(document),
        signer=note_signer,
        engine=PyEvmEngine(call_time_s_max=CALL_S_MAX),
        map_size_bytes=1 << 30,
    ) as ledger:
        driver = SoloDriver(ledger)
        driver.start()
        yield Rpc(ledger)
        driver.stop()
    sys.setswitchinterval(switch_s)


def body(method: str, *params: object) -> bytes:
    return json.dumps({"id": 1, "method": method, "params": params}).encode()


def test_calls_that_burn_gas_hold_up_neither_blocks_nor_other_requests(busy: Rpc) -> None:
    one = sender(1)
    slowest_s = 0.0
    head = busy.ledger.head().header.number

    async def scene() -> None:
        nonlocal slowest_s
        ask = busy.server._dispatcher.answer
        burning = [asyncio.create_task(ask(body("eth_call", {"to": BURNER}))) for _ in range(4)]
        await asyncio.sleep(0.1)
        for number in range(5):
            for request in (
                body("eth_blockNumber"),
                body("eth_getBlockByNumber", "latest", True),
                body("eth_getLogs", {"fromBlock": "0x0"}),
                body("eth_sendRawTransactionSync", "0x" + one.call(number).hex()),
            ):
                began = time.monotonic()
                answer = await ask(request)
                slowest_s = max(slowest_s, time.monotonic() - began)
                assert answer is not None
                assert b'"result"' in answer
            assert not all(task.done() for task in burning)
            await asyncio.sleep(0)
        for answer in await asyncio.gather(*burning):
            assert answer is not None
            assert b"execution aborted" in answer

    asyncio.run(scene())
    assert busy.ledger.head().header.number == head + 5
    assert slowest_s < CALL_S_MAX, "a request waited for the calls to end"


def test_calls_that_wait_for_their_turn_are_bounded(busy: Rpc) -> None:
    rpc = Rpc(busy.ledger, calls_at_once_max=1, calls_waiting_max=1)

    async def scene() -> None:
        ask = rpc.server._dispatcher.answer
        tasks = [asyncio.create_task(ask(body("eth_call", {"to": BURNER}))) for _ in range(3)]
        answers = [one for one in await asyncio.gather(*tasks) if one is not None]
        codes = [json.loads(one)["error"]["code"] for one in answers]
        assert codes == [-32000, -32000, -32005]

    asyncio.run(scene())
