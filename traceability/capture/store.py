"""What the job tables say and how they change, always inside the caller's transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Row, insert, select, update

from ledger.types import Address, Hash32
from traceability.capture.errors import BatchUnknown, KeyReused
from traceability.capture.tables import capture_batch, capture_batch_job, capture_job
from traceability.capture.types import Anchoring, BatchState, Job, JobState, StoredBatch, StoredJob
from traceability.preparing import ErrorBehaviour, JobError

_UNFINISHED: Final = (JobState.ACCEPTED.value, JobState.ANCHORING.value)


def insert_job(
    connection: Connection, job: StoredJob, idempotency_key: str | None
) -> tuple[str, int | None]:
    """Store an accepted document. Gives capture id and sequence number.

    If the same organisation sent the same document under the same key before, gives that job's
    capture id and None. Raises `KeyReused` if the key came with another document.
    """
    digest = hashlib.sha256(job.document).digest()
    if idempotency_key is not None:
        earlier = connection.execute(
            select(capture_job.c.capture_id, capture_job.c.document_digest).where(
                capture_job.c.organisation == job.organisation,
                capture_job.c.idempotency_key == idempotency_key,
            )
        ).first()
        if earlier is not None:
            if bytes(earlier.document_digest) != digest:
                raise KeyReused(
                    f"Idempotency-Key {idempotency_key!r} came before with another document; "
                    "use a new key for a new document"
                )
            return str(earlier.capture_id), None
    result = connection.execute(
        insert(capture_job).values(
            capture_id=job.capture_id,
            organisation=job.organisation,
            error_behaviour=job.error_behaviour.value,
            state=JobState.ACCEPTED.value,
            created_ms=job.created_ms,
            idempotency_key=idempotency_key,
            document_digest=digest,
            document=job.document,
        )
    )
    key = result.inserted_primary_key
    assert key is not None
    return job.capture_id, int(key[0])


def save_batch(connection: Connection, batch: StoredBatch) -> int:
    """Store a signed transaction before it is submitted. Gives its sequence number."""
    result = connection.execute(
        insert(capture_batch).values(
            organisation=batch.organisation,
            account=bytes(batch.account),
            nonce=batch.nonce,
            root=batch.root,
            transaction_hash=bytes(batch.transaction_hash),
            raw=batch.raw,
            state=BatchState.STORED.value,
        )
    )
    key = result.inserted_primary_key
    assert key is not None
    sequence = int(key[0])
    if batch.job_sequences:
        connection.execute(
            insert(capture_batch_job),
            [{"batch": sequence, "job": job} for job in batch.job_sequences],
        )
    return sequence


def link_job(connection: Connection, job_sequence: int, transaction_hash: Hash32) -> None:
    """Let a job hang on a batch that another job brought. Raises `BatchUnknown` if not stored."""
    sequence = connection.execute(
        select(capture_batch.c.sequence).where(
            capture_batch.c.transaction_hash == bytes(transaction_hash),
            capture_batch.c.state == BatchState.STORED.value,
        )
    ).scalar_one_or_none()
    if sequence is None:
        raise BatchUnknown(f"no stored batch has the transaction 0x{transaction_hash.hex()}")
    link = {"batch": sequence, "job": job_sequence}
    known = select(capture_batch_job.c.job).where(
        capture_batch_job.c.batch == sequence, capture_batch_job.c.job == job_sequence
    )
    if connection.execute(known).first() is None:
        connection.execute(insert(capture_batch_job).values(link))


def replace_transaction(connection: Connection, batch: StoredBatch) -> None:
    """Give a batch another transaction, its old one being void for good."""
    connection.execute(
        update(capture_batch)
        .where(capture_batch.c.sequence == batch.sequence)
        .values(nonce=batch.nonce, transaction_hash=bytes(batch.transaction_hash), raw=batch.raw)
    )


def mark_anchoring(connection: Connection, job: Job, sequence: int) -> None:
    """Keep what the job will say: after a crash its document need not be read again."""
    connection.execute(
        update(capture_job)
        .where(capture_job.c.sequence == sequence)
        .values(state=JobState.ANCHORING.value, result=encode_result(job))
    )


def finish_job(connection: Connection, job: Job, sequence: int) -> None:
    """Make the job final; its document is no longer needed."""
    assert job.finished_at is not None
    connection.execute(
        update(capture_job)
        .where(capture_job.c.sequence == sequence)
        .values(
            state=job.state.value,
            finished_ms=milliseconds(job.finished_at),
            result=encode_result(job),
            document=None,
        )
    )


def finish_batch(
    connection: Connection, sequence: int, state: BatchState, block_number: int | None
) -> None:
    """Make the batch final; its transaction is on the chain, or will never be."""
    connection.execute(
        update(capture_batch)
        .where(capture_batch.c.sequence == sequence)
        .values(state=state.value, block_number=block_number, raw=None)
    )


def unfinished_jobs(connection: Connection) -> list[tuple[StoredJob, Job]]:
    """Jobs that are not final, oldest first: as stored, and as they stand."""
    rows = connection.execute(
        select(capture_job)
        .where(capture_job.c.state.in_(_UNFINISHED))
        .order_by(capture_job.c.sequence)
    ).all()
    stored = (
        StoredJob(
            sequence=row.sequence,
            capture_id=row.capture_id,
            organisation=row.organisation,
            error_behaviour=ErrorBehaviour(row.error_behaviour),
            created_ms=row.created_ms,
            document=bytes(row.document),
        )
        for row in rows
    )
    return list(zip(stored, _jobs(connection, rows), strict=True))


def new_job(row: StoredJob) -> Job:
    """What is to be said of a document just accepted."""
    return Job(
        capture_id=row.capture_id,
        organisation=row.organisation,
        error_behaviour=row.error_behaviour,
        state=JobState.ACCEPTED,
        created_at=moment(row.created_ms),
        finished_at=None,
    )


def stored_batches(connection: Connection) -> list[StoredBatch]:
    """Transactions whose fate is not known, in the order of their nonces."""
    rows = connection.execute(
        select(capture_batch)
        .where(capture_batch.c.state == BatchState.STORED.value)
        .order_by(capture_batch.c.account, capture_batch.c.nonce)
    ).all()
    jobs: dict[int, list[int]] = {row.sequence: [] for row in rows}
    for link in connection.execute(
        select(capture_batch_job.c.batch, capture_batch_job.c.job)
        .join(capture_batch, capture_batch.c.sequence == capture_batch_job.c.batch)
        .where(capture_batch.c.state == BatchState.STORED.value)
        .order_by(capture_batch_job.c.job)
    ):
        jobs[link.batch].append(link.job)
    return [
        StoredBatch(
            sequence=row.sequence,
            organisation=row.organisation,
            account=Address(bytes(row.account)),
            nonce=row.nonce,
            root=bytes(row.root),
            transaction_hash=Hash32(bytes(row.transaction_hash)),
            raw=bytes(row.raw),
            job_sequences=tuple(jobs[row.sequence]),
        )
        for row in rows
    ]


def load_job(connection: Connection, capture_id: str) -> Job | None:
    """One job, or None."""
    row = connection.execute(
        select(capture_job).where(capture_job.c.capture_id == capture_id)
    ).first()
    return None if row is None else _jobs(connection, [row])[0]


def list_jobs(
    connection: Connection, organisation: str, *, before: int | None, limit: int
) -> tuple[tuple[Job, ...], int | None]:
    """An organisation's jobs, newest first, and where the next page begins."""
    query = (
        select(capture_job)
        .where(capture_job.c.organisation == organisation)
        .order_by(capture_job.c.sequence.desc())
        .limit(limit + 1)
    )
    if before is not None:
        query = query.where(capture_job.c.sequence < before)
    rows = connection.execute(query).all()
    more = len(rows) > limit
    rows = rows[:limit]
    return tuple(_jobs(connection, rows)), rows[-1].sequence if more else None


