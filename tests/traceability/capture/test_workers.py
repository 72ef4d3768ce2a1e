"""Processes that judge and hash documents."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from traceability.capture import CaptureSettings, ErrorBehaviour
from traceability.capture.errors import CaptureStopped
from traceability.capture.prepare import _SAMPLE
from traceability.capture.workers import Workers

pytestmark = pytest.mark.feature("T1")


@pytest.fixture
def workers() -> Iterator[Workers]:
    workers = Workers(CaptureSettings(workers=1))
    workers.start()
    yield workers
    workers.stop()


def pids(workers: Workers) -> list[int]:
    pool = workers._pool
    assert isinstance(pool, ProcessPoolExecutor)
    return list(pool._processes or ())


def test_a_document_is_judged_in_another_process(workers: Workers) -> None:
    prepared = workers.submit(_SAMPLE, ErrorBehaviour.ROLLBACK).result(60)
    assert [event.index for event in prepared.events] == [0]
    assert os.getpid() not in pids(workers)


def test_a_killed_worker_costs_no_document(workers: Workers) -> None:
    workers.submit(_SAMPLE, ErrorBehaviour.ROLLBACK).result(60)
    (pid,) = pids(workers)
    os.kill(pid, signal.SIGKILL)
    futures = [workers.submit(_SAMPLE, ErrorBehaviour.ROLLBACK) for _ in range(5)]
    assert all(future.result(60).events for future in futures)
    assert pid not in pids(workers)


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
