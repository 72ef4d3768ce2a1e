"""The words of sending: unsigned, signed, in a block."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.types import Address, Hash32, PlacedLog


@dataclass(frozen=True, slots=True)
class Unsigned:
    """An EIP-1559 transaction without value and price, which is all that this ledger needs."""

    chain_id: int
    nonce: int
    gas: int
    to: Address
    data: bytes


@dataclass(frozen=True, slots=True)
class Signed:
    """A transaction of one of this node's accounts, or one that a client has signed."""

    organisation: str
    account: Address
    nonce: int
    hash: Hash32
    raw: bytes
    """EIP-2718 envelope."""
    own: bool = True
    """Its nonce is this node's to keep; else it came signed, and its signer's."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A transaction in its block, durably."""

    hash: Hash32
    block_number: int
    block_hash: Hash32
    block_time: int
    """Unix seconds."""
    index: int
    """In the block."""
    status: int
    """1 success, 0 reverted."""
    gas_used: int
    logs: tuple[PlacedLog, ...]
    """Its own, in order."""


@dataclass(frozen=True, slots=True)
class SendingSettings:
    """Bounds of sending."""

    in_flight_max: int = 1_000
    """Transactions of one account under way; the ledger holds a gap of 1,024 nonces at most."""
    resubmit_after_s: float = 2.0
    """Then what is neither pending nor in a block is submitted again."""
    tick_s: float = 0.25
