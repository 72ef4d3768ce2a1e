"""A new store that is filled beside the one in use and takes its place only when it is whole."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import lmdb

from ledger.closing import Closing
from ledger.store.errors import StoreClosed
from ledger.store.lmdb_file import (
    DATA_FILE,
    LOCK_SUFFIX,
    open_environment,
    open_tables,
    read_error,
    sync_directory,
    write_error,
)
from ledger.store.snapshot import Snapshot
from ledger.store.types import Table, WriteBatch

STAGED_FILE = "restoring.mdb"
_PART_MAX = 20_000
_PART_SIZE_BYTES_MAX = 32 << 20


def remove_staged(directory: Path) -> None:
    """Remove what a restoration that did not come to its end has left."""
    for name in (STAGED_FILE, STAGED_FILE + LOCK_SUFFIX):
        (directory / name).unlink(missing_ok=True)


class StagedStore(Closing):
    """An empty store to be filled in the order of keys, each table by itself.

    Nothing is durable before `finish`; whoever dies before leaves a file that the next opening of
    the store in use removes. Not thread-safe.
    """

    def __init__(self, directory: Path, map_size_bytes: int) -> None:
        """Use `Store.stage`."""
        remove_staged(directory)
        self._directory = directory
        self._map_size_bytes = map_size_bytes
        self._file = directory / STAGED_FILE
        self._environment: Any = open_environment(
            self._file, map_size_bytes, readonly=False, durable=False
        )
        self._databases = open_tables(self._environment, directory, readonly=False)

    @property
    def directory(self) -> Path:
        """Where it lies; temporary files may be put there."""
        return self._directory

    def append(self, table: Table, items: Iterable[tuple[bytes, bytes]]) -> int:
        """Add entries whose keys ascend and lie behind all that the table has. Returns how many.

        Raises `StoreFull`, `StoreClosed`, `ValueError` for keys out of order.
        """
        environment, rest, count = self._open(), iter(items), 0
        while part := _part(rest):
            try:
                with (
                    environment.begin(write=True) as transaction,
                    transaction.cursor(db=self._databases[table]) as cursor,
                ):
                    _, added = cursor.putmulti(part, append=True)
            except lmdb.KeyExistsError as error:
                raise ValueError(f"{table}: keys are not in ascending order") from error
            except (lmdb.Error, OSError) as error:
                raise write_error(error, self._file) from error
            if added != len(part):
                raise ValueError(f"{table}: keys are not in ascending order")
            count += added
        return count

    def put(self, batch: WriteBatch) -> None:
        """Set keys in any order; a batch here only puts. Raises `StoreFull`, `StoreClosed`."""
        environment = self._open()
        try:
            with environment.begin(write=True) as transaction:
                for table, key, value, _ in batch.operations:
                    transaction.put(key, value, db=self._databases[table])
        except (lmdb.Error, OSError) as error:
            raise write_error(error, self._file, batch) from error

    def snapshot(self) -> Snapshot:
        """What was added so far. Raises `StoreClosed`."""
        try:
            return Snapshot(self._open().begin(buffers=False), self._databases)
        except lmdb.Error as error:
            raise read_error(error) from error

    def finish(self) -> tuple[Any, dict[Table, Any]]:
        """Make all durable and put the file in the place of the store in use, at one stroke.

        For `Store.adopt`. Returns the environment, now open with durable commits.
        """
        environment, durable = self._open(), None
        try:
            environment.sync(True)
            environment.close()
            durable = open_environment(self._file, self._map_size_bytes, readonly=False)
            databases = open_tables(durable, self._directory, readonly=False)
            target = self._directory / DATA_FILE
            # The lock file first: whoever opens in between reads the old pages, which nobody
            # writes any more. The second name makes it final, also after a crash.
            os.rename(f"{self._file}{LOCK_SUFFIX}", f"{target}{LOCK_SUFFIX}")
            os.rename(self._file, target)
            self._environment = None
            sync_directory(self._directory)
        except (lmdb.Error, OSError) as error:
            if self._environment is not None and durable is not None:
                durable.close()
            raise write_error(error, self._file) from error
        return durable, databases

    def close(self) -> None:
        """Let go and leave no trace, unless it was finished. Twice does no harm."""
        if self._environment is not None:
            self._environment.close()
            self._environment = None
            remove_staged(self._directory)

    def _open(self) -> Any:
        if self._environment is None:
            raise StoreClosed("the staged store is closed")
        return self._environment


def _part(items: Any) -> list[tuple[bytes, bytes]]:
    """The next entries: bounded in number and, but for the last of them, in bytes."""
    part: list[tuple[bytes, bytes]] = []
    size = 0
    for entry in islice(items, _PART_MAX):
        part.append(entry)
        size += len(entry[1])
        if size >= _PART_SIZE_BYTES_MAX:
            break
    return part
