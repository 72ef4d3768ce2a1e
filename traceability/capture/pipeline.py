"""From prepared document to provable event: one thread that decides, and never waits for I/O.

Messages are closures on a queue. What may block (the worker processes, the commit of the job
tables, the projection) runs elsewhere and answers with a message. So all of the mutable state
below belongs to one thread, and needs no lock.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection

from ledger.projection import CommitterStopped, GroupCommitter
from ledger.sending import Nonces, Refusal, classify
from ledger.types import Address, CommittedBlock, Hash32
from traceability.capture import problems, store
from traceability.capture.builder import BatchBuilder
from traceability.capture.lane import Lane, LiveBatch, LiveJob
from traceability.capture.protocol import Chain, EventIndex, Signer
from traceability.capture.sending import sign_again, sign_filler
from traceability.capture.types import Anchoring, BatchState, CaptureSettings, JobState, StoredBatch
from traceability.preparing import ErrorBehaviour, JobError, Prepared, WorkersStopped

TICK_S: Final = 0.5
RETRY_S: Final = 1.0
NO_ACCOUNT: Final = Address(b"\0" * 20)

_log = logging.getLogger(__name__)


class Pipeline:
    """Batches, signs, stores, submits and follows. Public methods may be called from any thread."""

    def __init__(
        self,
        *,
        chain: Chain,
        index: EventIndex,
        committer: GroupCommitter,
        signers: Mapping[str, Signer],
        settings: CaptureSettings,
        nonces: Nonces,
        mined: Callable[[int], None],
        finished: Callable[[LiveJob], None],
    ) -> None:
        """`mined` is told each block of ours, and `provable` must follow; `finished` each job."""
        self._chain = chain
        self._committer = committer
        self._signers = signers
        self._settings = settings
        self._mined = mined
        self._finished = finished
        self._nonces = nonces
        self._builder = BatchBuilder(chain, index, settings, nonces)
        self._messages: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name="capture-pipeline", daemon=True)
        self._lanes: dict[str, Lane] = {}
        self._by_hash: dict[Hash32, LiveBatch] = {}

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End; whatever is under way is stored and goes on after a restart."""
        self._messages.put(None)
        self._thread.join()

    def prepared(self, job: LiveJob, outcome: Future[Prepared]) -> None:
        """A worker has answered."""
        self._messages.put(lambda: self._on_prepared(job, outcome))

    def block(self, block: CommittedBlock) -> None:
        """The chain has grown."""
        self._messages.put(lambda: self._on_block(block))

    def provable(self, block_number: int) -> None:
        """The projection has applied that block."""
        self._messages.put(lambda: self._on_provable(block_number))

    def recover(self, batches: list[LiveBatch]) -> None:
        """Take up stored batches again, in the order of their nonces, which are held already."""
        self._messages.put(lambda: self._on_recover(batches))

    # ---- the thread ---------------------------------------------------------------------------

    def _loop(self) -> None:
        next_tick = time.monotonic() + TICK_S
        while True:
            try:
                message = self._messages.get(timeout=max(0.0, next_tick - time.monotonic()))
                while True:
                    if message is None:
                        return
                    self._run(message)
                    message = self._messages.get_nowait()
            except queue.Empty:
                pass
            if time.monotonic() >= next_tick:
                next_tick = time.monotonic() + TICK_S
                self._run(self._tick)
            for lane in list(self._lanes.values()):
                self._run(lambda lane=lane: self._advance(lane))  # type: ignore[misc]

    def _run(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception:
            _log.exception("capture pipeline: a step failed; it is tried again")

    # ---- documents ----------------------------------------------------------------------------

    def _on_prepared(self, job: LiveJob, outcome: Future[Prepared]) -> None:
        error = outcome.exception()
        if isinstance(error, WorkersStopped):
            return
        if error is not None:
            _log.error("capture %s: %s", job.job.capture_id, error, exc_info=error)
            self._fail(job, [problems.unreadable(error)])
            return
        prepared = outcome.result()
        rollback = job.job.error_behaviour is ErrorBehaviour.ROLLBACK
        if prepared.errors and (rollback or not prepared.events):
            self._fail(job, prepared.errors)
            return
        job.prepared = prepared
        job.job = replace(job.job, errors=tuple(prepared.errors))
        self._lane(job.job.organisation).waiting.append(job)

    def _advance(self, lane: Lane) -> None:
        """Build the next batches, if it is time. A lone document goes at once; while as many
        transactions as allowed are under way, documents gather and then go together."""
        if not lane.waiting or lane.recovering or time.monotonic() < lane.retry_at:
            return
        if len(lane.live) >= self._settings.transactions_in_flight_max:
            return
        if lane.signer is None:
            while lane.waiting:
                self._fail(lane.waiting.popleft(), [problems.no_signer(lane.organisation)])
            return
        jobs = self._builder.take(lane)
        known = len(lane.live)
        try:
            self._store(lane, jobs, self._builder.build(lane, lane.signer, jobs))
        except Exception:
            self._requeue(lane, jobs, lane.live[known:])
            raise

    # ---- storing ------------------------------------------------------------------------------

    def _store(
        self, lane: Lane, jobs: list[LiveJob], batches: list[tuple[LiveBatch, StoredBatch]]
    ) -> None:
        settled = [job for job in jobs if not job.batches]
        for job in settled:  # nothing new in it
            self._finish(job)
        under_way = [job for job in jobs if job.batches]
        rows = [
            (live, replace(stored, job_sequences=tuple(sorted(j.sequence for j in live.jobs))))
            for live, stored in batches
        ]
        snapshots = [(job.job, job.sequence) for job in under_way]
        new = {live for live, _ in rows}
        carried = [
            (job.sequence, batch.transaction_hash)
            for job in under_way
            for batch in job.batches
            if batch not in new
        ]

        def write(connection: Connection) -> list[int]:
            for snapshot, sequence in snapshots:
                store.mark_anchoring(connection, snapshot, sequence)
            for job_sequence, transaction_hash in carried:
                store.link_job(connection, job_sequence, transaction_hash)
            return [store.save_batch(connection, row) for _, row in rows]

        future = self._committer.submit(write)
        future.add_done_callback(
            lambda done: self._messages.put(lambda: self._on_stored(lane, under_way, rows, done))
        )

    def _on_stored(
        self,
        lane: Lane,
        jobs: list[LiveJob],
        rows: list[tuple[LiveBatch, StoredBatch]],
        outcome: Future[list[int]],
    ) -> None:
        error = outcome.exception()
        if isinstance(error, CommitterStopped):
            return
        if error is not None:
            # Nothing was submitted, so nothing is lost: the documents wait for another try.
            _log.error("capture: batches could not be stored: %s", error)
            self._requeue(lane, jobs, [live for live, _ in rows])
            return
        for (live, stored), sequence in zip(rows, outcome.result(), strict=True):
            live.stored = replace(stored, sequence=sequence)
            self._by_hash[stored.transaction_hash] = live
            self._submit(lane, live)

    def _requeue(self, lane: Lane, jobs: list[LiveJob], void: list[LiveBatch]) -> None:
        """Forget batches that were never submitted; whoever counted on them waits again."""
        again = set(jobs)
        for batch in void:
            lane.live.remove(batch)
            self._nonces.release(batch.account, batch.nonce)
            for job in batch.jobs:
                job.batches.discard(batch)
                again.add(job)
        for job in sorted(again, key=lambda job: job.sequence, reverse=True):
            if job not in lane.waiting:
                job.waiting = True
                lane.waiting.appendleft(job)
        lane.retry_at = time.monotonic() + RETRY_S

    # ---- sending ------------------------------------------------------------------------------

    def _submit(self, lane: Lane, batch: LiveBatch) -> None:
        assert batch.stored is not None
        batch.submitted_at = time.monotonic()
        try:
            self._chain.submit(batch.stored.raw)
        except Exception as error:
            refusal = classify(error)
            if self._look_up(batch):
                return
            if refusal is Refusal.NONCE_USED and lane.signer is not None:
                self._sign_again(lane, lane.signer, batch)
            elif refusal is Refusal.FINAL:
                batch.fault = problems.refused(error)
                self._end(lane, batch)
            elif refusal is Refusal.UNKNOWN:
                raise

    def _look_up(self, batch: LiveBatch) -> bool:
        """Whether the chain has the transaction already."""
        found = self._chain.receipt(batch.transaction_hash)
        if found is None:
            return False
        mined, receipt = found
        self._on_mined(batch, mined.block_number, receipt.status)
        return True

    def _sign_again(self, lane: Lane, signer: Signer, batch: LiveBatch) -> None:
        """Another transaction took the nonce for good, so this one can never run: take the next."""
        old = batch.stored
        assert old is not None
        nonce = self._nonces.reserve(lane.account)
        _log.warning(
            "capture: nonce %d of %s is taken; using %d", old.nonce, lane.organisation, nonce
        )
        try:
            new = sign_again(signer, old, chain_id=self._chain.chain_id, nonce=nonce)
        except BaseException:
            self._nonces.release(lane.account, nonce)
            raise
        self._nonces.release(batch.account, batch.nonce)
        batch.account, batch.nonce = lane.account, nonce
        batch.stored = None
        batch.transaction_hash = new.transaction_hash
        del self._by_hash[old.transaction_hash]

        def write(connection: Connection) -> list[int]:
            store.replace_transaction(connection, new)
            return [new.sequence]

        def stored(done: Future[list[int]]) -> None:
            self._messages.put(lambda: self._on_replaced(lane, batch, old, new, done))

        self._committer.submit(write).add_done_callback(stored)

    def _on_replaced(
        self,
        lane: Lane,
        batch: LiveBatch,
        old: StoredBatch,
        new: StoredBatch,
        outcome: Future[list[int]],
    ) -> None:
        failed = outcome.exception() is not None
        batch.stored = old if failed else new
        if failed:
            self._nonces.release(batch.account, batch.nonce)
        batch.account, batch.nonce = batch.stored.account, batch.stored.nonce
        batch.transaction_hash = batch.stored.transaction_hash
        self._by_hash[batch.transaction_hash] = batch
        if not failed:
            self._submit(lane, batch)

    def _on_recover(self, batches: list[LiveBatch]) -> None:
        for batch in batches:
            lane = self._lane(batch.organisation)
            lane.live.append(batch)
            self._by_hash[batch.transaction_hash] = batch
        for batch in batches:
            if not self._look_up(batch):
                self._submit(self._lane(batch.organisation), batch)

    # ---- the chain's answers ------------------------------------------------------------------

    def _on_block(self, block: CommittedBlock) -> None:
        for transaction, receipt in zip(block.block.transactions, block.receipts, strict=True):
            batch = self._by_hash.get(transaction.hash)
            if batch is not None and batch.block_number is None:
                self._on_mined(batch, block.block.header.number, receipt.status)

    def _on_mined(self, batch: LiveBatch, block_number: int, status: int) -> None:
        batch.block_number = block_number
        self._nonces.release(batch.account, batch.nonce)
        if status != 1 and batch.jobs:
            batch.fault = problems.reverted(batch.transaction_hash)
        self._mined(block_number)

    def _on_provable(self, block_number: int) -> None:
        for lane in list(self._lanes.values()):
            for batch in list(lane.live):
                if batch.block_number is not None and batch.block_number <= block_number:
                    self._end(lane, batch)

    def _tick(self) -> None:
        """Help what got stuck: submit again, and fill gaps that a refused transaction left."""
        now = time.monotonic()
        for lane in list(self._lanes.values()):
            for batch in list(lane.live):
                late = now - batch.submitted_at > self._settings.resubmit_after_s
                if batch.stored is None or not late:
                    continue
                if batch.block_number is not None:
                    self._mined(batch.block_number)
                    batch.submitted_at = now
                elif not self._look_up(batch):
                    self._submit(lane, batch)
            self._fill_gap(lane)
            if not lane.waiting and not lane.live:
                del self._lanes[lane.organisation]

    def _fill_gap(self, lane: Lane) -> None:
        if lane.signer is None or not lane.live:
            return
        nonce = self._nonces.fill(lane.account)
        if nonce is None:
            return
        _log.warning("capture: filling nonce %d of %s", nonce, lane.organisation)
        try:
            filler = sign_filler(
                lane.signer,
                chain_id=self._chain.chain_id,
                organisation=lane.organisation,
                nonce=nonce,
            )
        except BaseException:
            self._nonces.release(lane.account, nonce)
            raise
        live = LiveBatch(
            lane.organisation, lane.account, nonce, frozenset(), filler.transaction_hash
        )
        lane.live.append(live)
        self._store(lane, [], [(live, filler)])

    # ---- ends ---------------------------------------------------------------------------------

    def _end(self, lane: Lane, batch: LiveBatch) -> None:
        """The batch is provable, or will never be."""
        assert batch.stored is not None
        lane.live.remove(batch)
        self._nonces.release(batch.account, batch.nonce)
        self._by_hash.pop(batch.transaction_hash, None)
        done = batch.fault is None
        state = BatchState.ANCHORED if done else BatchState.FAILED
        sequence, number = batch.stored.sequence, batch.block_number
        self._write(lambda connection: store.finish_batch(connection, sequence, state, number))
        for job in batch.jobs:
            job.batches.discard(batch)
            if batch.fault is not None:
                job.faults.append(batch.fault)
            else:
                job.done_batches.append(batch)
            if not job.batches and not job.waiting:
                self._finish(job)

    def _finish(self, job: LiveJob) -> None:
        if job.faults:
            self._fail(job, [*job.job.errors, *job.faults])
            return
        known = {a.transaction_hash: a for a in job.job.anchorings if a.block_number is not None}
        for batch in job.done_batches:
            known[batch.transaction_hash] = Anchoring(batch.transaction_hash, batch.block_number)
        job.job = replace(
            job.job,
            state=JobState.DONE,
            finished_at=datetime.now(UTC),
            anchorings=tuple(sorted(known.values(), key=lambda one: one.block_number or 0)),
        )
        self._settle(job)

    def _fail(self, job: LiveJob, errors: list[JobError] | tuple[JobError, ...]) -> None:
        job.job = replace(
            job.job,
            state=JobState.FAILED,
            finished_at=datetime.now(UTC),
            event_ids=(),
            already_present=(),
            errors=tuple(errors)[: self._settings.errors_max],
        )
        self._settle(job)

    def _settle(self, job: LiveJob) -> None:
        job.prepared = None
        final, sequence = job.job, job.sequence
        self._write(lambda connection: store.finish_job(connection, final, sequence))
        self._finished(job)

    def _write(self, work: Callable[[Connection], None]) -> None:
        """Store an outcome. If that fails it is no loss: a restart finds it on the chain again."""

        def check(done: Future[None]) -> None:
            error = done.exception()
            if error is not None and not isinstance(error, CommitterStopped):
                _log.error("capture: an outcome could not be stored: %s", error)

        with contextlib.suppress(CommitterStopped):
            self._committer.submit(work).add_done_callback(check)

    def _lane(self, organisation: str) -> Lane:
        lane = self._lanes.get(organisation)
        if lane is None:
            signer = self._signers.get(organisation)
            account = NO_ACCOUNT if signer is None else signer.address
            lane = self._lanes[organisation] = Lane(organisation, signer, account)
        return lane
