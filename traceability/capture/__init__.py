"""Capture jobs: from an accepted document to events that anybody can prove."""

from ledger.projection import StorageFailed, StorageFull
from traceability.capture.errors import (
    CaptureError,
    CaptureStopped,
    DocumentMalformed,
    DocumentTooLarge,
    KeyReused,
    NoSigner,
    NotPermitted,
    QueueFull,
)
from traceability.capture.protocol import Signer
from traceability.capture.service import CaptureService
from traceability.capture.tables import metadata
from traceability.capture.types import Anchoring, CaptureSettings, CaptureStatus, Job, JobState
from traceability.preparing import ErrorBehaviour, JobError, Prepared, PreparedEvent

__all__ = [
    "Anchoring",
    "CaptureError",
    "CaptureService",
    "CaptureSettings",
    "CaptureStatus",
    "CaptureStopped",
    "DocumentMalformed",
    "DocumentTooLarge",
    "ErrorBehaviour",
    "Job",
    "JobError",
    "JobState",
    "KeyReused",
    "NoSigner",
    "NotPermitted",
    "Prepared",
    "PreparedEvent",
    "QueueFull",
    "Signer",
    "StorageFailed",
    "StorageFull",
    "metadata",
]
