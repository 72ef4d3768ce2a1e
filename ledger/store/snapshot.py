"""Reading a store: all tables as they were at one moment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import lmdb

from ledger.closing import Closing
from ledger.store.errors import StoreClosed
from ledger.store.lmdb_file import read_error
from ledger.store.recent import RecentValues
from ledger.store.types import Table


class Snapshot(Closing):
    """All tables as they were at one moment. Later commits do not show.

    Cheap to open, any number at once; one snapshot is for one thread at a time. Close it soon:
    space freed by later commits is not reused while it is open.
    """

    def __init__(
        self,
        transaction: Any,
        databases: dict[Table, Any],
        recent: RecentValues | None = None,
        moment: object = None,
    ) -> None:
        """With the values at hand, where this is the state of their `moment`."""
        self._transaction = transaction
        self._databases = databases
        self._recent = recent
        self._moment = moment

    def get(self, table: Table, key: bytes) -> bytes | None:
        """Value of a key, None where absent. Raises `StoreClosed`."""
        recent = self._recent
        if recent is None or (values := recent.tables.get(table)) is None:
            return self._read(table, key)
        value: bytes | None = values.get(key, _UNKNOWN)
        # In this order: what was looked up before a commit began is still of this moment.
        if recent.moment is not self._moment:
            self._recent = None
            return self._read(table, key)
        if value is _UNKNOWN:
            value = self._read(table, key)
            recent.keep(table, key, value, self._moment)
        return value

    def _read(self, table: Table, key: bytes) -> bytes | None:
        try:
            value: bytes | None = self._transaction.get(key, db=self._databases[table])
        except lmdb.Error as error:
            raise read_error(error) from error
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
            raise read_error(error) from error

    def last(self, table: Table) -> tuple[bytes, bytes] | None:
        """The entry with the greatest key."""
        return next(self.scan(table, reverse=True), None)

    def count(self, table: Table) -> int:
        """Number of entries."""
        try:
            entries: int = self._transaction.stat(self._databases[table])["entries"]
        except lmdb.Error as error:
            raise read_error(error) from error
        return entries

    def close(self) -> None:
        """Let go. Twice does no harm."""
        transaction, self._transaction, self._recent = self._transaction, _CLOSED, None
        # An ended transaction gives its place in the table of readers back only when the object is
        # gone. Whoever keeps the snapshot (an engine's objects that refer to each other) must not
        # keep the place.
        transaction.abort()


class _Closed:
    """In the place of a transaction that is over."""

    def get(self, *_: Any, **__: Any) -> Any:
        raise StoreClosed("the snapshot is closed")

    cursor = stat = get

    def abort(self) -> None:
        """It is over already."""


_CLOSED: Final = _Closed()
_UNKNOWN: Final[Any] = object()


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
