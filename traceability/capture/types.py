"""The words of capture: jobs, and batches on their way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ledger.types import Address, Hash32
from traceability.preparing import ErrorBehaviour, JobError, PreparingSettings


class JobState(StrEnum):
    """Where a job stands. Only the last two are final."""

    ACCEPTED = "accepted"
    ANCHORING = "anchoring"
    DONE = "done"
    FAILED = "failed"


class BatchState(StrEnum):
    """Where a batch's transaction stands. All but the first are final."""

    STORED = "stored"
    ANCHORED = "anchored"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Anchoring:
    """A transaction that carries events of a job."""

    transaction_hash: Hash32
    block_number: int | None
    """None until the chain has it."""


@dataclass(frozen=True, slots=True)
class Job:
    """A capture job as the world may see it."""

    capture_id: str
    organisation: str
    error_behaviour: ErrorBehaviour
    state: JobState
    created_at: datetime
    finished_at: datetime | None
    event_ids: tuple[str, ...] = ()
    """Of the events that are on the ledger once the job is done, in document order."""
    already_present: tuple[str, ...] = ()
    """Those of `event_ids` that this organisation had anchored before, unchanged."""
    errors: tuple[JobError, ...] = ()
    anchorings: tuple[Anchoring, ...] = ()

    @property
    def running(self) -> bool:
        return self.state in (JobState.ACCEPTED, JobState.ANCHORING)

    @property
    def success(self) -> bool:
        """False as soon as anything went wrong, also when other events were captured."""
        return self.state is not JobState.FAILED and not self.errors


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job as it waits in the database."""

    sequence: int
    capture_id: str
    organisation: str
    error_behaviour: ErrorBehaviour
    created_ms: int
    document: bytes


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """A signed transaction that must reach the chain, exactly these bytes."""

    sequence: int
    organisation: str
    account: Address
    nonce: int
    root: bytes
    transaction_hash: Hash32
    raw: bytes
    job_sequences: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CaptureStatus:
    """One moment of the service."""

    running: bool
    waiting_jobs: int
    """Accepted and not final."""
    waiting_bytes: int
    """Their documents."""


@dataclass(frozen=True, slots=True)
class CaptureSettings(PreparingSettings):
    """Bounds of the service. Units stand last in the names."""

    queue_jobs_max: int = 2000
    queue_bytes_max: int = 128 << 20
    """Documents accepted and not yet anchored."""
    batch_events_max: int = 2000
    batch_body_bytes_max: int = 4 << 20
    """JCS bytes of the events of one batch, before compression."""
    transactions_in_flight_max: int = 4
    """Of one organisation, while more documents wait."""
    resubmit_after_s: float = 5.0
    """A transaction that did not reach the chain within this time is submitted again."""
    finished_jobs_kept: int = 256
    """Finished jobs kept in memory for those who ask how it went; SQL has them all."""
