"""Frames on a stream: length (uint32), sequence number (uint64), type (uint8), then the payload.

Numbers are big-endian. Each direction counts from 0, keep-alives included, so that a frame that is
lost, repeated or moved is noticed (TLS protects the bytes; this protects against a program at the
other end that repeats itself).
"""

from __future__ import annotations

import struct
from enum import IntEnum

from federation.channel.errors import MessageInvalid

_HEAD = struct.Struct(">IQB")
HEAD_BYTES = _HEAD.size


class FrameType(IntEnum):
    """What a frame is."""

    MESSAGE = 1
    KEEP_ALIVE = 2
    """Nothing to say, still there; no payload."""
    GOODBYE = 3
    """Nothing more comes; no payload."""


class FrameWriter:
    """Numbers our frames."""

    def __init__(self) -> None:
        self._next = 0

    def frame(self, kind: FrameType, payload: bytes = b"") -> bytes:
        """The bytes of our next frame."""
        head = _HEAD.pack(len(payload), self._next, kind)
        self._next += 1
        return head + payload


class FrameReader:
    """Cuts a party's stream into frames. Keeps no more than has arrived."""

    def __init__(self, party: str, size_bytes_max: int) -> None:
        self._party = party
        self.size_bytes_max = size_bytes_max
        self._buffer = bytearray()
        self._next = 0

    def feed(self, data: bytes) -> None:
        """Take what arrived."""
        self._buffer += data

    def frame(self) -> tuple[FrameType, bytes] | None:
        """The next whole frame; None where more must arrive. Raises `MessageInvalid`."""
        if len(self._buffer) < HEAD_BYTES:
            return None
        length, number, kind = self._head()
        if len(self._buffer) < HEAD_BYTES + length:
            return None
        payload = bytes(memoryview(self._buffer)[HEAD_BYTES : HEAD_BYTES + length])
        del self._buffer[: HEAD_BYTES + length]
        self._next = number + 1
        return kind, payload

    @property
    def within_frame(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._buffer)

    def _head(self) -> tuple[int, int, FrameType]:
        length, number, kind = _HEAD.unpack_from(self._buffer)
        if length > self.size_bytes_max:
            raise self._invalid(f"{length} bytes; at most {self.size_bytes_max} are taken")
        if number != self._next:
            raise self._invalid(f"number {number} where {self._next} comes next")
        if kind not in tuple(FrameType):
            raise self._invalid(f"type {kind} is not known")
        if length and kind != FrameType.MESSAGE:
            raise self._invalid("a keep-alive or goodbye with a payload")
        return length, number, FrameType(kind)

    def _invalid(self, reason: str) -> MessageInvalid:
        return MessageInvalid(self._party, "frame", reason)
