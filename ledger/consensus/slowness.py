"""What becomes of those whose transactions take long: they wait, so that the others need not.

Gas says little about time here: a contract can spend a block's gas in half a minute. A node does
not propose what it cannot execute in time, and gives those who send such things fewer turns.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from ledger.mempool import Mempool
from ledger.types import Address, Transaction

SLOW_S: Final = 0.3
"""A transaction that takes longer than this costs its sender turns."""
WAIT_FACTOR: Final = 20
"""The sender then waits so many times as long: it has a twentieth of the node's time."""
HOLD_S_MIN: Final = 30.0
HOLD_S_MAX: Final = 3_600.0
SENDERS_MAX: Final = 1_024


class SlowSenders:
    """Holds the lanes of slow senders in the mempool. For one thread."""

    def __init__(self, pool: Mempool, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._clock = clock
        self._offences: OrderedDict[Address, tuple[int, float]] = OrderedDict()
        """How often in a row, and when last."""

    def took(self, sender: Address, duration_s: float) -> None:
        """A transaction of this sender, alone in its block, took so long."""
        if duration_s > SLOW_S:
            self._pool.hold(sender, min(duration_s * WAIT_FACTOR, HOLD_S_MAX))

    def refuse(self, transaction: Transaction, reason: Exception) -> float:
        """It had its full time and did not end: it goes, its sender waits for so many seconds.

        Twice as long each time, until two hours have passed without.
        """
        now, sender = self._clock(), transaction.sender
        count, last = self._offences.pop(sender, (0, now))
        if now - last > 2 * HOLD_S_MAX:
            count = 0
        self._offences[sender] = (count + 1, now)
        while len(self._offences) > SENDERS_MAX:
            self._offences.popitem(last=False)
        hold_s = min(HOLD_S_MIN * 2.0 ** min(count, 16), HOLD_S_MAX)
        self._pool.drop(transaction, reason)
        self._pool.hold(sender, hold_s)
        return hold_s
