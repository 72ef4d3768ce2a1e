"""Why the mempool turns a transaction away, beyond the reasons of `ledger.evm.errors`."""

from __future__ import annotations

from ledger.errors import LedgerError
from ledger.evm.errors import NonceTooHigh, TransactionRefused


class MempoolError(LedgerError):
    """Base of all errors of the mempool."""


class NotPermitted(TransactionRefused, MempoolError):
    """The sender is no active account or device of an active member (decision D6).

    Blocks apply the same rule: see `ledger.chain.permission`.
    """


class AlreadyKnown(TransactionRefused, MempoolError):
    """This very transaction is pending already: nothing to do but wait for it."""


class NonceTaken(TransactionRefused, MempoolError):
    """Another transaction of this sender with this nonce is pending; none is replaced."""


class NonceGapTooLarge(NonceTooHigh, MempoolError):
    """Too many transactions with lower nonces are missing."""


class RefusedForNow(TransactionRefused, MempoolError):
    """Nothing is wrong with the transaction: the same bytes may be taken later."""


class MempoolFull(RefusedForNow):
    """The pool holds as much as it may."""


class SenderQuotaReached(RefusedForNow):
    """The pool holds as much of this sender as it may."""


class SubmissionPaused(RefusedForNow):
    """The node takes no transactions at the moment, because it could not make them durable."""


class Expired(TransactionRefused, MempoolError):
    """The transaction waited too long for missing lower nonces."""
