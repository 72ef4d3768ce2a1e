"""What a refusal by the ledger means for one transaction."""

from __future__ import annotations

from enum import StrEnum

from ledger.evm.errors import NonceTooHigh, NonceTooLow, TransactionRefused
from ledger.mempool.errors import AlreadyKnown, Expired, NonceTaken, RefusedForNow


class Refusal(StrEnum):
    """What to do after the ledger has refused a transaction."""

    WAIT = "wait"
    """It may be taken later, or is pending already."""
    NONCE_USED = "nonce_used"
    """Another transaction has its nonce for good."""
    FINAL = "final"
    """It will never be taken."""
    UNKNOWN = "unknown"
    """Not a refusal but a fault."""


def classify(error: BaseException) -> Refusal:
    """What a refusal by `Ledger.submit`, or leaving the mempool, means for this transaction."""
    match error:
        case NonceTooLow():
            return Refusal.NONCE_USED
        case AlreadyKnown() | NonceTaken() | NonceTooHigh() | RefusedForNow() | Expired():
            return Refusal.WAIT
        case TransactionRefused():
            return Refusal.FINAL
    return Refusal.UNKNOWN
