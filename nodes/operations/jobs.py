"""Long work that the operator asks for: one at a time of each kind, asked after by id."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from nodes.operations.errors import JobUnavailable, JobUnderWay
from nodes.operations.protocol import Work

REMEMBERED_MAX: Final = 50

_log = logging.getLogger(__name__)


class JobState(StrEnum):
    """How far a job has come."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of long work."""

    id: str
    kind: str
    state: JobState
    started_at: float
    """POSIX time."""
    ended_at: float | None = None
    done: int = 0
    total: int = 0
    """In the unit of the work; 0 while it is not known."""
    result: Mapping[str, object] = field(default_factory=dict)
    error: str | None = None


class Jobs:
    """Runs jobs in threads of their own. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._running: dict[str, threading.Thread] = {}
        self._closed = False

    def begin(self, kind: str, work: Work, target: Path | None) -> Job:
        """Start the work. Raises `JobUnderWay`, `JobUnavailable` (the node is stopping)."""
        with self._lock:
            if self._closed:
                raise JobUnavailable("the node is stopping")
            if kind in self._running:
                raise JobUnderWay(f"a {kind} is being made already: wait for it")
            job = Job(secrets.token_hex(8), kind, JobState.RUNNING, time.time())
            self._jobs[job.id] = job
            while len(self._jobs) > REMEMBERED_MAX:
                self._forget_oldest()
            thread = threading.Thread(
                target=self._run, args=(job.id, work, target), name=f"{kind}-job", daemon=True
            )
            self._running[kind] = thread
            thread.start()
            return job

    def find(self, job_id: str) -> Job | None:
        """A job that is under way or ended not long ago."""
        with self._lock:
            return self._jobs.get(job_id)

    def latest(self, kind: str) -> Job | None:
        """The last one of a kind that ended well."""
        with self._lock:
            done = [j for j in self._jobs.values() if j.kind == kind and j.state is JobState.DONE]
        return done[-1] if done else None

    def close(self, timeout_s: float = 30.0) -> None:
        """Take no more, and wait for what is under way."""
        with self._lock:
            self._closed = True
            threads = list(self._running.values())
        deadline = time.monotonic() + timeout_s
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _forget_oldest(self) -> None:
        for job_id, job in self._jobs.items():
            if job.state is not JobState.RUNNING:
                del self._jobs[job_id]
                return

    def _run(self, job_id: str, work: Work, target: Path | None) -> None:
        def progress(done: int, total: int) -> None:
            self._change(job_id, done=done, total=total)

        kind = self._jobs[job_id].kind
        try:
            result = work(target, progress)
        except Exception as failed:
            _log.error("%s failed: %s", kind, failed, exc_info=failed)
            text = str(failed) or type(failed).__name__
            self._end(job_id, JobState.FAILED, {}, text)
        else:
            _log.info("%s made", kind, extra={"job": job_id})
            self._end(job_id, JobState.DONE, result, None)

    def _end(
        self, job_id: str, state: JobState, result: Mapping[str, object], error: str | None
    ) -> None:
        with self._lock:
            job = self._jobs[job_id]
            self._running.pop(job.kind, None)
            self._jobs[job_id] = replace(
                job, state=state, result=dict(result), error=error, ended_at=time.time()
            )

    def _change(self, job_id: str, *, done: int, total: int) -> None:
        with self._lock:
            self._jobs[job_id] = replace(self._jobs[job_id], done=done, total=total)
