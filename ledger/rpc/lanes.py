"""Where requests run that may take long, so that none of them holds up the event loop.

Each kind has threads of its own: a call that burns gas for seconds delays other such calls,
never the reading of blocks, and clients that wait for a receipt delay nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from ledger.rpc.errors import LimitExceeded
from ledger.rpc.types import Method, RpcSettings

Params = Sequence[object]

CALLS = frozenset({"eth_call", "eth_estimateGas"})
"""EVM execution: seconds at worst, holding the interpreter."""
READS = frozenset(
    {
        "eth_getLogs",
        "eth_getFilterLogs",
        "eth_getFilterChanges",
        "eth_getProof",
        "eth_feeHistory",
        "eth_getBlockReceipts",
        "debug_getRawBlock",
        "debug_getRawReceipts",
    }
)
"""Reading that grows with what is asked for."""
WAITS = frozenset({"eth_sendRawTransactionSync"})
"""Sleeping until a block comes."""
BLOCKS = frozenset({"eth_getBlockByNumber", "eth_getBlockByHash"})
"""Long where whole transactions are asked for."""


class Lane:
    """Some threads and a bounded queue. Used from one event loop."""

    def __init__(self, name: str, at_once_max: int, waiting_max: int) -> None:
        self._executor = ThreadPoolExecutor(at_once_max, thread_name_prefix=f"rpc-{name}")
        self._room = at_once_max + waiting_max
        self._taken = 0

    async def run(self, method: Method, params: Params) -> object:
        """Run in a thread, in turn. Raises LimitExceeded where too many wait already."""
        if self._taken >= self._room:
            raise LimitExceeded("the node has too many such requests to do; try again later")
        self._taken += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, method, params)
        finally:
            self._taken -= 1

    def close(self, *, wait: bool) -> None:
        """Take no more; what waits for its turn is given up."""
        self._executor.shutdown(wait=wait, cancel_futures=True)


class Lanes:
    """The lanes of one server."""

    def __init__(self, settings: RpcSettings) -> None:
        self._calls = Lane("call", settings.calls_at_once_max, settings.calls_waiting_max)
        self._reads = Lane("read", settings.reads_at_once_max, settings.calls_waiting_max)
        self._waits = Lane("wait", settings.waits_at_once_max, 0)

    async def run(self, name: str, method: Method, params: Params) -> object:
        """Run a method where it belongs: short ones at once, the others in their lane."""
        if name in CALLS:
            return await self._calls.run(method, params)
        if name in READS or (name in BLOCKS and len(params) > 1 and params[1] is True):
            return await self._reads.run(method, params)
        if name in WAITS:
            return await self._waits.run(method, params)
        return method(params)

    def close(self) -> None:
        """Return once nothing reads the ledger any more; waiting for receipts ends with it."""
        self._waits.close(wait=False)
        self._calls.close(wait=True)
        self._reads.close(wait=True)
