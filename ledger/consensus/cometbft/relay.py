"""From our mempool to the engine's, which tells the other nodes.

What is pending here and could be in the next block is offered until the engine has it: at once
when it is submitted, and again after each height, after a restart of the engine, and now and then.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from ledger.consensus.cometbft.config import BATCH_REQUESTS_MAX
from ledger.consensus.cometbft.errors import EngineUnreachable
from ledger.consensus.cometbft.pool import PoolView
from ledger.consensus.cometbft.rpc import IN_CACHE
from ledger.types import Transaction

QUEUE_MAX: Final = 10_000
"""Submissions that wait to be offered; beyond, they are found in the mempool."""
BATCH_SIZE_BYTES_MAX: Final = 1 << 20
SWEEP_S: Final = 5.0
RETRY_S: Final = 0.3
RETRY_S_MAX: Final = 5.0

_log = logging.getLogger(__name__)

Broadcast = Callable[[list[bytes]], list[str | None]]


class Relay:
    """One thread that offers. Thread-safe; submitters never wait for it."""

    def __init__(
        self,
        pool: PoolView,
        broadcast: Broadcast,
        *,
        count_max: int,
        size_bytes_max: int,
    ) -> None:
        """`broadcast` raises `EngineUnreachable`; the bounds are those of the engine's mempool."""
        self._pool = pool
        self._broadcast = broadcast
        self._count_max = count_max
        self._size_bytes_max = size_bytes_max
        self._queue: deque[Transaction] = deque(maxlen=QUEUE_MAX)
        self._changed = threading.Event()
        self._sweep = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="engine-relay", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; what was not offered stays pending."""
        self._stopping.set()
        self._changed.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def offer(self, transaction: Transaction) -> None:
        """A transaction was submitted here. Never blocks."""
        self._queue.append(transaction)
        self._changed.set()

    def wake(self) -> None:
        """Something else may have to be offered. Never blocks."""
        self._sweep.set()
        self._changed.set()

    def _run(self) -> None:
        retry_s = RETRY_S
        while not self._stopping.is_set():
            if not self._changed.wait(SWEEP_S):
                self._sweep.set()
            self._changed.clear()
            try:
                self._offer_all()
                retry_s = RETRY_S
            except EngineUnreachable as error:
                _log.debug("nothing is relayed at the moment: %s", error)
                self._sweep.set()
                self._stopping.wait(retry_s)
                self._changed.set()
                retry_s = min(2 * retry_s, RETRY_S_MAX)
            except Exception:
                _log.exception("relaying failed; it is tried again")
                self._stopping.wait(RETRY_S_MAX)

    def _offer_all(self) -> None:
        while self._queue:
            self._send(self._taken())
        if self._sweep.is_set():
            self._sweep.clear()
            self._pool.try_again()
            left = self._pool.unoffered(
                count_max=self._count_max, size_bytes_max=self._size_bytes_max
            )
            for batch in _batches(left):
                if not self._send(batch):
                    return

    def _taken(self) -> list[Transaction]:
        batch: list[Transaction] = []
        size = 0
        while self._queue and len(batch) < BATCH_REQUESTS_MAX and size < BATCH_SIZE_BYTES_MAX:
            transaction = self._queue.popleft()
            batch.append(transaction)
            size += len(transaction.raw)
        return batch

    def _send(self, batch: Iterable[Transaction]) -> bool:
        """Offer them; whether the engine may take more."""
        raws = [one.raw for one in batch if not self._pool.is_offered(one.hash)]
        if not raws or self._stopping.is_set():
            return True
        refused = [one for one in self._broadcast(raws) if one is not None and IN_CACHE not in one]
        if refused:
            _log.debug("the engine took all but %d of %d: %s", len(refused), len(raws), refused[0])
        return not refused


def _batches(transactions: list[Transaction]) -> Iterable[list[Transaction]]:
    batch: list[Transaction] = []
    size = 0
    for transaction in transactions:
        batch.append(transaction)
        size += len(transaction.raw)
        if len(batch) >= BATCH_REQUESTS_MAX or size >= BATCH_SIZE_BYTES_MAX:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
