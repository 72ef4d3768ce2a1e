"""`SoloDriver`: one node orders by itself. No other program, the same formats.

A block is made as soon as something is pending. What arrives while it is made goes into the next
one, so that under load one durable commit carries many transactions, and an idle node writes none.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from ledger.chain import BlockEmpty, Deadlines, Dropped, Ledger, TransactionFailed
from ledger.consensus.slowness import SlowSenders
from ledger.consensus.types import DriverState, DriverStatus
from ledger.evm import TimeLimitExceeded
from ledger.store import StoreFull

TRANSACTIONS_MAX_DEFAULT: Final = 500
"""Of one block: about half a second of contract calls, so that latency stays bounded under load."""
FULL_RETRY_S: Final = 1.0
RETRY_S_MIN: Final = 0.1
RETRY_S_MAX: Final = 5.0
HOLD_S: Final = 30.0
"""How long a sender waits whose transaction hit a fault of the engine."""
TRANSACTION_S_MAX: Final = 10.0
"""Nobody else waits for an answer of this node: half a block's work on curves ends in time."""
_STOP_POLL_S: Final = 0.5

_log = logging.getLogger(__name__)


class SoloDriver:
    """Thread-safe."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        block_interval_ms: int = 0,
        transactions_max: int = TRANSACTIONS_MAX_DEFAULT,
        transaction_s_max: float = TRANSACTION_S_MAX,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`block_interval_ms`: least time between the beginnings of two blocks.

        `transaction_s_max`: what runs longer than this, first in its block, is dropped.
        """
        if block_interval_ms < 0 or transactions_max < 1:
            raise ValueError("block_interval_ms >= 0 and transactions_max >= 1 are required")
        self._ledger = ledger
        self._interval_s = block_interval_ms / 1000
        self._transactions_max = transactions_max
        self._transaction_s_max = transaction_s_max
        self._slow = SlowSenders(ledger.mempool)
        self._clock = clock
        self._control = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._status = DriverStatus(DriverState.STOPPED, None, 0)

    def start(self) -> None:
        """Begin to make blocks, in a thread of its own."""
        with self._control:
            if self._thread is not None and self._thread.is_alive():
                return
            self._stopping.clear()
            self._note(DriverState.RUNNING)
            self._thread = threading.Thread(target=self._run, name="solo-driver", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End after the block at hand; what is pending stays so."""
        with self._control:
            self._stopping.set()
            self._ledger.mempool.wake()
            if self._thread is not None:
                self._thread.join()
                self._thread = None
            self._note(DriverState.STOPPED)

    def status(self) -> DriverStatus:
        """Whether it runs, and what is wrong if anything is."""
        return self._status

    def _run(self) -> None:
        pool = self._ledger.mempool
        retry_s = RETRY_S_MIN
        while not self._stopping.is_set():
            if not pool.wait_ready(_STOP_POLL_S):
                continue
            started = time.monotonic()
            try:
                self._make_block()
            except BlockEmpty as empty:
                _log.debug("%s", empty)
                if not self._drop_slow(empty.dropped) and not any(
                    one.final for one in empty.dropped
                ):
                    self._stopping.wait(RETRY_S_MIN)
            except StoreFull as full:
                self._on_full(full)
            except TransactionFailed as failed:
                _log.critical("%s; its sender is held for %g s", failed, HOLD_S, exc_info=failed)
                self._note(DriverState.FAILING, str(failed))
                pool.hold(failed.transaction.sender, HOLD_S)
            except Exception as error:
                _log.critical("no block could be made; trying again", exc_info=error)
                self._note(DriverState.FAILING, f"{type(error).__name__}: {error}")
                self._stopping.wait(retry_s)
                retry_s = min(retry_s * 2, RETRY_S_MAX)
            else:
                retry_s = RETRY_S_MIN
                if self._status.state is DriverState.PAUSED:
                    _log.warning("there is room on the disk again")
                    pool.resume()
                self._note(DriverState.RUNNING, made=1)
            if self._interval_s:
                self._stopping.wait(max(0.0, started + self._interval_s - time.monotonic()))

    def _make_block(self) -> None:
        ledger = self._ledger
        transactions = ledger.mempool.select(
            transactions_max=self._transactions_max,
            size_bytes_max=ledger.limits().block_size_bytes_max,
        )
        # A clock that was set back must not stop the chain: time stands still meanwhile.
        timestamp = max(int(self._clock()), ledger.head().header.timestamp)
        limit_s = self._transaction_s_max
        ledger.append_block(transactions, timestamp, deadlines=Deadlines.after(limit_s))

    def _drop_slow(self, dropped: Sequence[Dropped]) -> bool:
        """Take out what ran too long even as the first of a block. Whether there was any."""
        slow = [one for one in dropped if isinstance(one.reason, TimeLimitExceeded)]
        for one in slow[:1]:
            hold_s = self._slow.refuse(one.transaction, one.reason)
            _log.warning("%s; its sender is held for %g s", one.reason, hold_s)
        return bool(slow)

    def _on_full(self, full: StoreFull) -> None:
        if self._status.state is not DriverState.PAUSED:
            _log.critical("%s: no transactions are taken until there is room", full)
            self._ledger.mempool.pause(
                "the node's disk is full, nothing can be made durable: try again later"
            )
            self._note(DriverState.PAUSED, str(full))
        self._stopping.wait(FULL_RETRY_S)

    def _note(self, state: DriverState, error: str | None = None, made: int = 0) -> None:
        self._status = DriverStatus(state, error, self._status.blocks + made)
