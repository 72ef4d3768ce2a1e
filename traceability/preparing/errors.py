"""Why a document was not judged."""

from __future__ import annotations

from traceability.errors import TraceabilityError


class PreparingError(TraceabilityError):
    """Base of all errors of this room."""


class WorkersStopped(PreparingError):
    """The processes do not run any more."""


class WorkerLost(PreparingError):
    """The process that reads documents died over this one, time and again."""
