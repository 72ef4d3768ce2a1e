"""Processes that judge and hash documents."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from traceability.capture import CaptureSettings, ErrorBehaviour
from traceability.capture.errors import CaptureStopped, WorkerLost
from traceability.capture.prepare import _SAMPLE
from traceability.capture.workers import Workers

pytestmark = pytest.mark.feature("T1")


@pytest.fixture
def workers() -> Iterator[Workers]:
    workers = Workers(CaptureSettings(workers=1))
    workers.start()
    yield workers
    workers.stop()


def test_a_document_is_judged_in_another_process(workers: Workers) -> None:
    prepared = workers.submit(_SAMPLE, ErrorBehaviour.ROLLBACK).result(60)
    assert [event.index for event in prepared.events] == [0]
    assert os.getpid() not in workers.process_ids()
    assert len(workers.process_ids()) == 1


def test_a_killed_worker_costs_no_document(workers: Workers) -> None:
    workers.submit(_SAMPLE, ErrorBehaviour.ROLLBACK).result(60)
    (pid,) = workers.process_ids()
    os.kill(pid, signal.SIGKILL)
    futures = [workers.submit(_SAMPLE, ErrorBehaviour.ROLLBACK) for _ in range(5)]
    assert all(future.result(60).events for future in futures)
    assert workers.process_ids() != (pid,)


def test_workers_killed_again_and_again_never_leave_a_document_unanswered(
    workers: Workers,
) -> None:
    futures = []
    for _ in range(3):
        futures += [workers.submit(_SAMPLE, ErrorBehaviour.ROLLBACK) for _ in range(20)]
        time.sleep(0.3)
        for pid in workers.process_ids():
            os.kill(pid, signal.SIGKILL)
    outcomes = [future.exception(100) for future in futures]
    assert all(error is None or isinstance(error, WorkerLost) for error in outcomes)
    assert outcomes.count(None) >= 58


def test_a_worker_that_hangs_is_replaced() -> None:
    workers = Workers(CaptureSettings(workers=1, worker_timeout_s=10.0))
    workers.start()
    workers.submit(_SAMPLE, ErrorBehaviour.ROLLBACK).result(60)
    (pid,) = workers.process_ids()
    os.kill(pid, signal.SIGSTOP)
    assert workers.submit(_SAMPLE, ErrorBehaviour.ROLLBACK).result(60).events
    assert workers.process_ids() != (pid,)
    workers.stop()


def test_a_document_that_no_worker_survives_is_refused() -> None:
    workers = Workers(CaptureSettings(workers=1, worker_attempts_max=2, worker_timeout_s=0.0))
    workers.start()
    refused = workers.submit(_SAMPLE, ErrorBehaviour.ROLLBACK)
    assert isinstance(refused.exception(60), WorkerLost)
    workers.stop()


def test_after_the_end_nothing_is_taken() -> None:
    workers = Workers(CaptureSettings(workers=0))
    workers.start()
    assert workers.submit(_SAMPLE, ErrorBehaviour.ROLLBACK).result(60).events
    workers.stop()
    with pytest.raises(CaptureStopped):
        workers.submit(_SAMPLE, ErrorBehaviour.ROLLBACK).result(1)


def test_a_worker_ends_when_its_parent_is_killed(project_root: Path) -> None:
    command = (sys.executable, "-m", "tests.traceability.capture.child", "worker")
    with subprocess.Popen(command, cwd=project_root, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(pid, 0)
        parent.kill()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("the worker outlived its parent")
