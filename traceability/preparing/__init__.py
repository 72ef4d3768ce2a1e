"""Judging and hashing documents, in processes of their own that know nothing of a ledger."""

from traceability.preparing.errors import PreparingError, WorkerLost, WorkersStopped
from traceability.preparing.types import (
    ErrorBehaviour,
    JobError,
    Prepared,
    PreparedEvent,
    PreparingSettings,
)
from traceability.preparing.workers import Workers

__all__ = [
    "ErrorBehaviour",
    "JobError",
    "Prepared",
    "PreparedEvent",
    "PreparingError",
    "PreparingSettings",
    "WorkerLost",
    "Workers",
    "WorkersStopped",
]
