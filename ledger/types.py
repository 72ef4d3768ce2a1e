"""The ledger room's words: transactions, logs, receipts, headers, blocks (Ethereum formats)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

Address = NewType("Address", bytes)
"""20 bytes."""
Hash32 = NewType("Hash32", bytes)
"""32 bytes."""


@dataclass(frozen=True, slots=True)
class Authorization:
    """One EIP-7702 authorization tuple."""

    chain_id: int
    address: Address
    nonce: int
    y_parity: int
    r: int
    s: int


@dataclass(frozen=True, slots=True)
class Transaction:
    """A signed transaction, decoded and with its sender recovered (EIP-2718 envelope)."""

    raw: bytes
    """Canonical EIP-2718 encoding, as submitted."""
    hash: Hash32
    sender: Address
    type: int
    """0 legacy, 1 EIP-2930, 2 EIP-1559, 4 EIP-7702."""
    chain_id: int | None
    """None only for a legacy transaction without EIP-155 (which the chain refuses)."""
    nonce: int
    to: Address | None
    """None creates a contract."""
    value: int
    gas: int
    data: bytes
    gas_price: int
    """Legacy gas price, or the max fee per gas. Wei; normally zero here."""
    max_priority_fee_per_gas: int
    access_list: tuple[tuple[Address, tuple[int, ...]], ...]
    authorization_list: tuple[Authorization, ...]
    y_parity: int
    """0 or 1."""
    r: int
    s: int


@dataclass(frozen=True, slots=True)
class Log:
    """One EVM log entry."""

    address: Address
    topics: tuple[Hash32, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """The outcome of one transaction."""

    type: int
    status: int
    """1 success, 0 reverted."""
    gas_used: int
    cumulative_gas_used: int
    logs: tuple[Log, ...]
    bloom: int
    contract_address: Address | None


@dataclass(frozen=True, slots=True)
class Header:
    """A Prague block header; field order is that of the RLP encoding."""

    parent_hash: Hash32
    uncles_hash: Hash32
    coinbase: Address
    state_root: Hash32
    transactions_root: Hash32
    receipts_root: Hash32
    bloom: int
    difficulty: int
    number: int
    gas_limit: int
    gas_used: int
    timestamp: int
    """Seconds since 1970."""
    extra_data: bytes
    mix_hash: Hash32
    nonce: bytes
    base_fee_per_gas: int
    withdrawals_root: Hash32
    blob_gas_used: int
    excess_blob_gas: int
    parent_beacon_block_root: Hash32
    requests_hash: Hash32


@dataclass(frozen=True, slots=True)
class Block:
    """A block with its transactions."""

    header: Header
    hash: Hash32
    """keccak-256 of the RLP of the header."""
    transactions: tuple[Transaction, ...]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class MinedTransaction:
    """A transaction together with the place where the chain put it."""

    transaction: Transaction
    block_hash: Hash32
    block_number: int
    block_time: int
    index: int


@dataclass(frozen=True, slots=True)
class PlacedLog:
    """A log together with the place where the chain put it."""

    log: Log
    block_hash: Hash32
    block_number: int
    block_time: int
    transaction_hash: Hash32
    transaction_index: int
    log_index: int
    """Counted within the block."""
    leaf_index: int
    """Index of its leaf in the transparency log."""


@dataclass(frozen=True, slots=True)
class CommittedBlock:
    """All that followers (projections, subscriptions) need of a block just made durable."""

    block: Block
    receipts: tuple[Receipt, ...]
    logs: tuple[PlacedLog, ...]
