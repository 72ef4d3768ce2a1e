"""Counting blocks as they are committed: what a scrape cannot see afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from ledger.types import CommittedBlock
from nodes.operations.protocol import LedgerSource

INTERVAL_BUCKETS_S: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0)
SIZE_BUCKETS: Final = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000)


class BlockMeter:
    """Follows the ledger's commits; a few additions a block, nothing in between."""

    def __init__(
        self,
        ledger: LedgerSource,
        registry: CollectorRegistry,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._last: float | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._interval = Histogram(
            "tallystick_block_interval_seconds",
            "Time between the commits of two blocks; an idle ledger makes none.",
            buckets=INTERVAL_BUCKETS_S,
            registry=registry,
        )
        self._size = Histogram(
            "tallystick_block_transactions",
            "Transactions of a block.",
            buckets=SIZE_BUCKETS,
            registry=registry,
        )
        self._failed = Counter(
            "tallystick_transactions_reverted",
            "Transactions in blocks that were executed and reverted, since the node started.",
            registry=registry,
        )
        self._gas = Counter(
            "tallystick_gas_used", "Gas of all blocks since the node started.", registry=registry
        )

    def start(self) -> None:
        """Follow. Twice does no harm."""
        if self._unsubscribe is None:
            self._unsubscribe = self._ledger.subscribe(self.note)

    def stop(self) -> None:
        """Follow no more. Twice does no harm."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def note(self, block: CommittedBlock) -> None:
        """A block was committed."""
        now = self._clock()
        if self._last is not None:
            self._interval.observe(now - self._last)
        self._last = now
        self._size.observe(len(block.receipts))
        self._gas.inc(block.block.header.gas_used)
        reverted = sum(receipt.status == 0 for receipt in block.receipts)
        if reverted:
            self._failed.inc(reverted)
