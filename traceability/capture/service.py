"""The capture service: takes documents in, and answers how it went with them."""

from __future__ import annotations

import logging
import queue
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Final

from sqlalchemy import Connection, Engine

from contracts.consortium import find_organisation
from contracts.consortium.types import Status
from contracts.provenance import PROVENANCE_ADDRESS
from ledger.projection import (
    CommitterStopped,
    GroupCommitter,
    ProjectionFailed,
    ProjectionStopped,
    ProjectionTimeout,
    read_transaction,
)
from ledger.sending import Nonces
from ledger.types import Address
from traceability.capture import store
from traceability.capture.errors import CaptureStopped, NoSigner, NotPermitted, QueueFull
from traceability.capture.index import SqlEventIndex
from traceability.capture.intake import check_document
from traceability.capture.lane import LiveBatch, LiveJob, running_future
from traceability.capture.pipeline import Pipeline
from traceability.capture.protocol import Chain, Projection, Signer
from traceability.capture.types import CaptureSettings, CaptureStatus, Job, StoredJob
from traceability.preparing import ErrorBehaviour, Prepared, Workers
from traceability.projection import PreparedBatches

RETRY_AFTER_S: Final = 2
PROJECTION_WAIT_S: Final = 5.0
STANDING_AGE_S_MAX: Final = 1.0

_log = logging.getLogger(__name__)


