"""Processes that parse and hash, so that this does not hold up the serving process."""

from __future__ import annotations

import logging
import multiprocessing
import os
import threading
from concurrent.futures import (
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from concurrent.futures.process import BrokenProcessPool

from traceability.capture.errors import CaptureStopped, WorkerLost
from traceability.capture.prepare import prepare, warm_up
from traceability.capture.types import CaptureSettings, ErrorBehaviour, Prepared

_log = logging.getLogger(__name__)


class Workers:
    """`prepare` in other processes; in a thread where `settings.workers` is 0.

    A worker that dies (killed, out of memory) is replaced. Which of the waiting documents it died
    over is not known, so each of them is tried again alone; one that kills its worker even then is
    refused. Workers end by themselves when this process dies, even by SIGKILL.
    """

    def __init__(self, settings: CaptureSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._pool: Executor | None = None
        self._retries: ThreadPoolExecutor | None = None
        self._lone: Executor | None = None
        """Pool of the retry thread: never more than one document in it."""

    def start(self) -> None:
        """Begin; the first worker is warm when the first document comes."""
        with self._lock:
            self._pool = self._new_pool()
            self._retries = ThreadPoolExecutor(1, thread_name_prefix="capture-retry")
            for _ in range(max(1, self._settings.workers)):
                self._pool.submit(warm_up)

    def stop(self) -> None:
        """End; documents under way are dropped (they are stored)."""
        with self._lock:
            pools = (self._pool, self._retries, self._lone)
            self._pool = self._retries = self._lone = None
        for pool in pools:
            if pool is not None:
                pool.shutdown(wait=True, cancel_futures=True)

    def submit(self, document: bytes, behaviour: ErrorBehaviour) -> Future[Prepared]:
        """Prepare a document. The future raises `WorkerLost` or `CaptureStopped`."""
        outcome: Future[Prepared] = Future()
        outcome.set_running_or_notify_cancel()  # who waits for it must not cancel it
        with self._lock:
            pool = self._pool
        if pool is None:
            outcome.set_exception(CaptureStopped("the capture service does not run"))
            return outcome
        try:
            future = pool.submit(prepare, document, behaviour, self._settings)
        except RuntimeError:  # broken, or shut down since
            self._renew(pool)
            self._try_alone(document, behaviour, outcome)
            return outcome

        def settle(future: Future[Prepared]) -> None:
            if future.cancelled():
                outcome.set_exception(CaptureStopped("the capture service was stopped"))
                return
            error = future.exception()
            if isinstance(error, BrokenProcessPool):
                self._renew(pool)
                self._try_alone(document, behaviour, outcome)
            elif error is not None:
                outcome.set_exception(error)
            else:
                outcome.set_result(future.result())

        future.add_done_callback(settle)
        return outcome

    def _renew(self, broken: Executor) -> None:
        with self._lock:
            if self._pool is not broken:
                return
            _log.warning("a capture worker died; starting another")
            self._pool = self._new_pool()
        broken.shutdown(wait=False)

    def _try_alone(
        self, document: bytes, behaviour: ErrorBehaviour, outcome: Future[Prepared]
    ) -> None:
        with self._lock:
            if self._retries is not None:
                self._retries.submit(self._alone, document, behaviour, outcome)
                return
        outcome.set_exception(CaptureStopped("the capture service does not run"))

    def _alone(self, document: bytes, behaviour: ErrorBehaviour, outcome: Future[Prepared]) -> None:
        for _ in range(self._settings.worker_attempts_max):
            with self._lock:
                if self._retries is None:
                    break
                pool = self._lone = self._lone or self._new_pool()
            try:
                future = pool.submit(prepare, document, behaviour, self._settings)
                outcome.set_result(future.result())
            except BrokenProcessPool:
                with self._lock:
                    self._lone = None
                pool.shutdown(wait=False)
            except CancelledError:
                break
            except Exception as error:
                outcome.set_exception(error)
                return
            else:
                return
        else:
            outcome.set_exception(WorkerLost("this document kills the process that reads it"))
            return
        outcome.set_exception(CaptureStopped("the capture service was stopped"))

    def _new_pool(self) -> Executor:
        if self._settings.workers == 0:
            return ThreadPoolExecutor(1, thread_name_prefix="capture-prepare")
        return ProcessPoolExecutor(
            self._settings.workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_end_with_parent,
        )


def _end_with_parent() -> None:
    """In the worker: an orphan would wait for documents for ever."""

    def watch() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
        os._exit(0)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
