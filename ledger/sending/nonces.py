"""Nonces of this node's accounts: one keeper for a process, whoever sends with them."""

from __future__ import annotations

import threading

from ledger.sending.protocol import NonceSource
from ledger.types import Address


class Nonces:
    """Gives each nonce to one transaction. Thread-safe.

    A nonce is held from before the signature until its transaction is in a block or given up:
    what the mempool alone knows of can be dropped from it, and then still has its nonce. The next
    one given is the lowest that neither the ledger counts nor anybody holds, so a nonce given up
    is given again first.
    """

    def __init__(self, ledger: NonceSource) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._held: dict[Address, set[int]] = {}

    def reserve(self, account: Address) -> int:
        """A nonce that nobody else has. Whoever has it must `release` it in the end."""
        with self._lock:
            held = self._held.setdefault(account, set())
            nonce = self._ledger.pending_nonce(account)
            while nonce in held:
                nonce += 1
            held.add(nonce)
            return nonce

    def hold(self, account: Address, nonce: int) -> None:
        """Keep the nonce of what was signed already, before a restart say."""
        with self._lock:
            self._held.setdefault(account, set()).add(nonce)

    def release(self, account: Address, nonce: int) -> None:
        """The transaction is in a block, or will never be submitted (again). Twice is no error."""
        with self._lock:
            held = self._held.get(account)
            if held is None:
                return
            held.discard(nonce)
            if not held:
                del self._held[account]

    def next(self, account: Address) -> int:
        """What `reserve` would give, which stays free."""
        with self._lock:
            held = self._held.get(account, set())
            nonce = self._ledger.pending_nonce(account)
            while nonce in held:
                nonce += 1
            return nonce

    def fill(self, account: Address) -> int | None:
        """Reserve a nonce without which transactions held cannot run; None if none is missing.

        Such a gap is left where a nonce was given up while later ones were under way.
        """
        with self._lock:
            held = self._held.get(account)
            if not held:
                return None
            nonce = self._ledger.pending_nonce(account)
            if nonce in held or max(held) < nonce:
                return None
            held.add(nonce)
            return nonce

    def held(self, account: Address) -> int:
        """How many of the account's nonces are held."""
        with self._lock:
            return len(self._held.get(account, ()))
