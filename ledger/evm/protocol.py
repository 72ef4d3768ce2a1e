"""The execution seam (D2): parent state and ordered transactions in, receipts and changes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ledger.state.protocol import StateChanges, StateReader
from ledger.types import Address, Authorization, Hash32, Receipt, Transaction

ZERO_HASH = Hash32(bytes(32))
CURVE_WORK_MAX = 10_000_000
"""Elliptic-curve work in one block unless its genesis says otherwise, nominal microseconds."""


@dataclass(frozen=True, slots=True)
class BlockEnvironment:
    """The block that transactions run in."""

    chain_id: int
    number: int
    timestamp: int
    gas_limit: int
    coinbase: Address
    mix_hash: Hash32
    parent_hash: Hash32
    block_hash: Callable[[int], Hash32 | None]
    """BLOCKHASH: hash of one of the 256 blocks before this one."""
    parent_beacon_block_root: Hash32 = ZERO_HASH
    """What the EIP-4788 system call stores, where that contract is deployed."""
    curve_work_max: int = CURVE_WORK_MAX
    """Bound on the block's elliptic-curve work, nominal microseconds; a transaction has half."""


@dataclass(frozen=True, slots=True)
class CallRequest:
    """A call that is executed but never recorded (eth_call, eth_estimateGas)."""

    sender: Address
    to: Address | None
    value: int
    data: bytes
    gas: int
    access_list: tuple[tuple[Address, tuple[int, ...]], ...] = ()
    authorization_list: tuple[Authorization, ...] = ()
    code: tuple[tuple[Address, bytes], ...] = ()
    """Code that accounts have for this call only (state overrides)."""


@dataclass(frozen=True, slots=True)
class CallResult:
    """Outcome of a call; `output` holds revert data where `reverted`."""

    output: bytes
    gas_used: int
    reverted: bool
    error: str | None
    """Other EVM failure (out of gas, invalid opcode) in words; None on success or plain revert."""


class BlockExecution(Protocol):
    """One block under execution. Not thread-safe."""

    def apply(self, transaction: Transaction, deadline: float | None = None) -> Receipt:
        """Execute the next transaction.

        Raises `TransactionRefused` (bad nonce, gas over the block's rest, intrinsic gas, …), also
        where it would still run at `deadline` (`time.monotonic`): `TimeLimitExceeded`. The state
        is then unchanged and the next transaction may follow.
        """

    def seal(self) -> StateChanges:
        """Compute the new state root and hand over all changes. Call once, last."""


class ExecutionEngine(Protocol):
    """An EVM with Prague rules, base fee zero."""

    def begin(self, parent: StateReader, env: BlockEnvironment) -> BlockExecution:
        """Start a block on top of `parent` (with EIP-4788/EIP-2935 system calls if deployed)."""

    def call(self, state: StateReader, env: BlockEnvironment, request: CallRequest) -> CallResult:
        """Execute without recording."""

    def estimate_gas(self, state: StateReader, env: BlockEnvironment, request: CallRequest) -> int:
        """Least gas with which the call succeeds. Raises `CallFailed` if none does."""
