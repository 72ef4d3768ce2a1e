"""What can be wrong with the payload of a batch. Recorded with the batch, never raised outside."""

from __future__ import annotations

from traceability.errors import TraceabilityError


class BatchProjectionError(TraceabilityError):
    """Base of all errors of this room."""


class PayloadUnreadable(BatchProjectionError):
    """The payload is not a list of EPCIS events in anchored form."""


class PayloadMismatch(BatchProjectionError):
    """The payload's events are not those under the anchored root."""