class CaptureService:
    """Durable capture jobs. Thread-safe.

    A document is on disk before `submit` returns. Each signed transaction is on disk before it is
    sent; after a crash exactly the same bytes are sent again, so nothing is anchored twice and
    nothing is lost.
    """

    def __init__(
        self,
        engine: Engine,
        ledger: Chain,
        projector: Projection,
        signers: Mapping[str, Signer],
        *,
        settings: CaptureSettings | None = None,
        prepared: PreparedBatches | None = None,
        jobs_engine: Engine | None = None,
        provenance: Address = PROVENANCE_ADDRESS,
        nonces: Nonces | None = None,
    ) -> None:
        """`engine` has the projection; jobs are kept there too unless `jobs_engine` is given.

        `signers` holds the accounts of the organisations that capture through this node, and may
        grow later. `prepared` is what the `ProvenanceHandler` of this process was given.
        `provenance` is the contract's place where the ledger has no directory that names another.
        `nonces`: those of the process, where others send from the same accounts.
        """
        self.settings = settings or CaptureSettings()
        self._engine = engine
        self._jobs_engine = jobs_engine or engine
        self._chain = ledger
        self._projection = projector
        self._signers = signers
        self._nonces = Nonces(ledger) if nonces is None else nonces
        self._workers = Workers(self.settings)
        self._committer = GroupCommitter(self._jobs_engine, "capture-commit")
        self._mined: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._pipeline = Pipeline(
            chain=ledger,
            index=SqlEventIndex(engine, prepared, provenance),
            committer=self._committer,
            signers=signers,
            settings=self.settings,
            nonces=self._nonces,
            mined=self._mined.put,
            finished=self._on_finished,
        )
        self._follower = threading.Thread(
            target=self._follow_projection, name="capture-projection", daemon=True
        )
        self._lock = threading.Lock()
        self._running = False
        self._stopping = threading.Event()
        self._unsubscribe: Callable[[], object] = self._stopping.is_set
        self._live: dict[str, LiveJob] = {}
        self._recent: OrderedDict[str, Job] = OrderedDict()
        self._load_jobs = 0
        self._load_bytes = 0
        self._standing: dict[str, tuple[float, bool]] = {}

    def start(self) -> None:
        """Begin, and take up what was under way when the node last stopped."""
        self._workers.start()
        self._committer.start()
        self._pipeline.start()
        self._follower.start()
        self._unsubscribe = self._chain.subscribe(self._pipeline.block)
        with self._lock:
            self._running = True
        self.resume()

    def stop(self) -> None:
        """End in order. What is under way is stored, and goes on at the next start."""
        with self._lock:
            if not self._running:
                return
            self._running = False
        self._stopping.set()
        self._unsubscribe()
        self._workers.stop()
        self._pipeline.stop()
        self._mined.put(None)
        self._follower.join()
        self._committer.stop()
        with self._lock:
            unfinished = list(self._live.values())
        for job in unfinished:
            job.finished.set_exception(CaptureStopped("the node was stopped; the job will go on"))

    def submit(
        self,
        data: bytes,
        organisation: str,
        mode: ErrorBehaviour | str = ErrorBehaviour.ROLLBACK,
        *,
        idempotency_key: str | None = None,
    ) -> str:
        """Take a document in; durable once this returns its capture id. See `accept`."""
        return self.accept(data, organisation, mode, idempotency_key=idempotency_key).result()

    def accept(
        self,
        data: bytes,
        organisation: str,
        mode: ErrorBehaviour | str = ErrorBehaviour.ROLLBACK,
        *,
        idempotency_key: str | None = None,
        prepared: Prepared | None = None,
    ) -> Future[str]:
        """Take a document in; the future gives its capture id once it is durable.

        `prepared` is what `prepare` said of this very document, if it was asked. Raises
        `DocumentMalformed`, `DocumentTooLarge`, `NoSigner`, `NotPermitted`, `QueueFull` or
        `CaptureStopped`; the future raises `KeyReused`, `StorageFull` or `StorageFailed`. In each
        case nothing is stored.
        """
        behaviour = ErrorBehaviour(mode)
        if prepared is None:
            check_document(data, self.settings)
        self.check_permitted(organisation)
        self._take_place(len(data))
        row = StoredJob(
            sequence=0,
            capture_id=str(uuid.uuid4()),
            organisation=organisation,
            error_behaviour=behaviour,
            created_ms=time.time_ns() // 1_000_000,
            document=data,
        )

        def write(connection: Connection) -> tuple[str, int | None]:
            return store.insert_job(connection, row, idempotency_key)

        accepted = running_future(str)

        def stored(done: Future[tuple[str, int | None]]) -> None:
            error = done.exception()
            if error is not None:
                self._give_place(len(data))
                accepted.set_exception(error)
                return
            capture_id, sequence = done.result()
            if sequence is None:
                self._give_place(len(data))
            else:
                self._begin(row, sequence, prepared)
            accepted.set_result(capture_id)

        try:
            self._committer.submit(write).add_done_callback(stored)
        except CommitterStopped as error:
            self._give_place(len(data))
            raise CaptureStopped("the capture service does not run") from error
        return accepted

    def prepare(self, data: bytes) -> Future[Prepared]:
        """Judge a document without taking it in. Raises what `accept` raises of the document."""
        check_document(data, self.settings)
        with self._lock:
            if not self._running:
                raise CaptureStopped("the capture service does not run")
            if self._load_jobs >= self.settings.queue_jobs_max:
                raise self._full()
        return self._workers.submit(data, ErrorBehaviour.ROLLBACK)

    def check_permitted(self, organisation: str) -> None:
        """Raises `NoSigner`, or `NotPermitted` unless the organisation is active on the ledger.

        A courtesy to the sender: the rule itself is kept in the block (decision D6).
        """
        now = time.monotonic()
        known = self._standing.get(organisation)
        if known is None or now - known[0] > STANDING_AGE_S_MAX:
            with read_transaction(self._engine) as connection:
                found = find_organisation(connection, organisation)
            known = (now, found is not None and found.status is Status.ACTIVE)
            if len(self._standing) > self.settings.finished_jobs_kept:
                self._standing.clear()
            self._standing[organisation] = known
        if not known[1]:
            raise NotPermitted(f"organisation {organisation} is not active on the ledger")
        if organisation not in self._signers:
            raise NoSigner(
                f"this node holds no signing key of {organisation}; capture through its own node"
            )

    def job(self, capture_id: str) -> Job | None:
        """How a job stands; None if there is none of that id."""
        with self._lock:
            live = self._live.get(capture_id)
            known = live.job if live is not None else self._recent.get(capture_id)
        if known is not None:
            return known
        with read_transaction(self._jobs_engine) as connection:
            return store.load_job(connection, capture_id)

    def jobs(
        self, organisation: str, *, before: int | None = None, limit: int = 100
    ) -> tuple[tuple[Job, ...], int | None]:
        """An organisation's jobs, newest first, and `before` of the next page (None: no more)."""
        with read_transaction(self._jobs_engine) as connection:
            found, more = store.list_jobs(connection, organisation, before=before, limit=limit)
        with self._lock:  # what has just ended may not be written down yet
            return tuple(self._recent.get(job.capture_id, job) for job in found), more

    def finished(self, capture_id: str) -> Future[Job]:
        """A future that gives the job once it is final. Raises `KeyError` if there is none."""
        with self._lock:
            live = self._live.get(capture_id)
        if live is not None:
            return live.finished
        done: Future[Job] = Future()
        job = self.job(capture_id)
        if job is None:
            raise KeyError(capture_id)
        done.set_result(job)
        return done

    def status(self) -> CaptureStatus:
        """How much is under way."""
        with self._lock:
            return CaptureStatus(self._running, self._load_jobs, self._load_bytes)

    def resume(self) -> None:
        """Take up everything that the database says is not final. Called by `start`."""
        with read_transaction(self._jobs_engine) as connection:
            batches = store.stored_batches(connection)
            jobs = store.unfinished_jobs(connection)
        live = [
            LiveBatch(b.organisation, b.account, b.nonce, None, b.transaction_hash, stored=b)
            for b in batches
        ]
        for batch in live:  # first of all: whoever signs from now on must not take their nonces
            self._nonces.hold(batch.account, batch.nonce)
        for row, job in jobs:
            self._take_up(row, job, live)
        self._pipeline.recover(live)
        if jobs or batches:
            _log.info("capture: resumed %d jobs, %d transactions", len(jobs), len(batches))

    def _take_up(self, row: StoredJob, job: Job, live: list[LiveBatch]) -> None:
        """Go on with a job of before. If its batches are not under way it is read again: what of
        it is on the ledger will be recognised."""
        with self._lock:
            self._load_jobs += 1
            self._load_bytes += len(row.document)
        carriers = {
            batch for batch in live if batch.stored and row.sequence in batch.stored.job_sequences
        }
        if not carriers:
            self._begin(row, row.sequence, None)
            return
        anchoring = LiveJob(
            row.sequence, job, len(row.document), waiting=False, batches=set(carriers)
        )
        for batch in carriers:
            batch.jobs.add(anchoring)
        with self._lock:
            self._live[row.capture_id] = anchoring

    def _begin(self, row: StoredJob, sequence: int, prepared: Prepared | None) -> None:
        job = LiveJob(sequence, store.new_job(row), len(row.document))
        with self._lock:
            self._live[row.capture_id] = job
        if prepared is None:
            outcome = self._workers.submit(row.document, row.error_behaviour)
        else:
            outcome = Future()
            outcome.set_result(prepared)
        outcome.add_done_callback(lambda done: self._pipeline.prepared(job, done))

    def _on_finished(self, job: LiveJob) -> None:
        with self._lock:
            self._live.pop(job.job.capture_id, None)
            self._recent[job.job.capture_id] = job.job
            while len(self._recent) > self.settings.finished_jobs_kept:
                self._recent.popitem(last=False)
        self._give_place(job.size_bytes)
        job.finished.set_result(job.job)

    def _take_place(self, size_bytes: int) -> None:
        with self._lock:
            if not self._running:
                raise CaptureStopped("the capture service does not run")
            bytes_after = self._load_bytes + size_bytes
            if (
                self._load_jobs >= self.settings.queue_jobs_max
                or bytes_after > self.settings.queue_bytes_max
            ):
                raise self._full()
            self._load_jobs += 1
            self._load_bytes = bytes_after

    def _give_place(self, size_bytes: int) -> None:
        with self._lock:
            self._load_jobs -= 1
            self._load_bytes -= size_bytes

    def _full(self) -> QueueFull:
        return QueueFull(
            f"{self._load_jobs} documents ({self._load_bytes} bytes) are waiting to be anchored; "
            "send this one again a little later",
            RETRY_AFTER_S,
        )

    def _follow_projection(self) -> None:
        """Tell the pipeline what has become provable. Of several blocks the last is awaited."""
        while (number := self._mined.get()) is not None:
            while not self._mined.empty():
                later = self._mined.get()
                if later is None:
                    return
                number = max(number, later)
            try:
                self._projection.wait_for(number, PROJECTION_WAIT_S)
            except ProjectionTimeout:
                self._mined.put(number)
            except (ProjectionFailed, ProjectionStopped) as error:
                _log.error("capture: block %d is not provable here: %s", number, error)
                self._stopping.wait(PROJECTION_WAIT_S)
            else:
                self._pipeline.provable(number)
