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

from ledger.cores import GIVEN
from traceability.capture import CaptureSettings
from traceability.preparing import (
    ErrorBehaviour,
    PreparingSettings,
    WorkerLost,
    Workers,
    WorkersStopped,
)
from traceability.preparing.prepare import _SAMPLE

pytestmark = pytest.mark.feature("T1")


@pytest.fixture
def workers() -> Iterator[Workers]:
    workers = Workers(PreparingSettings(workers=1))
    workers.start()
    yield workers
    workers.stop()


def test_a_document_is_judged_in_another_process(workers: Workers) -> None:
    prepared = workers.submit(_SAMPLE, ErrorBehaviour.ROLLBACK).result(60)
    assert [event.index for event in prepared.events] == [0]
    assert os.getpid() not in workers.process_ids()
    assert len(workers.process_ids()) == 1


def test_workers_run_on_every_core_where_the_node_keeps_to_one(
    one_core: frozenset[int], workers: Workers
) -> None:
    workers.submit(_SAMPLE, ErrorBehaviour.ROLLBACK).result(60)
    (pid,) = workers.process_ids()
    assert os.sched_getaffinity(pid) == GIVEN
    assert os.sched_getaffinity(0) == one_core


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
    workers = Workers(PreparingSettings(workers=1, worker_timeout_s=10.0))
    workers.start()
    workers.submit(_SAMPLE, ErrorBehaviour.ROLLBACK).result(60)
    (pid,) = workers.process_ids()
    os.kill(pid, signal.SIGSTOP)
    assert workers.submit(_SAMPLE, ErrorBehaviour.ROLLBACK).result(60).events
    assert workers.process_ids() != (pid,)
    workers.stop()


def test_a_document_that_no_worker_survives_is_refused() -> None:
    workers = Workers(PreparingSettings(workers=1, worker_attempts_max=2, worker_timeout_s=0.0))
    workers.start()
    refused = workers.submit(_SAMPLE, ErrorBehaviour.ROLLBACK)
    assert isinstance(refused.exception(60), WorkerLost)
    workers.stop()


def test_after_the_end_nothing_is_taken() -> None:
    workers = Workers(PreparingSettings(workers=0))
    workers.start()
    assert workers.submit(_SAMPLE, ErrorBehaviour.ROLLBACK).result(60).events
    workers.stop()
    with pytest.raises(WorkersStopped):
        workers.submit(_SAMPLE, ErrorBehaviour.ROLLBACK).result(1)


def test_a_worker_ends_when_its_parent_is_killed(project_root: Path) -> None:
    command = (sys.executable, "-m", "tests.traceability.preparing.parent")
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


def test_a_worker_brings_in_nothing_of_a_ledger(project_root: Path) -> None:
    """It starts with its node, and costs memory as long as the node lives."""
    heavy = ("eth", "eth_account", "fastapi", "ledger.chain", "traceability.capture")
    code = (
        f"import sys, traceability.preparing as p; print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run(
        (sys.executable, "-c", code), cwd=project_root, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_settings_of_a_service_cross_the_process_border_without_it() -> None:
    settings = CaptureSettings(workers=3, errors_max=7, queue_jobs_max=9)
    assert type(settings.plain()) is PreparingSettings
    assert settings.plain() == PreparingSettings(workers=3, errors_max=7)
