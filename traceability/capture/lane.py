"""One organisation's way onto the chain: its account, its nonces, its transactions under way."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TypeVar

from ledger.types import Address, Hash32
from traceability.capture.batching import EventKey
from traceability.capture.protocol import Signer
from traceability.capture.types import Job, StoredBatch
from traceability.preparing import JobError, Prepared

T = TypeVar("T")


def running_future(_: type[T]) -> Future[T]:
    """A future that who waits for it cannot cancel: others may wait for the same."""
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()
    return future


@dataclass(slots=True, eq=False)
class LiveJob:
    """A job on its way. Belongs to the pipeline's thread, except `job`, which is replaced whole."""

    sequence: int
    job: Job
    size_bytes: int
    finished: Future[Job] = field(default_factory=lambda: running_future(Job))
    prepared: Prepared | None = None
    waiting: bool = True
    """Whether it still has to be looked through for events that no batch carries."""
    batches: set[LiveBatch] = field(default_factory=set)
    """Batches that are not final yet."""
    done_batches: list[LiveBatch] = field(default_factory=list)
    faults: list[JobError] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class LiveBatch:
    """A batch from its signature until its events are provable."""

    organisation: str
    account: Address
    nonce: int
    keys: frozenset[EventKey] | None
    """Events it carries; None when it comes from before a restart."""
    transaction_hash: Hash32
    jobs: set[LiveJob] = field(default_factory=set)
    stored: StoredBatch | None = None
    """None until it is durable; only then is it submitted."""
    submitted_at: float = 0.0
    block_number: int | None = None
    fault: JobError | None = None


@dataclass(slots=True)
class Lane:
    """All of one organisation that is under way."""

    organisation: str
    signer: Signer | None
    """None for an organisation whose key this node no longer holds."""
    account: Address
    waiting: deque[LiveJob] = field(default_factory=deque)
    live: list[LiveBatch] = field(default_factory=list)
    retry_at: float = 0.0
    """Before this moment (monotonic) no new batch is tried: the disk was full."""

    def carrier(self, key: EventKey) -> LiveBatch | None:
        """The batch under way that carries this very event, if one does."""
        for batch in self.live:
            if batch.keys is not None and key in batch.keys:
                return batch
        return None

    @property
    def recovering(self) -> bool:
        """Whether a batch from before a restart is under way: its events are not known."""
        return any(batch.keys is None for batch in self.live)
