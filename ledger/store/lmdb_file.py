"""The LMDB file under a store: opening it, its tables, and what its errors mean."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
from pathlib import Path
from typing import Any

import lmdb

from ledger.store.errors import (
    SchemaMismatch,
    StoreBusy,
    StoreClosed,
    StoreDamaged,
    StoreError,
    StoreFull,
)
from ledger.store.types import SCHEMA_VERSION, Table, WriteBatch

READERS_MAX = 512
DATA_FILE = "ledger.mdb"
LOCK_SUFFIX = "-lock"
_SCHEMA_KEY = b"schema"
_WRITER_LOCK_FILE = "writer.lock"
_ROOM_FACTOR = 4
"""A batch dirties more pages than it has bytes."""
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def make_directory(directory: Path) -> None:
    """Make a directory and those above it, their names durable (fsync(2), NOTES)."""
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    directory.mkdir(parents=True, exist_ok=True)
    for path in missing:
        sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def take_writer_lock(directory: Path) -> int:
    """An exclusive lock that the operating system lets go of when the process dies."""
    descriptor = os.open(
        directory / _WRITER_LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
    )
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StoreBusy(
            f"{directory} is in use by another process: stop that node first"
        ) from error
    return descriptor


def open_environment(
    file: Path, map_size_bytes: int, readonly: bool, *, durable: bool = True
) -> Any:
    """The LMDB environment. Raises `StoreDamaged`, `StoreBusy`, `StoreFull`."""
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
            sync=durable,
            metasync=durable,
            # Pages are read at random; reading ahead wastes memory once the file is large.
            readahead=False,
        )
    except (lmdb.InvalidError, lmdb.CorruptedError, lmdb.VersionMismatchError) as error:
        raise StoreDamaged(f"{file} is not a ledger store, or is damaged: {error}") from error
    except lmdb.Error as error:
        if "already open" in str(error):
            raise StoreBusy(f"{file} is open in this process already") from error
        raise write_error(error, file) from error


def open_tables(environment: Any, directory: Path, readonly: bool) -> dict[Table, Any]:
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
        raise write_error(error, directory) from error


def _check_schema(directory: Path, found: bytes | None) -> None:
    if found != str(SCHEMA_VERSION).encode():
        raise SchemaMismatch(
            f"{directory} has store layout {(found or b'?').decode('ascii', 'replace')}, "
            f"this software has {SCHEMA_VERSION}: use the version that wrote it"
        )


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


def read_error(error: lmdb.Error) -> StoreError:
    """What an error of LMDB while reading means."""
    if isinstance(error, (lmdb.CorruptedError, lmdb.PageNotFoundError)):
        return StoreDamaged(f"the store is damaged: {error}; restore a backup")
    return StoreClosed(f"the store or the snapshot is closed: {error}")


def write_error(error: BaseException, path: Path, batch: WriteBatch | None = None) -> StoreError:
    """What an error of LMDB or of the disk while writing to `path` means."""
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
