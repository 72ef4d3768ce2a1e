"""From document to provable event, on a whole node."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, select

from contracts.consortium.types import Status
from ledger.projection import read_transaction
from tests.traceability.capture.conftest import Start
from tests.traceability.capture.full_disk import full_disk
from tests.traceability.capture.stack import (
    BANK,
    CARRIER,
    FARM,
    Stack,
    bare,
    document,
    event,
)
from traceability.bundle import build_bundle, verify_bundle
from traceability.capture import (
    CaptureSettings,
    DocumentMalformed,
    Job,
    JobState,
    KeyReused,
    NoSigner,
    NotPermitted,
    QueueFull,
    StorageFull,
)
from traceability.capture.tables import capture_batch, capture_job, metadata
from traceability.query import stored_event

pytestmark = pytest.mark.feature("T1")


def capture(stack: Stack, data: bytes, organisation: str = FARM, mode: str = "rollback") -> Job:
    capture_id = stack.capture.submit(data, organisation, mode)
    return stack.capture.finished(capture_id).result(30)


def provable(stack: Stack, event_id: str) -> bool:
    with read_transaction(stack.engine) as connection:
        found = stored_event(connection, event_id)
    if found is None:
        return False
    bundle = build_bundle(found, stack.ledger).encode()
    verdict = verify_bundle(bundle, None)
    assert verdict.outcome.value in ("valid", "unknown"), verdict
    return True


def job_count(stack: Stack) -> int:
    with stack.engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(capture_job)).scalar_one())


def test_a_document_becomes_provable_events_in_one_transaction(stack: Stack) -> None:
    job = capture(stack, document(*(event(n) for n in range(20))))
    assert (job.state, job.success, job.running) == (JobState.DONE, True, False)
    assert len(set(job.event_ids)) == 20
    assert job.already_present == ()
    assert [one.block_number for one in job.anchorings] == [stack.head()]
    assert all(provable(stack, event_id) for event_id in job.event_ids)


def test_a_bare_event_will_do(stack: Stack) -> None:
    job = capture(stack, bare("A%2F1"))
    assert provable(stack, job.event_ids[0])


def test_one_invalid_event_rolls_the_document_back(stack: Stack) -> None:
    bad = event(2, epcList=["https://id.gs1.org/01/09506000134353/21/2"])
    head = stack.head()
    job = capture(stack, document(event(1), bad, event(3, action="NEVER")))
    assert (job.state, job.success, job.event_ids) == (JobState.FAILED, False, ())
    assert [error.pointer for error in job.errors] == [
        "/epcisBody/eventList/1/epcList/0",
        "/epcisBody/eventList/2/action",
    ]
    assert "check digit" in job.errors[0].detail
    assert stack.head() == head


def test_with_proceed_the_valid_events_are_captured(stack: Stack) -> None:
    bad = event(2, action="NEVER")
    job = capture(stack, document(event(1), bad, event(3)), mode="proceed")
    assert (job.state, job.success) == (JobState.DONE, False)
    assert [error.event_index for error in job.errors] == [1]
    assert len(job.event_ids) == 2
    assert all(provable(stack, event_id) for event_id in job.event_ids)


def test_a_document_without_any_valid_event_fails_either_way(stack: Stack) -> None:
    for mode in ("rollback", "proceed"):
        assert capture(stack, document(event(1, action="NO")), mode=mode).state is JobState.FAILED
        assert capture(stack, document(), mode=mode).state is JobState.FAILED
    assert stack.head() == 0


def test_what_is_there_already_is_reported_and_not_anchored_again(stack: Stack) -> None:
    first = capture(stack, document(event(1), event(2)))
    head = stack.head()
    again = capture(stack, document(event(2), event(1)))
    assert again.success
    assert again.anchorings == ()
    assert set(again.already_present) == set(first.event_ids)
    assert stack.head() == head
    mixed = capture(stack, document(event(1), event(3), event(3)))
    assert len(mixed.already_present) == 2
    assert stack.head() == head + 1


def test_another_organisation_may_say_the_same(stack: Stack) -> None:
    capture(stack, document(event(1)))
    other = capture(stack, document(event(1)), CARRIER)
    assert other.already_present == ()
    assert len(other.anchorings) == 1
    assert capture(stack, document(event(1)), CARRIER).already_present == other.event_ids


def test_an_error_declaration_of_an_event_is_a_record_of_its_own(stack: Stack) -> None:
    first = capture(stack, document(event(1)))
    declaration = {"declarationTime": "2026-01-02T00:00:00.000Z", "reason": "incorrect_data"}
    second = capture(stack, document(event(1, errorDeclaration=declaration)))
    assert second.event_ids == first.event_ids
    assert second.already_present == ()
    assert len(second.anchorings) == 1


def test_the_same_document_many_times_at_once_is_anchored_once(stack: Stack) -> None:
    data = document(*(event(n) for n in range(10)))
    with ThreadPoolExecutor(8) as pool:
        jobs = list(pool.map(lambda _: capture(stack, data), range(24)))
    assert all(job.success for job in jobs)
    assert len({job.event_ids for job in jobs}) == 1
    hashes = {one.transaction_hash for job in jobs for one in job.anchorings}
    assert len(hashes) == 1
    assert stack.head() == 1


def test_many_small_documents_share_transactions(stack: Stack) -> None:
    ids = [stack.capture.submit(document(event(n)), FARM) for n in range(200)]
    jobs = [stack.capture.finished(one).result(60) for one in ids]
    assert all(job.success for job in jobs)
    assert stack.head() < 200
    assert all(provable(stack, job.event_ids[0]) for job in jobs[::20])


def test_a_large_document_is_divided(start: Start) -> None:
    settings = CaptureSettings(workers=0, batch_events_max=30)
    with start(settings) as stack:
        job = capture(stack, document(*(event(n) for n in range(100))))
        assert job.success
        assert len(job.anchorings) == 4
        assert all(provable(stack, event_id) for event_id in job.event_ids)


def test_the_same_idempotency_key_gives_the_same_job(stack: Stack) -> None:
    data = document(event(1))
    first = stack.capture.submit(data, FARM, idempotency_key="k-1")
    assert stack.capture.submit(data, FARM, idempotency_key="k-1") == first
    assert stack.capture.submit(data, CARRIER, idempotency_key="k-1") != first
    with pytest.raises(KeyReused):
        stack.capture.submit(document(event(2)), FARM, idempotency_key="k-1")
    assert job_count(stack) == 2


def test_jobs_are_listed_newest_first_and_only_one_s_own(stack: Stack) -> None:
    ids = [stack.capture.submit(document(event(n)), FARM) for n in range(5)]
    stack.capture.submit(document(event(9)), CARRIER)
    page, more = stack.capture.jobs(FARM, limit=3)
    rest, end = stack.capture.jobs(FARM, before=more, limit=3)
    assert [job.capture_id for job in (*page, *rest)] == ids[::-1]
    assert end is None


@pytest.mark.parametrize("data", [b"", b"{", b"[" * 100 + b"]" * 100, b"\x00", b'{"type":"X"}'])
def test_malformed_bytes_leave_no_trace(stack: Stack, data: bytes) -> None:
    with pytest.raises(DocumentMalformed):
        stack.capture.submit(data, FARM)
    assert job_count(stack) == 0
    assert stack.capture.status().waiting_jobs == 0


def test_unknown_and_keyless_organisations_are_refused(stack: Stack) -> None:
    with pytest.raises(NotPermitted):
        stack.capture.submit(document(event(1)), "nobody")
    with pytest.raises(NoSigner):
        stack.capture.submit(document(event(1)), "office")
    assert job_count(stack) == 0


def test_a_suspended_organisation_is_refused_until_it_is_active_again(stack: Stack) -> None:
    stack.set_status(FARM, Status.SUSPENDED)
    head = stack.head()
    with pytest.raises(NotPermitted):
        stack.capture.submit(document(event(1)), FARM)
    assert (job_count(stack), stack.head()) == (0, head)
    stack.set_status(FARM, Status.ACTIVE)
    assert capture(stack, document(event(1))).success


def test_suspension_between_acceptance_and_anchoring_fails_the_job(
    start: Start,
) -> None:
    with start() as stack:
        stack.set_status(FARM, Status.SUSPENDED)
        stack.capture._standing[FARM] = (time.monotonic() + 60, True)
        job = capture(stack, document(event(1)))
        assert job.state is JobState.FAILED
        assert job.errors[0].status == 403
        stack.set_status(FARM, Status.ACTIVE)
        assert capture(stack, document(event(1))).success


def test_a_role_that_may_not_capture_is_refused_by_the_contract(stack: Stack) -> None:
    job = capture(stack, document(event(1)), BANK)
    assert job.state is JobState.FAILED
    assert "role may not capture" in job.errors[0].detail
    assert job.event_ids == ()
    assert capture(stack, document(event(1)), FARM).success


def test_the_queue_is_bounded(start: Start) -> None:
    settings = CaptureSettings(workers=0, queue_jobs_max=3)
    with start(settings) as stack:
        stack.driver.stop()
        ids = [stack.capture.submit(document(event(n)), FARM) for n in range(3)]
        with pytest.raises(QueueFull) as refused:
            stack.capture.submit(document(event(9)), FARM)
        assert refused.value.retry_after_s > 0
        assert job_count(stack) == 3
        stack.driver.start()
        assert all(stack.capture.finished(one).result(30).success for one in ids)
        assert capture(stack, document(event(9))).success


def test_a_full_disk_refuses_and_harms_nothing(start: Start) -> None:
    with start() as stack:
        before = capture(stack, document(event(1)))
        long = {"id": "https://x.example/" + "p" * 900}
        big = document(*(event(n, readPoint=long) for n in range(300)))
        with full_disk(stack.capture._committer, stack.engine):
            waiting = [stack.capture.accept(big, FARM) for _ in range(20)]
            assert StorageFull in {type(one.exception(30)) for one in waiting}
        assert stack.capture.status().running
        assert provable(stack, before.event_ids[0])
        assert capture(stack, document(event("after"))).success


def test_what_was_under_way_goes_on_after_a_restart(start: Start) -> None:
    with start() as stack:
        stack.driver.stop()
        ids = [stack.capture.submit(document(event(n)), FARM) for n in range(8)]
        time.sleep(0.5)
    with start() as stack:
        jobs = [stack.capture.job(one) for one in ids]
        assert all(job is not None for job in jobs)
        deadline = time.monotonic() + 30
        while any(stack.capture.job(one).running for one in ids):  # type: ignore[union-attr]
            assert time.monotonic() < deadline
            time.sleep(0.05)
        for one in ids:
            job = stack.capture.job(one)
            assert job is not None
            assert job.success, job
            assert provable(stack, job.event_ids[0])
        # The journal is tidied after the answer: what is in the chain needs no transaction.
        states: set[tuple[str, bytes | None]] = set()
        while states != {("anchored", None)} and time.monotonic() < deadline:
            with stack.engine.connect() as connection:
                rows = connection.execute(select(capture_batch.c.state, capture_batch.c.raw)).all()
            states = {(state, raw) for state, raw in rows}
        assert states == {("anchored", None)}


def test_finished_jobs_are_remembered_after_a_restart(start: Start) -> None:
    with start() as stack:
        done = capture(stack, document(event(1)))
        failed = capture(stack, document(event(1, action="NO")))
    with start() as stack:
        again = stack.capture.job(done.capture_id)
        assert again is not None
        assert again.event_ids == done.event_ids
        assert again.anchorings == done.anchorings
        other = stack.capture.job(failed.capture_id)
        assert other is not None
        assert other.errors == failed.errors


def test_migrations_make_the_tables_that_the_code_knows(stack: Stack) -> None:
    with stack.engine.connect() as connection:
        names = metadata.tables.keys()
        options = {"include_name": lambda name, kind, _: kind != "table" or name in names}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
