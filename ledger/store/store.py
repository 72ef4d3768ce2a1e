"""The one file that holds the ledger: LMDB, named tables, one durable commit at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lmdb

from ledger.closing import Closing
from ledger.store.errors import (
    SchemaMismatch,
    StoreBusy,
    StoreClosed,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreMissing,
)
from ledger.store.types import SCHEMA_VERSION, Table, WriteBatch

MAP_SIZE_BYTES_DEFAULT = 64 << 30
"""Address space, not disk: the file grows as it is written."""
READERS_MAX = 512
_SCHEMA_KEY = b"schema"
_DATA_FILE = "ledger.mdb"
_LOCK_FILE = "writer.lock"
_ROOM_FACTOR = 4
"""A batch dirties more pages than it has bytes."""
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Snapshot(Closing):
    """All tables as they were at one moment. Later commits do not show.

    Cheap to open, any number at once; one snapshot is for one thread at a time. Close it soon:
    space freed by later commits is not reused while it is open.
    """

    def __init__(self, transaction: Any, databases: dict[Table, Any]) -> None:
        self._transaction = transaction
        self._databases = databases

    def get(self, table: Table, key: bytes) -> bytes | None:
        """Value of a key, None where absent. Raises `StoreClosed`."""
        try:
            value: bytes | None = self._transaction.get(key, db=self._databases[table])
        except lmdb.Error as error:
            raise _read_error(error) from error
        return value

    def scan(
        self, table: Table, start: bytes = b"", *, stop: bytes | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values in order, `start` <= key < `stop`.

        `reverse` walks the same range downwards.
        """
        try:
            with self._transaction.cursor(db=self._databases[table]) as cursor:
                yield from (
                    _downwards(cursor, start, stop) if reverse else _upwards(cursor, start, stop)
                )
        except lmdb.Error as error:
            raise _read_error(error) from error

    def last(self, table: Table) -> tuple[bytes, bytes] | None:
        """The entry with the greatest key."""
        return next(self.scan(table, reverse=True), None)

    def count(self, table: Table) -> int:
        """Number of entries."""
        try:
            entries: int = self._transaction.stat(self._databases[table])["entries"]
        except lmdb.Error as error:
            raise _read_error(error) from error
        return entries

    def close(self) -> None:
        """Let go. Twice does no harm."""
        self._transaction.abort()


