"""Recently used values, bounded by their weight."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class WeighedCache(Generic[K, V]):
    """Least recently used values go first. Thread-safe."""

    def __init__(self, weight_max: int) -> None:
        self._weight_max = weight_max
        self._weight = 0
        self._lock = threading.Lock()
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value, None where it is not held."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry[0]

    def put(self, key: K, value: V, weight: int) -> None:
        """Hold a value; one heavier than everything allowed is not held."""
        with self._lock:
            before = self._entries.pop(key, None)
            if before is not None:
                self._weight -= before[1]
            if weight > self._weight_max:
                return
            self._entries[key] = (value, weight)
            self._weight += weight
            while self._weight > self._weight_max:
                _, (_, freed) = self._entries.popitem(last=False)
                self._weight -= freed
