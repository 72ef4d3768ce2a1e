"""The one file that holds the ledger: LMDB, named tables, one durable commit at a time."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import lmdb

from ledger.closing import Closing
from ledger.store.errors import StoreClosed, StoreError, StoreMissing
from ledger.store.lmdb_file import (
    DATA_FILE,
    READERS_MAX,
    make_directory,
    open_environment,
    open_tables,
    read_error,
    sync_directory,
    take_writer_lock,
    write_error,
)
from ledger.store.recent import RecentValues
from ledger.store.snapshot import Snapshot
from ledger.store.staged import StagedStore, remove_staged
from ledger.store.types import Table, WriteBatch

MAP_SIZE_BYTES_DEFAULT = 64 << 30
"""Address space, not disk: the file grows as it is written."""


class Store(Closing):
    """The ledger's storage. Thread-safe: reading never waits for writing.

    One process writes; others may open it `readonly` at the same time.
    """

    def __init__(
        self,
        path: Path,
        environment: Any,
        databases: dict[Table, Any],
        writer_lock: int | None,
        map_size_bytes: int,
    ) -> None:
        """Use `Store.open`."""
        self._path = path
        self._map_size_bytes = map_size_bytes
        self._opened = environment, databases
        """The environment and its tables: replaced together."""
        self._writer_lock = writer_lock
        self._recent = RecentValues()
        self._commit_lock = threading.Lock()
        self._closed = False

    @classmethod
    def open(
        cls,
        path: Path | str,
        map_size_bytes: int = MAP_SIZE_BYTES_DEFAULT,
        *,
        readonly: bool = False,
    ) -> Store:
        """Open the store in directory `path`, creating both unless `readonly`.

        Raises `StoreBusy`, `StoreMissing`, `SchemaMismatch`, `StoreDamaged`, `StoreFull`.
        """
        directory = Path(path)
        file = directory / DATA_FILE
        if readonly and not file.exists():
            raise StoreMissing(f"no ledger store in {directory}")
        writer_lock: int | None = None
        if not readonly:
            make_directory(directory)
            writer_lock = take_writer_lock(directory)
        try:
            if not readonly:
                remove_staged(directory)
            is_new = not file.exists()
            environment = open_environment(file, map_size_bytes, readonly)
            try:
                if not readonly:
                    # A process that was killed may have left a commit that readers see and the
                    # disk does not have yet. It must be there before anybody is told of it.
                    environment.sync(True)
                databases = open_tables(environment, directory, readonly)
                if is_new:
                    sync_directory(directory)
            except BaseException:
                environment.close()
                raise
        except BaseException:
            if writer_lock is not None:
                os.close(writer_lock)
            raise
        return cls(file, environment, databases, writer_lock, map_size_bytes)

    def snapshot(self) -> Snapshot:
        """A view of all tables as of now. Raises `StoreClosed`, `StoreError` (too many readers)."""
        if self._closed:
            raise StoreClosed("the store is closed")
        recent, moment = self._recent, self._recent.moment
        try:
            environment, databases = self._opened
            transaction = environment.begin(buffers=False)
        except lmdb.ReadersFullError as error:
            raise StoreError(
                f"more than {READERS_MAX} snapshots are open: close those no longer read"
            ) from error
        except lmdb.Error as error:
            raise read_error(error) from error
        # Who does not write does not know when another has. And during a commit, which moment is
        # it? (Where one has come between, the snapshot finds that its moment is over.)
        if self._writer_lock is None or moment is None or recent.is_writing:
            return Snapshot(transaction, databases)
        return Snapshot(transaction, databases, recent, moment)

    def commit(self, batch: WriteBatch) -> None:
        """Make all of `batch` durable, or nothing of it. It is on disk when this returns.

        Raises `StoreFull` (nothing changed; works again once there is room), `StoreClosed`.
        """
        with self._commit_lock:
            if self._closed:
                raise StoreClosed("the store is closed")
            self._recent.begin()
            try:
                self._write(batch)
            except BaseException:
                self._recent.forget()
                raise
            self._recent.follow(batch)

    def _write(self, batch: WriteBatch) -> None:
        environment, databases = self._opened
        try:
            with environment.begin(write=True) as transaction:
                for table, key, value, is_prefix in batch.operations:
                    database = databases[table]
                    if is_prefix:
                        _delete_prefix(transaction, database, key)
                    elif value is None:
                        transaction.delete(key, db=database)
                    else:
                        transaction.put(key, value, db=database)
        except (lmdb.Error, OSError) as error:
            raise write_error(error, self._path, batch) from error

    def copy(self, directory: Path | str) -> None:
        """Write a compacted, consistent copy (a backup) while the store stays in use."""
        target = Path(directory)
        make_directory(target)
        partial = target / (DATA_FILE + ".partial")
        partial.unlink(missing_ok=True)
        try:
            with partial.open("xb") as handle:
                self._opened[0].copyfd(handle.fileno(), compact=True)
                os.fsync(handle.fileno())
        except (lmdb.Error, OSError) as error:
            partial.unlink(missing_ok=True)
            raise write_error(error, target) from error
        partial.rename(target / DATA_FILE)
        sync_directory(target)

    def stage(self) -> StagedStore:
        """An empty store beside this one, to be filled and then adopted, or closed.

        One at a time. Raises `StoreFull`.
        """
        return StagedStore(self._path.parent, self._map_size_bytes)

    def adopt(self, staged: StagedStore) -> None:
        """Put a staged store in the place of this one's contents, at one stroke and durably.

        Snapshots that are open go on showing the old contents. Raises `StoreFull`, `StoreClosed`.
        """
        with self._commit_lock:
            if self._closed:
                raise StoreClosed("the store is closed")
            self._recent.begin()
            try:
                # The old environment goes when the last snapshot of it does.
                self._opened = staged.finish()
            finally:
                self._recent.forget()

    def size_bytes(self) -> int:
        """Bytes of the file that hold pages (used or free)."""
        environment, _ = self._opened
        info = environment.info()
        page: int = environment.stat()["psize"]
        return (int(info["last_pgno"]) + 1) * page

    def close(self) -> None:
        """Close. Twice does no harm. Snapshots must be closed before."""
        with self._commit_lock:
            if self._closed:
                return
            self._closed = True
            self._opened[0].close()
            if self._writer_lock is not None:
                os.close(self._writer_lock)


def _delete_prefix(transaction: Any, database: Any, prefix: bytes) -> None:
    with transaction.cursor(db=database) as cursor:
        found = cursor.set_range(prefix)
        while found and cursor.key().startswith(prefix):
            # Deleting moves the cursor to the entry after; False where there is none.
            cursor.delete()
            found = bool(cursor.key())
