"""Values at hand: what was lately read or written of the tables that executing reads again.

To ask LMDB lets go of the interpreter's lock each time. A thread that makes a block in a busy node
would wait for it again after each of hundreds of reads, behind those that answer requests.
"""

from __future__ import annotations

import threading
from typing import Final

from ledger.store.types import Table, WriteBatch

KEPT_TABLES: Final = (Table.META, Table.ACCOUNTS, Table.SLOTS)
KEPT_MAX: Final = 100_000
"""Values of one table, some 25 MB; then they are gathered anew."""


class RecentValues:
    """Values of the newest moment only: between two commits, a moment is an object of its own.

    Whoever looks a value up by `tables` compares `moment` with his own afterwards: it goes before
    the values change, so that what he found is either of his, or not used.
    """

    def __init__(self) -> None:
        self.moment: object | None = object()
        self.is_writing = False
        """A commit is under way: what begins to read now may see the moment before or after."""
        self.tables: Final[dict[Table, dict[bytes, bytes | None]]] = {
            table: {} for table in KEPT_TABLES
        }
        """None where the key is absent."""
        self._lock = threading.Lock()

    def keep(self, table: Table, key: bytes, value: bytes | None, moment: object) -> None:
        """Keep what was read of `table` at that moment, if it is still the newest."""
        with self._lock:
            if self.moment is moment:
                self._put(self.tables[table], key, value)

    def begin(self) -> None:
        """A commit begins; `follow` or `forget` tells its end."""
        self.is_writing = True

    def follow(self, batch: WriteBatch) -> None:
        """The commit has succeeded: these are the newest values."""
        with self._lock:
            self.moment = None
            for table, key, value, is_prefix in batch.operations:
                values = self.tables.get(table)
                if values is None:
                    continue
                if is_prefix:
                    values.clear()
                else:
                    self._put(values, key, value)
            self.moment = object()
            self.is_writing = False

    def forget(self) -> None:
        """What is stored now is not known here."""
        with self._lock:
            self.moment = None
            for values in self.tables.values():
                values.clear()
            self.moment = object()
            self.is_writing = False

    @staticmethod
    def _put(values: dict[bytes, bytes | None], key: bytes, value: bytes | None) -> None:
        if len(values) >= KEPT_MAX:
            values.clear()
        values[key] = value
