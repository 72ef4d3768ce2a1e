"""What the chain room passes around."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from ledger.evm.protocol import CURVE_WORK_MAX
from ledger.state.protocol import StateChanges
from ledger.types import Address, Block, Hash32, PlacedLog, Receipt, Transaction


@dataclass(frozen=True, slots=True)
class PermissionLayout:
    """Where the state says who may transact (decision D6)."""

    contract: Address
    accounts_slot: int
    """Slot of mapping(address => struct): word 0 organisation id, word 1 status (lowest byte)."""
    organisations_slot: int
    """Slot of mapping(bytes32 => struct): word 0 status (lowest byte)."""


@dataclass(frozen=True, slots=True)
class NodesLayout:
    """Where the state says which nodes there are (docs/consortium.md, "Who is in")."""

    contract: Address
    ids_slot: int
    """Slot of bytes32[]: node ids, left-aligned."""
    nodes_slot: int
    """Slot of mapping(bytes32 => struct): word 0 organisation id, word 1 status (lowest byte) and
    power (the eight bytes above it), word 2 validator key."""


@dataclass(frozen=True, slots=True)
class ParametersLayout:
    """Where the state keeps the bounds that members changed."""

    contract: Address
    values_slot: int
    """Slot of mapping(bytes32 name => uint256); 0 means "as in genesis"."""


@dataclass(frozen=True, slots=True)
class NodeEntry:
    """A node of the consortium as the state has it after some block."""

    id: bytes
    """20 bytes: the address of the key by which its peers know it."""
    organisation: str
    active: bool
    """Whether its own status and its organisation's are active."""
    power: int
    """Voting power in consensus; 0 where it is not active or does not validate."""
    validator_key: bytes | None
    """Ed25519, 32 bytes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that every node must apply alike: genesis names them, Parameters may change them."""

    transaction_size_bytes_max: int = 1 << 20
    block_size_bytes_max: int = 8 << 20
    """Of the transactions' encodings together."""
    curve_work_max: int = CURVE_WORK_MAX
    """Elliptic-curve work of precompiled contracts in a block, nominal microseconds."""
    block_gas_limit: int = 30_000_000


@dataclass(frozen=True, slots=True)
class Deadlines:
    """When the execution of a block that nobody has agreed on yet must end (`time.monotonic`).

    No rule of the chain: machines differ. What a node would take too long for it does not
    propose, and does not vote for.
    """

    first: float
    """Of the first transaction."""
    others: float

    @classmethod
    def after(cls, first_s: float, others_s: float | None = None) -> Deadlines:
        """Seconds from now; all alike where one figure is given."""
        now = time.monotonic()
        return cls(now + first_s, now + (first_s if others_s is None else others_s))


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
class Executed:
    """The next block, executed on the head and kept by nobody yet (`Ledger.execute`)."""

    candidate: Candidate = field(repr=False)
    logs: BlockLogs = field(repr=False)
    tiles: Mapping[tuple[int, int], bytes] = field(repr=False)
    """Tiles of the log that the block changes, whole."""
    log_size: int
    """Leaves of the log after the block."""
    log_root: bytes
    """Root of the log after the block, 32 bytes."""
    nodes: tuple[NodeEntry, ...]
    """The consortium's nodes after the block."""
    limits: Limits
    """Bounds of the block that follows."""

    @property
    def block(self) -> Block:
        """The block."""
        return self.candidate.block

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        """Of its transactions, in order."""
        return self.candidate.receipts

    @property
    def dropped(self) -> tuple[Dropped, ...]:
        """Transactions that could not be part of it."""
        return self.candidate.dropped

    @property
    def parent_hash(self) -> Hash32:
        """Hash of the head it was executed on."""
        return self.candidate.block.header.parent_hash


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
