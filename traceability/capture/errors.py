"""Why a document was not taken in. What is wrong with an accepted document stands in its job."""

from __future__ import annotations

from traceability.errors import TraceabilityError


class CaptureError(TraceabilityError):
    """Base of all errors of this room."""


class QueueFull(CaptureError):
    """More work is waiting than the service may hold. Try again after `retry_after_s`."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class CaptureStopped(CaptureError):
    """The service does not run, so it takes nothing in."""


class NoSigner(CaptureError):
    """This node holds no signing key of the organisation."""


class NotPermitted(CaptureError):
    """The organisation, or its account on this node, is not active on the ledger."""


class DocumentMalformed(CaptureError):
    """The bytes are no JSON text within the bounds of this service."""

    def __init__(self, reason: str, pointer: str | None = None) -> None:
        super().__init__(reason)
        self.pointer = pointer


class DocumentTooLarge(CaptureError):
    """More bytes or events than one document may have."""


class KeyReused(CaptureError):
    """The Idempotency-Key came before, with another document."""


class BatchUnknown(CaptureError):
    """A job was to hang on a batch that is not stored."""


class SigningFailed(CaptureError):
    """The organisation's account could not sign."""
