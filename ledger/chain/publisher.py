"""Telling others what was committed, and what became pending, without ever holding up the chain.

A follower of blocks has a thread and a place in the chain of its own and reads what it missed back
from the ledger: however slow it is, nothing queues up and nobody else waits.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ledger.chain.errors import SubscribersFull
from ledger.types import CommittedBlock, Hash32, Transaction

SUBSCRIBERS_MAX = 256
PENDING_QUEUED_MAX = 10_000
REFUSALS_KEPT_MAX = 10_000
_JOIN_S = 5.0

BlockCallback = Callable[[CommittedBlock], None]
PendingCallback = Callable[[Transaction], None]
Unsubscribe = Callable[[], None]

_log = logging.getLogger(__name__)


class BlockFeed:
    """Calls followers back after each commit, in block order. Thread-safe."""

    def __init__(self, head: Callable[[], int], committed: Callable[[int], CommittedBlock]) -> None:
        self._head = head
        self._committed = committed
        self._changed = threading.Condition()
        self._followers: dict[object, threading.Thread] = {}
        self._closed = False

    def subscribe(self, callback: BlockCallback) -> Unsubscribe:
        """Follow from the next block on. Raises `SubscribersFull`."""
        key = object()
        with self._changed:
            if len(self._followers) >= SUBSCRIBERS_MAX:
                raise SubscribersFull(f"{SUBSCRIBERS_MAX} subscriptions to blocks are open")
            thread = threading.Thread(
                target=self._follow,
                args=(key, callback, self._head() + 1),
                name="ledger-follower",
                daemon=True,
            )
            self._followers[key] = thread
        thread.start()

        def unsubscribe() -> None:
            with self._changed:
                self._followers.pop(key, None)
                self._changed.notify_all()
            if thread is not threading.current_thread():
                thread.join(_JOIN_S)

        return unsubscribe

    def notify(self) -> None:
        """A block was committed, and `head` shows it."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """End all subscriptions, after the callback that runs."""
        with self._changed:
            self._closed = True
            threads = list(self._followers.values())
            self._followers.clear()
            self._changed.notify_all()
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(_JOIN_S)

    def _follow(self, key: object, callback: BlockCallback, number: int) -> None:
        while True:
            with self._changed:
                while key in self._followers and self._head() < number:
                    self._changed.wait()
                if key not in self._followers:
                    return
            try:
                callback(self._committed(number))
            except Exception:
                if self._closed:
                    return
                _log.exception("a follower failed at block %d; it goes on with the next", number)
            number += 1


class PendingFeed:
    """Calls back for each transaction that becomes pending. Thread-safe.

    Best effort: a follower that falls far behind misses transactions.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._callbacks: dict[object, PendingCallback] = {}
        self._queue: deque[Transaction] = deque(maxlen=PENDING_QUEUED_MAX)
        self._thread: threading.Thread | None = None
        self._closed = False

    def subscribe(self, callback: PendingCallback) -> Unsubscribe:
        """Follow from now on. Raises `SubscribersFull`."""
        key = object()
        with self._changed:
            if len(self._callbacks) >= SUBSCRIBERS_MAX:
                raise SubscribersFull(f"{SUBSCRIBERS_MAX} subscriptions to transactions are open")
            self._callbacks[key] = callback
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(
                    target=self._run, name="ledger-pending", daemon=True
                )
                self._thread.start()

        def unsubscribe() -> None:
            with self._changed:
                self._callbacks.pop(key, None)

        return unsubscribe

    def publish(self, transaction: Transaction) -> None:
        """Hand over; returns at once."""
        if not self._callbacks:
            return
        with self._changed:
            self._queue.append(transaction)
            self._changed.notify()

    def close(self) -> None:
        """End all subscriptions."""
        with self._changed:
            self._closed = True
            self._callbacks.clear()
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_JOIN_S)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._queue and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                transaction = self._queue.popleft()
                callbacks = list(self._callbacks.values())
            for callback in callbacks:
                try:
                    callback(transaction)
                except Exception:
                    _log.exception("a follower of pending transactions failed")


class Waiters:
    """Who waits for which transaction. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: dict[Hash32, list[threading.Event]] = {}
        self._refused: OrderedDict[Hash32, Exception] = OrderedDict()

    @contextmanager
    def listen(self, transaction_hash: Hash32) -> Iterator[threading.Event]:
        """An event that is set once the transaction is in a block or can never be."""
        event = threading.Event()
        with self._lock:
            if transaction_hash in self._refused:
                event.set()
            self._events.setdefault(transaction_hash, []).append(event)
        try:
            yield event
        finally:
            with self._lock:
                events = self._events[transaction_hash]
                events.remove(event)
                if not events:
                    del self._events[transaction_hash]

    def admitted(self, transaction_hash: Hash32) -> None:
        """The transaction is pending (again): forget why it once was not."""
        if self._refused:
            with self._lock:
                self._refused.pop(transaction_hash, None)

    def refused(self, transaction_hash: Hash32, reason: Exception) -> None:
        """The transaction left the pool without a block."""
        with self._lock:
            self._refused[transaction_hash] = reason
            while len(self._refused) > REFUSALS_KEPT_MAX:
                self._refused.popitem(last=False)
            self._wake(transaction_hash)

    def reason(self, transaction_hash: Hash32) -> Exception | None:
        """Why the transaction left the pool without a block, if it did lately."""
        return self._refused.get(transaction_hash)

    def mined(self, transactions: tuple[Transaction, ...]) -> None:
        """These are in a block, durably."""
        if not self._events:
            return
        with self._lock:
            for transaction in transactions:
                self._wake(transaction.hash)

    def wake_all(self) -> None:
        """The ledger closes: nobody shall wait on."""
        with self._lock:
            for events in self._events.values():
                for event in events:
                    event.set()

    def _wake(self, transaction_hash: Hash32) -> None:
        for event in self._events.get(transaction_hash, ()):
            event.set()
