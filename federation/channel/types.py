"""Messages between parties, and the count of what went over a channel."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]  # the dtype is one of codec.DTYPES and known only at run time
Value: TypeAlias = (
    bool | int | float | str | bytes | Array | Sequence["Value"] | Mapping[str, "Value"] | None
)


@dataclass(frozen=True, slots=True)
class Message:
    """One message. Arrays of a message that was received are read-only."""

    kind: str
    """What it is: room and name, as `psi/points`; 1 to 64 of a-z 0-9 . / -"""
    body: Mapping[str, Value] = field(default_factory=dict)
    party: str = ""
    """Who sent it, set by the channel on receiving; empty on a message that we made."""


@dataclass(slots=True)
class Count:
    """Messages and their bytes: frames and keep-alives included, TLS records and TCP not."""

    messages: int = 0
    size_bytes: int = 0

    def add(self, size_bytes: int, messages: int = 1) -> None:
        self.messages += messages
        self.size_bytes += size_bytes


class Traffic:
    """What went to and came from each party, by kind of message. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent: dict[tuple[str, str], Count] = {}
        self._received: dict[tuple[str, str], Count] = {}

    def add_sent(self, party: str, kind: str, size_bytes: int, messages: int = 1) -> None:
        """Count what was sent to `party`."""
        with self._lock:
            self._sent.setdefault((party, kind), Count()).add(size_bytes, messages)

    def add_received(self, party: str, kind: str, size_bytes: int, messages: int = 1) -> None:
        """Count what came from `party`."""
        with self._lock:
            self._received.setdefault((party, kind), Count()).add(size_bytes, messages)

    def sent(self) -> Mapping[tuple[str, str], Count]:
        """By (party, kind): a copy as of now."""
        return self._copy(self._sent)

    def received(self) -> Mapping[tuple[str, str], Count]:
        """By (party, kind): a copy as of now."""
        return self._copy(self._received)

    @property
    def sent_bytes(self) -> int:
        """Everything sent so far, in bytes."""
        return sum(count.size_bytes for count in self.sent().values())

    @property
    def received_bytes(self) -> int:
        """Everything received so far, in bytes."""
        return sum(count.size_bytes for count in self.received().values())

    def _copy(self, counts: dict[tuple[str, str], Count]) -> Mapping[tuple[str, str], Count]:
        with self._lock:
            copied = {key: Count(one.messages, one.size_bytes) for key, one in counts.items()}
        return MappingProxyType(copied)
