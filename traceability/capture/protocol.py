"""What capture needs of its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from eth_account.types import TransactionDictType

from ledger.chain.types import Limits
from ledger.types import Address, Block, CommittedBlock, Hash32, MinedTransaction, Receipt
from traceability.capture.batching import EventKey
from traceability.preparing import PreparedEvent


class Signer(Protocol):
    """An organisation's account on this node. Nobody else signs with it."""

    @property
    def address(self) -> Address:
        """The account."""

    def sign_transaction(self, transaction: TransactionDictType) -> bytes:
        """The signed transaction in its EIP-2718 encoding; `ledger.crypto.AccountKey` does it."""


class Chain(Protocol):
    """The part of the `Ledger` that capture uses."""

    @property
    def chain_id(self) -> int: ...

    def limits(self) -> Limits: ...

    def head(self) -> Block: ...

    def submit(self, raw: bytes) -> Hash32: ...

    def pending_nonce(self, address: Address) -> int: ...

    def receipt(self, transaction_hash: Hash32) -> tuple[MinedTransaction, Receipt] | None: ...

    def subscribe(self, callback: Callable[[CommittedBlock], None]) -> Callable[[], None]: ...


class Projection(Protocol):
    """The part of the `Projector` that capture uses."""

    def wait_for(self, block_number: int, timeout_s: float) -> None: ...


class EventIndex(Protocol):
    """What the projection knows of events, asked before a batch is built, told after."""

    def present(self, organisation: str, keys: Sequence[EventKey]) -> set[EventKey]:
        """Those events that the organisation has anchored, unchanged, in an applied block."""

    def provenance(self) -> Address:
        """Where the current version of the Provenance contract is."""

    def prepare(self, root: bytes, events: Sequence[PreparedEvent]) -> None:
        """Hashing is done: spare the projection doing it again. A hint, no more."""
