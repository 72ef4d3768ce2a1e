"""Finished answers, kept while they are right and while there is room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable


class ByteCache:
    """Bytes by key, the longest unused forgotten first. For the event loop: not thread-safe."""

    def __init__(self, size_bytes_max: int) -> None:
        self._size_max = size_bytes_max
        self._entries: OrderedDict[Hashable, bytes] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable) -> bytes | None:
        value = self._entries.get(key)
        if value is not None:
            self._entries.move_to_end(key)
        return value

    def put(self, key: Hashable, value: bytes) -> None:
        self._size -= len(self._entries.pop(key, b""))
        if len(value) > self._size_max:
            return
        self._entries[key] = value
        self._size += len(value)
        while self._size > self._size_max:
            self._size -= len(self._entries.popitem(last=False)[1])

    def clear(self) -> None:
        self._entries.clear()
        self._size = 0