def encode_result(job: Job) -> bytes:
    """What a job says beyond its columns, as JSON."""
    return orjson.dumps(
        {
            "eventIDs": job.event_ids,
            "alreadyPresent": job.already_present,
            "errors": [asdict(error) for error in job.errors],
        }
    )


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _jobs(connection: Connection, rows: Sequence[Row[Any]]) -> list[Job]:
    anchorings = _anchorings(connection, [row.sequence for row in rows])
    return [_job(row, anchorings.get(row.sequence, ())) for row in rows]


def _anchorings(
    connection: Connection, sequences: Iterable[int]
) -> dict[int, tuple[Anchoring, ...]]:
    rows = connection.execute(
        select(
            capture_batch_job.c.job,
            capture_batch.c.transaction_hash,
            capture_batch.c.block_number,
        )
        .join(capture_batch, capture_batch.c.sequence == capture_batch_job.c.batch)
        .where(
            capture_batch_job.c.job.in_(tuple(sequences)),
            capture_batch.c.state != BatchState.FAILED.value,
        )
        .order_by(capture_batch_job.c.job, capture_batch_job.c.batch)
    )
    found: dict[int, tuple[Anchoring, ...]] = {}
    for row in rows:
        anchoring = Anchoring(Hash32(bytes(row.transaction_hash)), row.block_number)
        found[row.job] = (*found.get(row.job, ()), anchoring)
    return found


def _job(row: Row[Any], anchorings: tuple[Anchoring, ...]) -> Job:
    result = orjson.loads(row.result) if row.result is not None else {}
    return Job(
        capture_id=row.capture_id,
        organisation=row.organisation,
        error_behaviour=ErrorBehaviour(row.error_behaviour),
        state=JobState(row.state),
        created_at=moment(row.created_ms),
        finished_at=None if row.finished_ms is None else moment(row.finished_ms),
        event_ids=tuple(result.get("eventIDs", ())),
        already_present=tuple(result.get("alreadyPresent", ())),
        errors=tuple(JobError(**error) for error in result.get("errors", ())),
        anchorings=anchorings,
    )
