"""Batches that this very process has hashed already, so that the projector need not do it again.

Capture computes the event ids and digests of a batch, and moments later the same batch comes back
from the chain. Hashing costs some 300 µs an event, most of what capturing costs.
"""

from __future__ import annotations

import threading
import zlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

EVENTS_MAX: Final = 20_000
BODIES_SIZE_BYTES_MAX: Final = 48 << 20


class HashedEvent(Protocol):
    """An event with what hashing it gave."""

    @property
    def event_id(self) -> str:
        """CBV event hash id."""

    @property
    def digest(self) -> str:
        """SHA-256 of `body`, 64 hex digits."""

    @property
    def body(self) -> bytes:
        """JCS bytes of the anchored event."""


@dataclass(frozen=True, slots=True)
class PreparedEvent:
    """The plain `HashedEvent`."""

    event_id: str
    digest: str
    body: bytes


class PreparedBatches:
    """A bounded memory of batches by root; thread-safe. The oldest are forgotten first."""

    def __init__(
        self, events_max: int = EVENTS_MAX, bodies_size_bytes_max: int = BODIES_SIZE_BYTES_MAX
    ) -> None:
        self._events_max = events_max
        self._size_max = bodies_size_bytes_max
        self._batches: OrderedDict[bytes, tuple[HashedEvent, ...]] = OrderedDict()
        self._events = 0
        self._size = 0
        self._lock = threading.Lock()

    def put(self, root: bytes, events: Sequence[HashedEvent]) -> None:
        """Remember a batch. The caller has computed `root` from these very events."""
        with self._lock:
            self._forget(root)
            self._batches[root] = tuple(events)
            self._events += len(events)
            self._size += _size(events)
            while self._events > self._events_max or self._size > self._size_max:
                self._forget(next(iter(self._batches)))

    def get(self, root: bytes, payload: bytes) -> tuple[HashedEvent, ...] | None:
        """The events of that root, if the payload holds exactly their bytes.

        The root alone would not do: another member may anchor it with another payload, and every
        node must come to the same verdict about that.
        """
        with self._lock:
            events = self._batches.get(root)
        return events if events is not None and _holds(payload, events) else None

    def discard(self, root: bytes) -> None:
        """Forget a batch that has been applied."""
        with self._lock:
            self._forget(root)

    def __len__(self) -> int:
        return len(self._batches)

    def _forget(self, root: bytes) -> None:
        events = self._batches.pop(root, None)
        if events is not None:
            self._events -= len(events)
            self._size -= _size(events)


def _size(events: Sequence[HashedEvent]) -> int:
    return sum(len(event.body) for event in events)


def _holds(payload: bytes, events: Sequence[HashedEvent]) -> bool:
    """Whether this is a payload (docs/proof-format.md, section 2) of exactly these events."""
    array = b"[" + b",".join(event.body for event in events) + b"]"
    if payload[:1] != b"\x01":
        return False
    stream = zlib.decompressobj()
    try:
        found = stream.decompress(payload[1:], len(array) + 1)
    except zlib.error:
        return False
    return found == array and stream.eof and not stream.unused_data
