"""Why a transaction or a call is turned away. The mempool uses the same classes."""

from __future__ import annotations

from ledger.errors import LedgerError


class EvmError(LedgerError):
    """Base of all errors of the EVM room."""


class TransactionRefused(EvmError):
    """The transaction cannot be part of the block. The state is unchanged."""


class TransactionMalformed(TransactionRefused):
    """The bytes are not a well-formed, correctly signed transaction."""


class TransactionTooLarge(TransactionMalformed):
    """The encoding is longer than this chain accepts."""


class TransactionTypeUnsupported(TransactionMalformed):
    """The EIP-2718 type is unknown, or one that this chain does not carry (blobs)."""


class SignatureInvalid(TransactionMalformed):
    """The signature is out of range, not canonical (EIP-2), or recovers no key."""


class ChainIdMissing(TransactionMalformed):
    """A legacy transaction without EIP-155 replay protection."""


class ChainIdMismatch(TransactionRefused):
    """Signed for another chain."""


class NonceTooLow(TransactionRefused):
    """The sender has used this nonce already."""


class NonceTooHigh(TransactionRefused):
    """Transactions with lower nonces of this sender are missing."""


class GasLimitExceeded(TransactionRefused):
    """More gas than the block has left."""


class WorkLimitExceeded(GasLimitExceeded):
    """More elliptic-curve work than the block has left."""


class TimeLimitExceeded(TransactionRefused):
    """It runs longer than this machine gives it in a block that is not yet agreed on."""


class IntrinsicGasTooLow(TransactionRefused):
    """Less gas than the transaction costs before execution (with the EIP-7623 floor)."""


class InitCodeTooLarge(TransactionRefused):
    """Contract creation code beyond the EIP-3860 limit."""


class InsufficientFunds(TransactionRefused):
    """The sender cannot pay value and gas."""


class FeeInvalid(TransactionRefused):
    """The priority fee is above the fee cap (EIP-1559)."""


class SenderIsContract(TransactionRefused):
    """The sender's account has code (EIP-3607)."""


class AuthorizationListEmpty(TransactionRefused):
    """A type 4 transaction without authorizations (EIP-7702)."""


class CallFailed(EvmError):
    """No amount of gas makes the call succeed."""

    def __init__(self, reason: str, output: bytes, reverted: bool) -> None:
        super().__init__(reason)
        self.output = output
        """Revert data, where `reverted`."""
        self.reverted = reverted


class CallTimeout(EvmError):
    """A call that leaves no trace took longer than the node gives it."""


class BackendMissing(EvmError, ImportError):
    """A native library that execution speed depends on is not in use."""
