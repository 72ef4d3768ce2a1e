"""One operation on its way, and the thread that waits until it shows."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

from api.operations.types import Call, Done, Idempotency
from ledger.projection import ProjectionFailed, ProjectionStopped, ProjectionTimeout, Projector
from ledger.sending import Signed

WAIT_S: Final = 5.0

_log = logging.getLogger(__name__)


def _future() -> Future[Done]:
    """One that who waits for it cannot cancel: others may wait for the same."""
    future: Future[Done] = Future()
    future.set_running_or_notify_cancel()
    return future


@dataclass(slots=True, eq=False)
class Work:
    """An operation from the request until its answer."""

    organisation: str
    call: Call | None
    """None where it came signed, or from before a restart."""
    idempotency: Idempotency | None
    signed: Signed | None = None
    attempts: int = 0
    abandoned: bool = False
    """Nobody waits, and nothing is signed: it is not to be done."""
    durable: bool = False
    """Its row is written."""
    known: bool = False
    """It was there before this request."""
    future: Future[Done] = field(default_factory=_future)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def abandon(self) -> bool:
        """Give it up, unless it is signed. Whether that was in time."""
        with self.lock:
            self.abandoned = self.signed is None
            return self.abandoned

    def carry(self, signed: Signed) -> bool:
        """Note the transaction; False where the work was given up."""
        with self.lock:
            if self.abandoned:
                return False
            self.signed = signed
            return True


class Shower:
    """Calls back once the projection has applied a block: one thread, in the order of blocks."""

    def __init__(self, projector: Projector) -> None:
        self._projector = projector
        self._queue: queue.SimpleQueue[tuple[int, Callable[[bool], None]] | None] = (
            queue.SimpleQueue()
        )
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="operations-show", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """What still waits is told that it does not show."""
        self._stopping.set()
        self._queue.put(None)
        self._thread.join()

    def await_block(self, number: int, callback: Callable[[bool], None]) -> None:
        """`callback` is told whether the block shows; it must not raise or take long."""
        self._queue.put((number, callback))

    def _loop(self) -> None:
        while (item := self._queue.get()) is not None:
            number, callback = item
            shows = self._wait(number)
            try:
                callback(shows)
            except Exception:
                _log.exception("an operation could not be answered")

    def _wait(self, number: int) -> bool:
        while not self._stopping.is_set():
            try:
                self._projector.wait_for(number, WAIT_S)
            except ProjectionTimeout:
                continue
            except (ProjectionFailed, ProjectionStopped) as error:
                _log.error("operations: block %d does not show: %s", number, error)
                return False
            return True
        return False
