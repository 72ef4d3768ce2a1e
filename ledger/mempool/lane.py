"""The pending transactions of one sender."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ledger.types import Transaction


@dataclass(frozen=True, slots=True)
class Entry:
    """A pending transaction."""

    transaction: Transaction
    arrived: float
    """Monotonic seconds."""


class Lane:
    """Transactions of a sender by nonce. Not thread-safe.

    Ready are those whose nonces follow the state's without a gap; the others are queued.
    """

    __slots__ = ("_ready_end", "entries", "next_nonce", "size_bytes")

    def __init__(self, next_nonce: int) -> None:
        self.next_nonce = next_nonce
        """The nonce that the chain takes next."""
        self.entries: dict[int, Entry] = {}
        self.size_bytes = 0
        self._ready_end = next_nonce

    @property
    def ready_end(self) -> int:
        """The first nonce that is missing."""
        return self._ready_end

    @property
    def ready(self) -> int:
        """Number of transactions that could be part of the next block."""
        return self._ready_end - self.next_nonce

    def add(self, entry: Entry) -> None:
        """Requires a free nonce, not below `next_nonce`."""
        nonce = entry.transaction.nonce
        assert nonce >= self.next_nonce
        assert nonce not in self.entries
        self.entries[nonce] = entry
        self.size_bytes += len(entry.transaction.raw)
        self._extend()

    def remove(self, nonce: int) -> Transaction:
        """Take a transaction out; those after it are queued from now on."""
        transaction = self.entries.pop(nonce).transaction
        self.size_bytes -= len(transaction.raw)
        if self.next_nonce <= nonce < self._ready_end:
            self._ready_end = nonce
        return transaction

    def advance(self, next_nonce: int) -> list[Transaction]:
        """The chain has come to `next_nonce`: take out and return what lies below it."""
        passed: list[Transaction] = []
        if next_nonce <= self.next_nonce:
            return passed
        if next_nonce - self.next_nonce <= len(self.entries):
            below = [n for n in range(self.next_nonce, next_nonce) if n in self.entries]
        else:
            below = sorted(nonce for nonce in self.entries if nonce < next_nonce)
        for nonce in below:
            transaction = self.entries.pop(nonce).transaction
            self.size_bytes -= len(transaction.raw)
            passed.append(transaction)
        self.next_nonce = next_nonce
        self._ready_end = max(self._ready_end, next_nonce)
        self._extend()
        return passed

    def queued(self) -> Iterator[Entry]:
        """Those that wait for missing nonces."""
        return (entry for nonce, entry in self.entries.items() if nonce >= self._ready_end)

    def _extend(self) -> None:
        while self._ready_end in self.entries:
            self._ready_end += 1
