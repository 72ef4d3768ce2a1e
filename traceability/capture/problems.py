"""What is told of a document that was not anchored: one function a reason."""

from __future__ import annotations

from ledger.types import Hash32
from traceability.preparing import JobError

SECURITY = "epcisException:SecurityException"
IMPLEMENTATION = "epcisException:ImplementationException"


def unreadable(error: BaseException) -> JobError:
    detail = f"the document could not be read ({type(error).__name__}); the node's log says more"
    return JobError(IMPLEMENTATION, "Document could not be read", 500, detail)


def no_signer(organisation: str) -> JobError:
    detail = f"this node holds no signing key of {organisation}"
    return JobError(SECURITY, "Organisation cannot sign here", 403, detail)


def refused(error: BaseException) -> JobError:
    detail = f"the ledger refused the transaction: {error}; nothing of it was anchored"
    return JobError(SECURITY, "Refused by the ledger", 403, detail)


def reverted(transaction_hash: Hash32) -> JobError:
    detail = (
        f"the Provenance contract refused transaction 0x{transaction_hash.hex()}: the organisation "
        "is not active, or its role may not capture"
    )
    return JobError(SECURITY, "Refused by the contract", 403, detail)
