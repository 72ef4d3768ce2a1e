"""What the chain room passes around."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.evm.protocol import CURVE_WORK_MAX
from ledger.state.protocol import StateChanges
from ledger.types import Address, Block, PlacedLog, Receipt, Transaction


@dataclass(frozen=True, slots=True)
class PermissionLayout:
    """Where the state says who may transact (decision D6)."""

    contract: Address
    accounts_slot: int
    """Slot of mapping(address => struct): word 0 organisation id, word 1 status (lowest byte)."""
    organisations_slot: int
    """Slot of mapping(bytes32 => struct): word 0 status (lowest byte)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that are part of genesis, because every node must apply the same."""

    transaction_size_bytes_max: int = 1 << 20
    block_size_bytes_max: int = 8 << 20
    """Of the transactions' encodings together."""
    curve_work_max: int = CURVE_WORK_MAX
    """Elliptic-curve work of precompiled contracts in a block, nominal microseconds."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A transaction that did not get into a block."""

    transaction: Transaction
    reason: Exception
    final: bool
    """Whether it never can; otherwise a later block may take it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A block that was executed and is not yet committed."""

    block: Block
    receipts: tuple[Receipt, ...]
    changes: StateChanges
    dropped: tuple[Dropped, ...]


@dataclass(frozen=True, slots=True)
class LogHead:
    """The transparency log after a block."""

    size: int
    """Number of leaves."""
    root: bytes
    """32 bytes."""
    checkpoint: str
    """Signed note."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last block and the log after it: always seen together."""

    block: Block
    log: LogHead


@dataclass(frozen=True, slots=True)
class BlockLogs:
    """What a block adds to the log."""

    placed: tuple[PlacedLog, ...]
    leaves: tuple[bytes, ...]
    """Leaf data: one for each of `placed`, then the block's own."""
