"""What sending needs of its neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ledger.chain.types import Limits
from ledger.evm import CallRequest, CallResult
from ledger.types import (
    Address,
    CommittedBlock,
    Hash32,
    MinedTransaction,
    PlacedLog,
    Receipt,
    Transaction,
)


class Signer(Protocol):
    """An organisation's account on this node; `ledger.crypto` has keys in files and on tokens."""

    @property
    def address(self) -> Address:
        """The account."""

    def sign_digest(self, digest: bytes) -> bytes:
        """r, s and the recovery id (0 or 1), 65 bytes; s is in the lower half (EIP-2)."""


class NonceSource(Protocol):
    """Who knows an account's next nonce."""

    def pending_nonce(self, address: Address) -> int:
        """The first that neither a block nor the pending transactions without a gap have used."""


class Chain(NonceSource, Protocol):
    """The part of the `Ledger` that sending uses."""

    @property
    def chain_id(self) -> int: ...

    def limits(self) -> Limits: ...

    def call_next(self, request: CallRequest) -> CallResult: ...

    def submit(self, raw: bytes) -> Hash32: ...

    def wait_for(
        self, transaction_hash: Hash32, timeout_s: float
    ) -> tuple[MinedTransaction, Receipt]: ...

    def receipt(self, transaction_hash: Hash32) -> tuple[MinedTransaction, Receipt] | None: ...

    def pending_transaction(self, transaction_hash: Hash32) -> Transaction | None: ...

    def logs(self, block_number: int) -> tuple[PlacedLog, ...]: ...

    def subscribe(self, callback: Callable[[CommittedBlock], None]) -> Callable[[], None]: ...
