"""Pending transactions, in nonce order per sender and in fair turns across senders.

Nothing pending is ever replaced: gas is not priced, so no bid could justify it. The pool lives in
memory: a crash loses it, and what makes a transaction durable is the block (`Ledger.wait_for`).
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator

from ledger.evm.errors import NonceTooLow, TransactionRefused
from ledger.mempool.admission import ChainRules, check_form, check_sender
from ledger.mempool.errors import (
    AlreadyKnown,
    Expired,
    MempoolFull,
    NonceGapTooLarge,
    NonceTaken,
    SenderQuotaReached,
    SubmissionPaused,
)
from ledger.mempool.lane import Entry, Lane
from ledger.mempool.protocol import SenderView
from ledger.mempool.types import MempoolLimits, MempoolStatus
from ledger.types import Address, Hash32, Transaction

EXPIRY_INTERVAL_S = 5.0
HELD_SENDERS_MAX = 4_096
_READY_POLL_S = 1.0

DropCallback = Callable[[Transaction, Exception], None]


class Mempool:
    """Thread-safe. `view` gives the senders in the state of the present head."""

    def __init__(
        self,
        rules: ChainRules,
        view: Callable[[], SenderView],
        limits: MempoolLimits | None = None,
        dropped: DropCallback = lambda _transaction, _reason: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`dropped` is told of each transaction that left without a block; it must not block."""
        self._rules = rules
        self._view = view
        self._limits = limits or MempoolLimits()
        self._dropped = dropped
        self._clock = clock
        self._lock = threading.Lock()
        self._arrived = threading.Condition(self._lock)
        self._lanes: OrderedDict[Address, Lane] = OrderedDict()
        """In the order of turns: who was served longest ago comes first."""
        self._held: OrderedDict[Address, float] = OrderedDict()
        """Until when nothing of a sender is selected, also while nothing of it is pending."""
        self._by_hash: dict[Hash32, Transaction] = {}
        self._size_bytes = 0
        self._paused: str | None = None
        self._closed = False
        self._woken = False
        self._next_expiry = clock() + EXPIRY_INTERVAL_S

    # ---- coming in ----------------------------------------------------------------------------

    def add(self, transaction: Transaction) -> None:
        """Take a transaction. Raises a `TransactionRefused` that says why not."""
        while True:
            view, rules = self._view(), self._rules
            check_form(transaction, rules)
            sender = view.sender(transaction.sender)
            with self._lock:
                if self._paused is not None:
                    raise SubmissionPaused(self._paused)
                if transaction.hash in self._by_hash:
                    raise AlreadyKnown(f"transaction 0x{transaction.hash.hex()} is already known")
                if self._view() is not view or self._rules is not rules:
                    continue  # a block was made meanwhile: the sender must be looked up again
                check_sender(transaction, sender)
                self._insert(transaction, sender.nonce)
                self._arrived.notify()
                return

    def _insert(self, transaction: Transaction, state_nonce: int) -> None:
        lane = self._lanes.get(transaction.sender)
        self._check_bounds(transaction, lane)
        if lane is None:
            lane = Lane(state_nonce)
        if transaction.nonce < lane.next_nonce:
            raise NonceTooLow(f"nonce too low: have {transaction.nonce}, want {lane.next_nonce}")
        if transaction.nonce in lane.entries:
            other = lane.entries[transaction.nonce].transaction
            raise NonceTaken(
                f"nonce {transaction.nonce} is taken by pending transaction "
                f"0x{other.hash.hex()}; pending transactions are not replaced"
            )
        if transaction.nonce - lane.ready_end > self._limits.nonce_gap_max:
            raise NonceGapTooLarge(
                f"nonce too high: have {transaction.nonce}, next is {lane.ready_end}; a gap of at "
                f"most {self._limits.nonce_gap_max} is held"
            )
        lane.add(Entry(transaction, self._clock()))
        self._lanes[transaction.sender] = lane
        self._by_hash[transaction.hash] = transaction
        self._size_bytes += len(transaction.raw)

    def _check_bounds(self, transaction: Transaction, lane: Lane | None) -> None:
        limits, size = self._limits, len(transaction.raw)
        if self._is_full(size):
            self._expire()
            if self._is_full(size):
                raise MempoolFull(
                    f"{len(self._by_hash)} transactions of {self._size_bytes} bytes are pending, "
                    f"at most {limits.transactions_max} of {limits.size_bytes_max} bytes: "
                    "try again later"
                )
        if lane is None:
            return
        if (
            len(lane.entries) >= limits.sender_transactions_max
            or lane.size_bytes + size > limits.sender_size_bytes_max
        ):
            raise SenderQuotaReached(
                f"{len(lane.entries)} transactions of {lane.size_bytes} bytes of this sender are "
                f"pending, at most {limits.sender_transactions_max} of "
                f"{limits.sender_size_bytes_max} bytes: try again later"
            )

    def _is_full(self, size: int) -> bool:
        return (
            len(self._by_hash) >= self._limits.transactions_max
            or self._size_bytes + size > self._limits.size_bytes_max
        )

    def pause(self, reason: str) -> None:
        """Refuse submissions, saying why, until `resume`."""
        with self._lock:
            self._paused = reason

    def resume(self) -> None:
        """Take submissions again."""
        with self._lock:
            self._paused = None

    def set_rules(self, rules: ChainRules) -> None:
        """Other bounds hold from now on. What is pending beyond them is dropped."""
        with self._lock:
            self._rules = rules
            for transaction in list(self._by_hash.values()):
                try:
                    check_form(transaction, rules)
                except TransactionRefused as refused:
                    self._drop(transaction, refused)

    # ---- going into a block -------------------------------------------------------------------

    def wait_ready(self, timeout_s: float) -> bool:
        """Wait until something could be part of a block; False after `timeout_s` or `wake`."""
        deadline = self._clock() + timeout_s
        with self._arrived:
            while not self._any_ready():
                left = deadline - self._clock()
                if left <= 0 or self._closed or self._woken:
                    self._woken = False
                    return False
                self._arrived.wait(min(left, _READY_POLL_S))
            return True

    def wake(self) -> None:
        """Let the `wait_ready` at hand, or else the next that would wait, return at once."""
        with self._arrived:
            self._woken = True
            self._arrived.notify_all()

    def close(self) -> None:
        """Let `wait_ready` return at once from now on."""
        with self._arrived:
            self._closed = True
            self._arrived.notify_all()

    def _any_ready(self) -> bool:
        return any(True for _ in self._open_lanes())

    def _open_lanes(self) -> Iterator[Lane]:
        """Those with something for the next block whose sender nobody holds."""
        now = self._clock()
        for sender, lane in self._lanes.items():
            if lane.ready and not self._is_held(sender, now):
                yield lane

    def _is_held(self, sender: Address, now: float) -> bool:
        return self._held.get(sender, now) > now

    def select(self, *, transactions_max: int, size_bytes_max: int) -> list[Transaction]:
        """What the next block should try, in order. Everything stays pending until `settle`.

        One transaction of each sender in turn, beginning with the one served longest ago.
        """
        chosen: list[Transaction] = []
        left = size_bytes_max
        with self._lock:
            turns = deque((lane, lane.next_nonce) for lane in self._open_lanes())
            while turns and len(chosen) < transactions_max:
                lane, nonce = turns.popleft()
                transaction = lane.entries[nonce].transaction
                if len(transaction.raw) > left:
                    continue
                left -= len(transaction.raw)
                chosen.append(transaction)
                if nonce + 1 < lane.ready_end:
                    turns.append((lane, nonce + 1))
        return chosen

    def hold(self, sender: Address, duration_s: float) -> None:
        """Select nothing of this sender for a while, nor of what comes meanwhile. All stays.

        The longer of two holds counts.
        """
        with self._lock:
            until = max(self._clock() + duration_s, self._held.pop(sender, 0.0))
            self._held[sender] = until
            while len(self._held) > HELD_SENDERS_MAX:
                self._held.popitem(last=False)

    # ---- going out ----------------------------------------------------------------------------

    def settle(self, mined: Iterable[Transaction]) -> None:
        """A block was committed with these transactions. Call it after `view` shows that block."""
        with self._arrived:
            for transaction in mined:
                lane = self._lanes.get(transaction.sender)
                if lane is None:
                    continue
                for passed in lane.advance(transaction.nonce + 1):
                    self._forget(passed)
                    if passed.hash != transaction.hash:
                        self._dropped(
                            passed,
                            NonceTooLow(
                                f"nonce {passed.nonce} was used by 0x{transaction.hash.hex()}"
                            ),
                        )
                self._lanes.move_to_end(transaction.sender)
                self._prune(transaction.sender, lane)
            if self._clock() >= self._next_expiry:
                self._expire()
            self._arrived.notify()

    def drop(self, transaction: Transaction, reason: Exception) -> None:
        """Take out a transaction that can never be part of a block."""
        with self._lock:
            self._drop(transaction, reason)

    def _drop(self, transaction: Transaction, reason: Exception) -> None:
        if transaction.hash not in self._by_hash:
            return
        lane = self._lanes[transaction.sender]
        self._forget(lane.remove(transaction.nonce))
        self._prune(transaction.sender, lane)
        self._dropped(transaction, reason)

    def _expire(self) -> None:
        """Take out what has waited too long for missing nonces."""
        now = self._clock()
        self._next_expiry = now + EXPIRY_INTERVAL_S
        for sender in [one for one, until in self._held.items() if until <= now]:
            del self._held[sender]
        oldest = now - self._limits.queued_lifetime_s
        late = [
            (entry.transaction, lane.ready_end)
            for lane in self._lanes.values()
            if lane.ready < len(lane.entries)
            for entry in lane.queued()
            if entry.arrived < oldest
        ]
        for transaction, missing in late:
            self._drop(transaction, Expired(f"nonce {missing} did not come in time"))

    def _forget(self, transaction: Transaction) -> None:
        del self._by_hash[transaction.hash]
        self._size_bytes -= len(transaction.raw)

    def _prune(self, sender: Address, lane: Lane) -> None:
        if not lane.entries:
            self._lanes.pop(sender, None)

    # ---- looking ------------------------------------------------------------------------------

    def get(self, transaction_hash: Hash32) -> Transaction | None:
        """A pending transaction."""
        return self._by_hash.get(transaction_hash)

    def is_ready(self, transaction_hash: Hash32) -> bool:
        """Whether the next block could have it: nothing is missing before it, nobody holds it."""
        with self._lock:
            transaction = self._by_hash.get(transaction_hash)
            if transaction is None:
                return False
            lane = self._lanes[transaction.sender]
            is_held = self._is_held(transaction.sender, self._clock())
            return transaction.nonce < lane.ready_end and not is_held

    def ready_count(self) -> int:
        """How many the next block could have, if it were large enough."""
        with self._lock:
            return sum(lane.ready for lane in self._open_lanes())

    def pending(self) -> tuple[Transaction, ...]:
        """All that could be part of the next block, by sender and nonce."""
        with self._lock:
            return tuple(
                lane.entries[nonce].transaction
                for lane in self._lanes.values()
                for nonce in range(lane.next_nonce, lane.ready_end)
            )

    def next_nonce(self, sender: Address) -> int:
        """The nonce after the last one that follows without a gap, pending ones included."""
        while True:
            view = self._view()
            nonce = view.sender(sender).nonce
            with self._lock:
                lane = self._lanes.get(sender)
                if lane is not None:
                    return max(nonce, lane.ready_end)
                if self._view() is view:
                    return nonce

    def status(self) -> MempoolStatus:
        """How full it is."""
        with self._lock:
            ready = sum(lane.ready for lane in self._lanes.values())
            return MempoolStatus(
                pending=ready,
                queued=len(self._by_hash) - ready,
                size_bytes=self._size_bytes,
                paused=self._paused,
            )

    def __len__(self) -> int:
        return len(self._by_hash)
