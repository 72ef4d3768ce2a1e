"""The engine's mempool as a shadow of ours: CheckTx, and what it still must be offered.

The engine gossips transactions and wakes up for them; which of them make a block is chosen from
our own mempool. So the engine's must hold only what could be in the next block: anything else
would have it make empty blocks for ever.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ledger.chain import Ledger, LedgerClosed
from ledger.consensus.cometbft import abci_pb2 as pb
from ledger.evm import InsufficientFunds, TransactionRefused
from ledger.mempool import AlreadyKnown, NonceGapTooLarge, NotPermitted, RefusedForNow
from ledger.state import keccak
from ledger.types import Hash32, Transaction

CODE_OK: Final = 0
CODE_REFUSED: Final = 1
CODE_WAITS: Final = 2
"""Held by the node until lower nonces come; offered again then."""
CODESPACE: Final = "tallystick"
AGAIN_MAX: Final = 1_000
AGAIN_SIZE_BYTES_MAX: Final = 8 << 20
AGAIN_S: Final = 30.0
AGAIN_TRIES: Final = 3
_LATER: Final = (NotPermitted, InsufficientFunds, NonceGapTooLarge, RefusedForNow)
"""Refusals that may be only because this node is a block behind the sender's."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Again:
    """A transaction of a peer, refused at this head: peers do not send it twice."""

    raw: bytes
    until: float
    tries: int = 0


class PoolView:
    """Thread-safe."""

    def __init__(
        self,
        ledger: Ledger,
        wake: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`wake` is called when something may have to be offered; it must not block."""
        self._ledger = ledger
        self._wake = wake
        self._clock = clock
        self._lock = threading.Lock()
        self._height = 0
        self._offered: dict[Hash32, int] = {}
        """What the engine's mempool holds, with the height at which it was checked last."""
        self._again: OrderedDict[Hash32, _Again] = OrderedDict()
        self._again_size_bytes = 0
        self._waiting = False

    # ---- the engine asks --------------------------------------------------------------------

    def check(self, request: pb.RequestCheckTx) -> pb.ResponseCheckTx:
        """Whether the engine's mempool shall hold a transaction (on)."""
        tx_hash = Hash32(keccak(request.tx))
        try:
            if request.type == pb.CheckTxType.RECHECK:
                return self._recheck(tx_hash)
            return self._check(tx_hash, request.tx)
        except LedgerClosed as closed:
            return _refused(str(closed))
        except Exception as fault:
            _log.exception("checking 0x%s failed", tx_hash.hex())
            return _refused(f"the node could not check it: {type(fault).__name__}")

    def _check(self, tx_hash: Hash32, raw: bytes) -> pb.ResponseCheckTx:
        found = self._ledger.pending_transaction(tx_hash)
        if found is None:
            try:
                self._ledger.receive(raw)
            except AlreadyKnown:
                pass
            except TransactionRefused as refused:
                if isinstance(refused, _LATER):
                    self._try_later(tx_hash, raw)
                return _refused(str(refused))
            found = self._ledger.pending_transaction(tx_hash)
        if found is None or not self._ledger.mempool.is_ready(tx_hash):
            self._waiting = True
            return pb.ResponseCheckTx(
                code=CODE_WAITS, codespace=CODESPACE, log="it waits for lower nonces"
            )
        with self._lock:
            self._offered[tx_hash] = self._height
        if self._waiting:
            self._waiting = False
            self._wake()
        return pb.ResponseCheckTx(code=CODE_OK, gas_wanted=found.gas)

    def _recheck(self, tx_hash: Hash32) -> pb.ResponseCheckTx:
        if self._ledger.mempool.is_ready(tx_hash):
            with self._lock:
                self._offered[tx_hash] = self._height
            return pb.ResponseCheckTx(code=CODE_OK)
        with self._lock:
            self._offered.pop(tx_hash, None)
        return _refused("it is pending no more")

    # ---- a height passes --------------------------------------------------------------------

    def advanced(self) -> None:
        """A height is durable. What the engine did not recheck since the last one it has not."""
        with self._lock:
            height = self._height
            for tx_hash in [one for one, seen in self._offered.items() if seen < height]:
                del self._offered[tx_hash]
            self._height = height + 1
        self._wake()

    def restarted(self) -> None:
        """The engine begins with an empty mempool."""
        with self._lock:
            self._offered.clear()
        self._wake()

    # ---- what to offer ----------------------------------------------------------------------

    def is_offered(self, tx_hash: Hash32) -> bool:
        """Whether the engine's mempool holds it, as far as we know."""
        return tx_hash in self._offered

    @property
    def offered_count(self) -> int:
        """How many the engine's mempool holds, as far as we know."""
        return len(self._offered)

    def unoffered(self, *, count_max: int, size_bytes_max: int) -> list[Transaction]:
        """Of the `count_max` transactions that would be chosen first, those the engine has not."""
        with self._lock:
            if self._ledger.mempool.ready_count() <= len(self._offered):
                return []
        ready = self._ledger.mempool.select(
            transactions_max=count_max, size_bytes_max=size_bytes_max
        )
        return [one for one in ready if one.hash not in self._offered]

    # ---- second chances ---------------------------------------------------------------------

    def _try_later(self, tx_hash: Hash32, raw: bytes) -> None:
        with self._lock:
            if tx_hash in self._again or len(raw) > AGAIN_SIZE_BYTES_MAX:
                return
            self._again[tx_hash] = _Again(raw, self._clock() + AGAIN_S)
            self._again_size_bytes += len(raw)
            while len(self._again) > AGAIN_MAX or self._again_size_bytes > AGAIN_SIZE_BYTES_MAX:
                _, oldest = self._again.popitem(last=False)
                self._again_size_bytes -= len(oldest.raw)

    def try_again(self) -> None:
        """Take what was refused at an older head, if it can be taken now."""
        with self._lock:
            entries = list(self._again.items())
        for tx_hash, entry in entries:
            entry.tries += 1
            done = entry.tries >= AGAIN_TRIES or self._clock() > entry.until
            try:
                self._ledger.receive(entry.raw)
            except TransactionRefused as refused:
                done = done or not isinstance(refused, _LATER)
            else:
                done = True
            if done:
                with self._lock:
                    if self._again.pop(tx_hash, None) is not None:
                        self._again_size_bytes -= len(entry.raw)


def _refused(reason: str) -> pb.ResponseCheckTx:
    return pb.ResponseCheckTx(code=CODE_REFUSED, codespace=CODESPACE, log=reason[:500])
