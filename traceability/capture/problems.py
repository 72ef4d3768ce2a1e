"""What is told of a document that could not be captured: one function a reason."""

from __future__ import annotations

from ledger.types import Hash32
from traceability.capture.types import JobError

VALIDATION = "epcisException:ValidationException"
LIMIT = "epcisException:CaptureLimitExceededException"
SECURITY = "epcisException:SecurityException"
IMPLEMENTATION = "epcisException:ImplementationException"


def invalid_event(detail: str, pointer: str | None, event_index: int | None) -> JobError:
    return JobError(VALIDATION, "Event is not valid", 400, detail, pointer, event_index)


def invalid_document(detail: str, pointer: str | None) -> JobError:
    return JobError(VALIDATION, "Document is not valid", 400, detail, pointer)


def event_too_large(detail: str, pointer: str, event_index: int) -> JobError:
    return JobError(LIMIT, "Event is too large", 413, detail, pointer, event_index)


def too_many_events(count: int, count_max: int) -> JobError:
    detail = f"the document has {count} events; {count_max} are allowed"
    return JobError(LIMIT, "Document is too large", 413, detail)


def no_events() -> JobError:
    return invalid_document("the document holds no event", None)


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
