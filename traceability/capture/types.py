"""The words of capture: jobs, prepared events, batches on their way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ledger.types import Address, Hash32


class ErrorBehaviour(StrEnum):
    """EPCIS 2.0 section 12.6: what becomes of a document with an invalid event."""

    ROLLBACK = "rollback"
    """Nothing of it is captured."""
    PROCEED = "proceed"
    """The valid events are captured."""


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
class JobError:
    """One reason, in the members of RFC 7807."""

    type: str
    title: str
    status: int
    detail: str
    pointer: str | None = None
    """RFC 6901 pointer into the document; None where the fault has no place."""
    event_index: int | None = None
    """Position in the document's event list, from 0."""


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
class PreparedEvent:
    """A valid event, hashed. Crosses the process border, so it is plain."""

    index: int
    event_id: str
    digest: str
    """64 hex digits: SHA-256 of `body`."""
    body: bytes
    """JCS bytes of the anchored event."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What became of a document: its valid events and what was wrong with the others."""

    events: tuple[PreparedEvent, ...]
    errors: tuple[JobError, ...]


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
class CaptureSettings:
    """Bounds of the service. Units stand last in the names."""

    document_size_bytes_max: int = 8 << 20
    event_count_max: int = 10_000
    depth_max: int = 64
    event_body_size_bytes_max: int = 256 << 10
    """JCS bytes of one anchored event."""
    errors_max: int = 1000
    """Errors kept for one job."""
    queue_jobs_max: int = 2000
    queue_bytes_max: int = 128 << 20
    """Documents accepted and not yet anchored."""
    batch_events_max: int = 2000
    batch_body_bytes_max: int = 4 << 20
    """JCS bytes of the events of one batch, before compression."""
    transactions_in_flight_max: int = 4
    """Of one organisation, while more documents wait."""
    workers: int = 1
    """Processes that parse and hash; 0 means a thread of this process."""
    worker_attempts_max: int = 2
    """A document that kills its worker this often is refused."""
    worker_timeout_s: float = 120.0
    """A worker that takes longer over one document is taken for dead."""
    resubmit_after_s: float = 5.0
    """A transaction that did not reach the chain within this time is submitted again."""
    finished_jobs_kept: int = 256
    """Finished jobs kept in memory for those who ask how it went; SQL has them all."""
