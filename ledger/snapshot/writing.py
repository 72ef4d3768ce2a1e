"""Filling a staged store: entries gathered until there are enough for one write."""

from __future__ import annotations

from ledger.store import StagedStore, Table

_HELD_MAX = 16_384
_HELD_BYTES_MAX = 16 << 20


class Appender:
    """Entries of one table, in the order of their keys."""

    def __init__(self, staged: StagedStore, table: Table) -> None:
        self._staged = staged
        self._table = table
        self._held: list[tuple[bytes, bytes]] = []
        self._held_bytes = 0

    def add(self, key: bytes, value: bytes) -> None:
        """One more. Raises `StoreFull`, `ValueError` for keys that do not ascend."""
        self._held.append((key, value))
        self._held_bytes += len(value)
        if len(self._held) >= _HELD_MAX or self._held_bytes >= _HELD_BYTES_MAX:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        held, self._held, self._held_bytes = self._held, [], 0
        self._staged.append(self._table, held)
