"""One writer of what must be durable: what arrives together is committed with one fsync."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final, Generic, TypeAlias, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ledger.projection.database import write_transaction
from ledger.projection.errors import CommitError, CommitterStopped, StorageFailed, StorageFull

GROUP_MAX: Final = 64
_SQLITE_FULL: Final = 13
_SQLITE_IOERR: Final = 10
_POSTGRESQL_DISK_FULL: Final = "53100"

T = TypeVar("T")


@dataclass(slots=True)
class _Work(Generic[T]):
    run: Callable[[Connection], T]
    future: Future[T]


_Tried: TypeAlias = tuple[_Work[object], object, Exception | None]
"""Work, its result, and what it raised."""


class GroupCommitter:
    """Runs pieces of work in order on one thread, several to a durable transaction.

    One which fails leaves the others alone: then all of them are run anew, each in a savepoint of
    its own. A future is resolved only after the commit.
    """

    def __init__(self, engine: Engine, name: str = "commit") -> None:
        """`name` is that of the thread."""
        self._engine = engine
        self._queue: queue.SimpleQueue[_Work[object] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)
        self._lock = threading.Lock()
        self._open = False

    def start(self) -> None:
        self._open = True
        self._thread.start()

    def stop(self) -> None:
        """Finish what was handed in, then end."""
        with self._lock:
            if not self._open:
                return
            self._open = False
            self._queue.put(None)
        self._thread.join()

    def submit(self, run: Callable[[Connection], T]) -> Future[T]:
        """Hand in work. The future raises what `run` raised, or a `CommitError` of the storage.

        `run` may be called twice, the first time for nothing: it does nothing but read and write.
        Raises `CommitterStopped`.
        """
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()  # who waits for it must not cancel it
        work: _Work[T] = _Work(run, future)
        with self._lock:
            if not self._open:
                raise CommitterStopped("nothing is stored any more: the node is stopping")
            self._queue.put(work)  # type: ignore[arg-type]
        return future

    def _loop(self) -> None:
        while (first := self._queue.get()) is not None:
            group = [first]
            ending = False
            while len(group) < GROUP_MAX and not self._queue.empty():
                work = self._queue.get()
                if work is None:
                    ending = True
                    break
                group.append(work)
            self._commit(group)
            if ending:
                return

    def _commit(self, group: list[_Work[object]]) -> None:
        try:
            results = self._together(group) or self._one_by_one(group)
        except Exception as error:
            failure = storage_error(error) if isinstance(error, SQLAlchemyError) else error
            for work in group:
                work.future.set_exception(failure)
            return
        for work, result, fault in results:
            if fault is None:
                work.future.set_result(result)
            else:
                work.future.set_exception(fault)

    def _together(self, group: list[_Work[object]]) -> list[_Tried] | None:
        """Without savepoints, which cost as much as the work; None where one fails."""
        try:
            with write_transaction(self._engine) as connection:
                return [(work, work.run(connection), None) for work in group]
        except Exception as error:
            if is_storage_fault(error):
                raise
            return None

    def _one_by_one(self, group: list[_Work[object]]) -> list[_Tried]:
        with write_transaction(self._engine) as connection:
            return [_attempt(connection, work) for work in group]


def _attempt(connection: Connection, work: _Work[object]) -> _Tried:
    """One piece of work in its own savepoint. Raises only if the whole transaction is lost."""
    savepoint = connection.begin_nested()
    try:
        result = work.run(connection)
    except Exception as error:
        if is_storage_fault(error):
            raise  # SQLite has rolled back everything: the savepoint is gone
        savepoint.rollback()
        return work, None, storage_error(error) if isinstance(error, SQLAlchemyError) else error
    savepoint.commit()
    return work, result, None


def is_storage_fault(error: BaseException) -> bool:
    """Whether the disk refused, so that the whole transaction is lost."""
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in (_SQLITE_FULL, _SQLITE_IOERR)
    return isinstance(error, DBAPIError) and (
        error.connection_invalidated
        or getattr(error.orig, "sqlstate", None) == _POSTGRESQL_DISK_FULL
    )


def storage_error(error: BaseException) -> CommitError:
    """The database's refusal in this room's words."""
    original = getattr(error, "orig", None)
    code = getattr(original, "sqlite_errorcode", None)
    if (code is not None and code & 0xFF == _SQLITE_FULL) or (
        getattr(original, "sqlstate", None) == _POSTGRESQL_DISK_FULL
    ):
        return StorageFull("the disk is full: nothing was stored; free some space and try again")
    return StorageFailed(f"the database refused: {type(original or error).__name__}")
