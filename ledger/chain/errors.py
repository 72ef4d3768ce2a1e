"""What the chain refuses, and what can be wrong with a stored one."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.chain.types import Dropped
from ledger.errors import LedgerError


class ChainError(LedgerError):
    """Base of all errors of the chain room."""


class GenesisInvalid(ChainError):
    """The genesis file is not one, or asks for what this ledger does not do."""


class GenesisMismatch(ChainError):
    """The directory holds a ledger with another genesis."""


class GenesisMissing(ChainError):
    """A new ledger was to be opened without saying with which genesis."""


class TransactionFailed(ChainError):
    """Executing one transaction hit a fault of the engine: a defect, not a refusal."""

    def __init__(self, place: Dropped) -> None:
        super().__init__(
            f"executing transaction 0x{place.transaction.hash.hex()} failed: "
            f"{type(place.reason).__name__}: {place.reason}"
        )
        self.transaction = place.transaction


class BlockInvalid(ChainError):
    """A block breaks a rule; nothing of it was taken."""


class BlockEmpty(ChainError):
    """None of the transactions could be part of a block, and a block without any does not exist."""

    def __init__(self, dropped: Sequence[Dropped]) -> None:
        first = f": {dropped[0].reason}" if dropped else ""
        super().__init__(f"no block: none of {len(dropped)} transactions can be part of one{first}")
        self.dropped = tuple(dropped)


class BlockUnknown(ChainError):
    """There is no such block here."""


class StateNotKept(BlockUnknown):
    """The block is here, but not the state after it: this chain came out of a later snapshot."""


class NotAtGenesis(ChainError):
    """Only a ledger without any block of its own can be filled from a snapshot."""


class ForkRefused(ChainError):
    """The log would sign another history of sizes that it has signed before."""


class ChainDamaged(ChainError):
    """Stored parts of the chain do not agree with each other."""


class SignerMismatch(ChainError):
    """The stored checkpoint was signed with another key than the one given."""


class LedgerClosed(ChainError):
    """The ledger is closed."""


class WaitTimeout(ChainError, TimeoutError):
    """The transaction was not in a block within the time given. It may still get into one."""


class SubscribersFull(ChainError):
    """Too many subscriptions are open."""
