"""Why a transaction of this node's own accounts was not sent, or is not in a block."""

from __future__ import annotations

from ledger.errors import LedgerError


class SendingError(LedgerError):
    """Base of all errors of this room."""


class NoSigner(SendingError):
    """This node holds no signing key of the organisation."""


class SigningFailed(SendingError):
    """The key could not sign."""


class Busy(SendingError):
    """As many transactions of this account are under way as may be: try again later."""


class WouldFail(SendingError):
    """Tried on the present state, the call fails. Nothing was signed."""

    def __init__(self, reason: str, output: bytes, *, reverted: bool) -> None:
        super().__init__(reason)
        self.output = output
        """Revert data, where `reverted`."""
        self.reverted = reverted
        """The contract refused; else it ran out of gas or failed otherwise."""


class NonceUsed(SendingError):
    """Another transaction has the nonce for good: this one can never run, the call may be signed
    anew."""


class Refused(SendingError):
    """The ledger will never take the transaction; `__cause__` is its refusal."""


class SendingStopped(SendingError):
    """The sender does not run. What was submitted may still get into a block."""


class SendingTimeout(SendingError, TimeoutError):
    """The transaction was in no block within the time given. It may still get into one."""