class Store(Closing):
    """The ledger's storage. Thread-safe: reading never waits for writing.

    One process writes; others may open it `readonly` at the same time.
    """

    def __init__(
        self, path: Path, environment: Any, databases: dict[Table, Any], writer_lock: int | None
    ) -> None:
        """Use `Store.open`."""
        self._path = path
        self._environment = environment
        self._databases = databases
        self._writer_lock = writer_lock
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
        file = directory / _DATA_FILE
        if readonly and not file.exists():
            raise StoreMissing(f"no ledger store in {directory}")
        writer_lock: int | None = None
        if not readonly:
            _make_directory(directory)
            writer_lock = _take_writer_lock(directory)
        try:
            is_new = not file.exists()
            environment = _open_environment(file, map_size_bytes, readonly)
            try:
                if not readonly:
                    # A process that was killed may have left a commit that readers see and the
                    # disk does not have yet. It must be there before anybody is told of it.
                    environment.sync(True)
                databases = _open_tables(environment, directory, readonly)
                if is_new:
                    _sync_directory(directory)
            except BaseException:
                environment.close()
                raise
        except BaseException:
            if writer_lock is not None:
                os.close(writer_lock)
            raise
        return cls(file, environment, databases, writer_lock)

    def snapshot(self) -> Snapshot:
        """A view of all tables as of now. Raises `StoreClosed`, `StoreError` (too many readers)."""
        if self._closed:
            raise StoreClosed("the store is closed")
        try:
            return Snapshot(self._environment.begin(buffers=False), self._databases)
        except lmdb.ReadersFullError as error:
            raise StoreError(
                f"more than {READERS_MAX} snapshots are open: close those no longer read"
            ) from error
        except lmdb.Error as error:
            raise _read_error(error) from error

    def commit(self, batch: WriteBatch) -> None:
        """Make all of `batch` durable, or nothing of it. It is on disk when this returns.

        Raises `StoreFull` (nothing changed; works again once there is room), `StoreClosed`.
        """
        with self._commit_lock:
            if self._closed:
                raise StoreClosed("the store is closed")
            try:
                with self._environment.begin(write=True) as transaction:
                    for table, key, value, is_prefix in batch.operations:
                        database = self._databases[table]
                        if is_prefix:
                            _delete_prefix(transaction, database, key)
                        elif value is None:
                            transaction.delete(key, db=database)
                        else:
                            transaction.put(key, value, db=database)
            except (lmdb.Error, OSError) as error:
                raise _write_error(error, self._path, batch) from error

    def copy(self, directory: Path | str) -> None:
        """Write a compacted, consistent copy (a backup) while the store stays in use."""
        target = Path(directory)
        _make_directory(target)
        partial = target / (_DATA_FILE + ".partial")
        partial.unlink(missing_ok=True)
        try:
            with partial.open("xb") as handle:
                self._environment.copyfd(handle.fileno(), compact=True)
                os.fsync(handle.fileno())
        except (lmdb.Error, OSError) as error:
            partial.unlink(missing_ok=True)
            raise _write_error(error, target) from error
        partial.rename(target / _DATA_FILE)
        _sync_directory(target)

    def size_bytes(self) -> int:
        """Bytes of the file that hold pages (used or free)."""
        info = self._environment.info()
        page: int = self._environment.stat()["psize"]
        return (int(info["last_pgno"]) + 1) * page

    def close(self) -> None:
        """Close. Twice does no harm. Snapshots must be closed before."""
        with self._commit_lock:
            if self._closed:
                return
            self._closed = True
            self._environment.close()
            if self._writer_lock is not None:
                os.close(self._writer_lock)


