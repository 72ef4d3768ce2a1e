"""Pending transactions: the door, nonce order, fair turns, bounds."""

from ledger.mempool.admission import ChainRules, check_form, check_sender
from ledger.mempool.errors import (
    AlreadyKnown,
    Expired,
    MempoolError,
    MempoolFull,
    NonceGapTooLarge,
    NonceTaken,
    NotPermitted,
    RefusedForNow,
    SenderQuotaReached,
    SubmissionPaused,
)
from ledger.mempool.pool import Mempool
from ledger.mempool.protocol import SenderView
from ledger.mempool.types import MempoolLimits, MempoolStatus, SenderState

__all__ = [
    "AlreadyKnown",
    "ChainRules",
    "Expired",
    "Mempool",
    "MempoolError",
    "MempoolFull",
    "MempoolLimits",
    "MempoolStatus",
    "NonceGapTooLarge",
    "NonceTaken",
    "NotPermitted",
    "RefusedForNow",
    "SenderQuotaReached",
    "SenderState",
    "SenderView",
    "SubmissionPaused",
    "check_form",
    "check_sender",
]
