"""What the mempool is bounded by, and what it tells about itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MempoolLimits:
    """Bounds. Sizes count the transactions' encodings; memory is about 1.5 kB more for each."""

    transactions_max: int = 40_000
    size_bytes_max: int = 96 << 20
    sender_transactions_max: int = 10_000
    sender_size_bytes_max: int = 48 << 20
    nonce_gap_max: int = 1_024
    """How far above the next missing nonce a transaction may be."""
    queued_lifetime_s: float = 600.0
    """How long a transaction is held that waits for missing nonces."""


@dataclass(frozen=True, slots=True)
class SenderState:
    """What the state of the head says about a sender."""

    nonce: int
    balance: int
    """Wei."""
    is_contract: bool
    """Has code other than an EIP-7702 delegation (EIP-3607)."""
    refusal: str | None
    """Why the sender may not transact; None where it may."""


@dataclass(frozen=True, slots=True)
class MempoolStatus:
    """How full the pool is."""

    pending: int
    """Transactions that could be part of the next block."""
    queued: int
    """Transactions that wait for missing nonces."""
    size_bytes: int
    paused: str | None
    """Why submissions are refused; None where they are taken."""