def _make_directory(directory: Path) -> None:
    """Make a directory and those above it, their names durable (fsync(2), NOTES)."""
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    directory.mkdir(parents=True, exist_ok=True)
    for path in missing:
        _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _take_writer_lock(directory: Path) -> int:
    """An exclusive lock that the operating system lets go of when the process dies."""
    descriptor = os.open(directory / _LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StoreBusy(
            f"{directory} is in use by another process: stop that node first"
        ) from error
    return descriptor


def _open_environment(file: Path, map_size_bytes: int, readonly: bool) -> Any:
    try:
        return lmdb.open(
            str(file),
            map_size=map_size_bytes,
            subdir=False,
            readonly=readonly,
            max_dbs=len(Table),
            max_readers=READERS_MAX,
            max_spare_txns=8,
            mode=0o600,
            # A commit is durable when it returns: data and then meta page are synchronised.
            sync=True,
            metasync=True,
            # Pages are read at random; reading ahead wastes memory once the file is large.
            readahead=False,
        )
    except (lmdb.InvalidError, lmdb.CorruptedError, lmdb.VersionMismatchError) as error:
        raise StoreDamaged(f"{file} is not a ledger store, or is damaged: {error}") from error
    except lmdb.Error as error:
        if "already open" in str(error):
            raise StoreBusy(f"{file} is open in this process already") from error
        raise _write_error(error, file) from error


def _open_tables(environment: Any, directory: Path, readonly: bool) -> dict[Table, Any]:
    """All table handles, once the schema version is found to be ours."""
    try:
        if readonly:
            # Without a transaction of ours: handles opened in a read transaction end with it.
            tables = {
                table: environment.open_db(table.value.encode(), create=False) for table in Table
            }
            with environment.begin() as transaction:
                _check_schema(directory, transaction.get(_SCHEMA_KEY, db=tables[Table.META]))
            return tables
        with environment.begin(write=True) as transaction:
            meta = environment.open_db(Table.META.value.encode(), txn=transaction)
            found = transaction.get(_SCHEMA_KEY, db=meta)
            if found is None:
                transaction.put(_SCHEMA_KEY, str(SCHEMA_VERSION).encode(), db=meta)
            else:
                _check_schema(directory, found)
            return {
                table: environment.open_db(table.value.encode(), txn=transaction) for table in Table
            }
    except lmdb.NotFoundError as error:
        raise SchemaMismatch(f"{directory} lacks a table: {error}") from error
    except (lmdb.Error, OSError) as error:
        raise _write_error(error, directory) from error


def _check_schema(directory: Path, found: bytes | None) -> None:
    if found != str(SCHEMA_VERSION).encode():
        raise SchemaMismatch(
            f"{directory} has store layout {(found or b'?').decode('ascii', 'replace')}, "
            f"this software has {SCHEMA_VERSION}: use the version that wrote it"
        )


def _delete_prefix(transaction: Any, database: Any, prefix: bytes) -> None:
    with transaction.cursor(db=database) as cursor:
        found = cursor.set_range(prefix)
        while found and cursor.key().startswith(prefix):
            # Deleting moves the cursor to the entry after; False where there is none.
            cursor.delete()
            found = bool(cursor.key())


def _upwards(cursor: Any, start: bytes, stop: bytes | None) -> Iterator[tuple[bytes, bytes]]:
    found = cursor.set_range(start) if start else cursor.first()
    if not found:
        return
    for key, value in cursor.iternext():
        if stop is not None and key >= stop:
            return
        yield key, value


def _downwards(cursor: Any, start: bytes, stop: bytes | None) -> Iterator[tuple[bytes, bytes]]:
    found = (cursor.set_range(stop) and cursor.prev()) if stop is not None else cursor.last()
    if stop is not None and not found and cursor.last():
        # No key at or after `stop`: the last one lies before it, if it is before it at all.
        found = cursor.key() < stop
    if not found:
        return
    for key, value in cursor.iterprev():
        if key < start:
            return
        yield key, value


def _room_bytes(path: Path) -> int:
    """How much further the file at `path` can grow: the disk's rest, or the process's limit."""
    try:
        disk = os.statvfs(path)
        size = path.stat().st_size
    except OSError:
        return 0
    room = disk.f_bavail * disk.f_frsize
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    return room if limit == resource.RLIM_INFINITY else min(room, max(0, limit - size))


def _read_error(error: lmdb.Error) -> StoreError:
    if isinstance(error, (lmdb.CorruptedError, lmdb.PageNotFoundError)):
        return StoreDamaged(f"the store is damaged: {error}; restore a backup")
    return StoreClosed(f"the store or the snapshot is closed: {error}")


def _write_error(error: BaseException, path: Path, batch: WriteBatch | None = None) -> StoreError:
    size = "" if batch is None else f" (batch of {batch.size_bytes} bytes)"
    if isinstance(error, lmdb.MapFullError):
        return StoreFull(f"the store's map is full{size}: open it with a larger map_size_bytes")
    text = str(error)
    code = error.errno if isinstance(error, OSError) else None
    full = code in _NO_ROOM or any(os.strerror(number) in text for number in _NO_ROOM)
    # A write that the disk takes only half of is a plain input/output error to LMDB.
    if not full and os.strerror(errno.EIO) in text:
        full = _room_bytes(path) < _ROOM_FACTOR * (0 if batch is None else batch.size_bytes)
    if full:
        return StoreFull(f"no room on the disk{size}: {text}; free space and try again")
    if isinstance(error, (lmdb.CorruptedError, lmdb.PageNotFoundError, lmdb.PanicError)):
        return StoreDamaged(f"the store is damaged: {text}; reopen it, or restore a backup")
    return StoreError(f"the store could not write{size}: {text}")
