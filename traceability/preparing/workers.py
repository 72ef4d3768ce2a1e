"""Processes that parse and hash, so that this does not hold up the serving process.

Not `ProcessPoolExecutor`: when a process of its pool dies it cannot say over which document, its
orphans wait for ever, and a submission at the wrong moment is never answered (Python 3.11).
"""

from __future__ import annotations

import logging
import multiprocessing
import queue
import threading
from concurrent.futures import Future
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Final

from ledger.cores import on_every_core
from traceability.preparing.errors import WorkerLost, WorkersStopped
from traceability.preparing.prepare import prepare, warm_up
from traceability.preparing.types import ErrorBehaviour, Prepared, PreparingSettings

JOIN_TIMEOUT_S: Final = 5.0

_log = logging.getLogger(__name__)
_context = multiprocessing.get_context("spawn")

Task = tuple[bytes, ErrorBehaviour, "Future[Prepared]"]


class Workers:
    """`prepare` in other processes; in a thread of this one where `settings.workers` is 0.

    One document at a time to a process: one that dies (killed, out of memory) or does not answer
    is replaced, its document tried again, and refused if it does the same to the next.
    """

    def __init__(self, settings: PreparingSettings) -> None:
        self._settings = settings.plain()
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._running = False
        self._threads: list[threading.Thread] = []
        self._processes: dict[int, BaseProcess] = {}

    def start(self) -> None:
        """Begin; workers are warm when the first document comes."""
        count = max(1, self._settings.workers)
        self._running = True
        self._threads = [
            threading.Thread(target=self._serve, args=(n,), name=f"capture-worker-{n}", daemon=True)
            for n in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; documents under way are dropped (they are stored)."""
        with self._lock:
            self._running = False
            for process in self._processes.values():
                process.kill()
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            thread.join()
        while not self._tasks.empty():
            task = self._tasks.get()
            if task is not None:
                task[2].set_exception(WorkersStopped("the workers were stopped"))

    def submit(self, document: bytes, behaviour: ErrorBehaviour) -> Future[Prepared]:
        """Prepare a document. The future raises `WorkerLost` or `WorkersStopped`."""
        outcome: Future[Prepared] = Future()
        outcome.set_running_or_notify_cancel()  # who waits for it must not cancel it
        with self._lock:
            if self._running:
                self._tasks.put((document, behaviour, outcome))
                return outcome
        outcome.set_exception(WorkersStopped("the workers do not run"))
        return outcome

    def process_ids(self) -> tuple[int, ...]:
        """The workers' process ids."""
        with self._lock:
            return tuple(p.pid for p in self._processes.values() if p.pid is not None)

    def _serve(self, number: int) -> None:
        """One thread and its process."""
        worker = _Local(self._settings) if self._settings.workers == 0 else None
        remote = None if worker else self._spawn(number)
        while (task := self._tasks.get()) is not None:
            document, behaviour, outcome = task
            for _ in range(self._settings.worker_attempts_max):
                try:
                    if worker is not None:
                        outcome.set_result(worker.prepare(document, behaviour))
                    else:
                        remote = remote or self._spawn(number)
                        outcome.set_result(remote.prepare(document, behaviour))
                    break
                except (EOFError, OSError, TimeoutError) as error:
                    if remote is not None:
                        remote.kill()
                        remote = None
                    if not self._running:
                        break
                    _log.warning("capture worker %d died (%s); starting another", number, error)
                except Exception as error:
                    outcome.set_exception(error)
                    break
            if not outcome.done():
                outcome.set_exception(self._why_not())
        if remote is not None:
            remote.kill()

    def _why_not(self) -> Exception:
        if not self._running:
            return WorkersStopped("the workers were stopped")
        return WorkerLost("this document kills the process that reads it")

    def _spawn(self, number: int) -> _Remote:
        remote = _Remote(self._settings)
        with self._lock:
            self._processes[number] = remote.process
            if not self._running:
                remote.process.kill()
        return remote


class _Local:
    """This very thread."""

    def __init__(self, settings: PreparingSettings) -> None:
        self._settings = settings
        warm_up()

    def prepare(self, document: bytes, behaviour: ErrorBehaviour) -> Prepared:
        return prepare(document, behaviour, self._settings)


class _Remote:
    """A process and the pipe to it. Belongs to one thread."""

    def __init__(self, settings: PreparingSettings) -> None:
        self._timeout_s = settings.worker_timeout_s
        self._pipe, theirs = _context.Pipe()
        self.process: BaseProcess = _context.Process(
            target=_work, args=(theirs, settings), name="capture-worker", daemon=True
        )
        with on_every_core():
            self.process.start()
        theirs.close()  # so that our end tells when the process is gone

    def prepare(self, document: bytes, behaviour: ErrorBehaviour) -> Prepared:
        """Raises `EOFError` or `OSError` when the process is gone, `TimeoutError` when it hangs."""
        self._pipe.send((behaviour, document))
        if not self._pipe.poll(self._timeout_s):
            raise TimeoutError(f"no answer within {self._timeout_s:g} s")
        answer = self._pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Prepared)
        return answer

    def kill(self) -> None:
        self.process.kill()
        self.process.join(JOIN_TIMEOUT_S)
        self._pipe.close()


def _work(pipe: Connection, settings: PreparingSettings) -> None:
    """The process: it ends when its parent does, for then the pipe does."""
    warm_up()
    with suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            behaviour, document = pipe.recv()
            try:
                answer: Prepared | Exception = prepare(document, behaviour, settings)
            except Exception as error:
                answer = RuntimeError(f"{type(error).__name__}: {error}")
            pipe.send(answer)
