"""The words of preparing: what a document becomes before it is anchored."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum


class ErrorBehaviour(StrEnum):
    """EPCIS 2.0 section 12.6: what becomes of a document with an invalid event."""

    ROLLBACK = "rollback"
    """Nothing of it is captured."""
    PROCEED = "proceed"
    """The valid events are captured."""


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
class PreparingSettings:
    """Bounds of a document and of the processes that read it. Units stand last in the names."""

    document_size_bytes_max: int = 8 << 20
    event_count_max: int = 10_000
    depth_max: int = 64
    event_body_size_bytes_max: int = 256 << 10
    """JCS bytes of one anchored event."""
    errors_max: int = 1000
    """Errors kept for one job."""
    workers: int = 1
    """Processes that parse and hash; 0 means a thread of this process."""
    worker_attempts_max: int = 2
    """A document that kills its worker this often is refused."""
    worker_timeout_s: float = 120.0
    """A worker that takes longer over one document is taken for dead."""

    def plain(self) -> PreparingSettings:
        """These alone, where a service has more: what crosses the process border must not bring
        that service's imports along."""
        return PreparingSettings(
            *(getattr(self, field.name) for field in fields(PreparingSettings))
        )
