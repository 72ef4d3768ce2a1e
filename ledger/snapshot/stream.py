"""The stream: records one after the other, cut into chunks (docs/snapshot-format.md, section 2)."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import IntEnum
from hashlib import sha256

from ledger.snapshot.errors import ChunkWrong, SnapshotTooLarge, SnapshotWrong
from ledger.snapshot.manifest import CHUNK_SIZE_BYTES, COMPRESSED_SIZE_BYTES_MAX

RECORD_SIZE_BYTES_MAX = 512 << 20
"""Of any ledger; each has lower ones of its own (`ledger.snapshot.bounds`)."""
SLOTS_IN_RECORD = 1_024
_HEAD_SIZE_BYTES = 5
_LARGE_BYTES = 1 << 20
_LEVEL = 1
"""zlib's fastest: the stream is hashes to a good part, which no level makes smaller."""


class Kind(IntEnum):
    """What a record holds. They come in this order."""

    GENESIS = 1
    """The genesis document."""
    BLOCK = 2
    """Header, body, receipts and log entries of one block."""
    CODE = 3
    """Contract code."""
    ACCOUNT = 4
    """Address and account RLP."""
    SLOTS = 5
    """Up to 1,024 slots of the account before."""
    END = 6
    """How many there were of each."""


def record(kind: Kind, payload: bytes) -> bytes:
    """One record: kind, length (4 bytes), payload. Raises `SnapshotTooLarge`."""
    if len(payload) > RECORD_SIZE_BYTES_MAX:
        raise SnapshotTooLarge(
            f"a record of {len(payload)} bytes; at most {RECORD_SIZE_BYTES_MAX} are possible"
        )
    return bytes((kind,)) + len(payload).to_bytes(4, "big") + payload


def cut(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The stream in chunks of `CHUNK_SIZE_BYTES`, the last one shorter."""
    waiting = bytearray()
    for part in parts:
        waiting += part
        if len(waiting) < CHUNK_SIZE_BYTES:
            continue
        whole = len(waiting) - len(waiting) % CHUNK_SIZE_BYTES
        for start in range(0, whole, CHUNK_SIZE_BYTES):
            yield bytes(waiting[start : start + CHUNK_SIZE_BYTES])
        del waiting[:whole]
    if waiting:
        yield bytes(waiting)


def compress(chunk: bytes) -> bytes:
    """A chunk as it is stored and sent: one zlib stream (RFC 1950)."""
    return zlib.compress(chunk, _LEVEL)


def expand(index: int, data: bytes, size: int, digest: bytes) -> bytes:
    """Inverse of `compress`, for the chunk of exactly this size and SHA-256.

    Never makes more than `size` bytes of it. Raises `ChunkWrong`.
    """
    if len(data) > COMPRESSED_SIZE_BYTES_MAX:
        raise ChunkWrong(index, f"has {len(data)} bytes, more than any chunk")
    inflate = zlib.decompressobj()
    try:
        chunk = inflate.decompress(data, size + 1)
    except zlib.error as error:
        raise ChunkWrong(index, f"is not readable ({error})") from error
    if not inflate.eof or inflate.unused_data or len(chunk) != size:
        raise ChunkWrong(index, f"is not one zlib stream of {size} bytes")
    if sha256(chunk).digest() != digest:
        raise ChunkWrong(index, "is not the one that the metadata names")
    return chunk


class RecordReader:
    """Records out of chunks that come one after the other."""

    def __init__(
        self, take: Callable[[Kind, bytes], None], bounds: Mapping[Kind, int] | None = None
    ) -> None:
        """`bounds`: bytes of a record's payload, by kind; a longer one is not waited for."""
        self._take = take
        self._bounds = bounds or dict.fromkeys(Kind, RECORD_SIZE_BYTES_MAX)
        self._waiting = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Hand over all records that are whole by now. Raises `SnapshotWrong`."""
        self._waiting += chunk
        while self._hand_over():
            pass

    def _hand_over(self) -> bool:
        """Whole records up to a large one, which is held once only; whether more may be there."""
        view, start, available = memoryview(self._waiting), 0, len(self._waiting)
        large: tuple[Kind, bytes] | None = None
        try:
            while large is None and available - start >= _HEAD_SIZE_BYTES:
                kind = _kind(view[start])
                size = int.from_bytes(view[start + 1 : start + _HEAD_SIZE_BYTES], "big")
                if size > self._bounds[kind]:
                    raise SnapshotWrong(
                        f"a record {kind.name} of {size} bytes; at most {self._bounds[kind]} are "
                        "possible on this ledger"
                    )
                begin = start + _HEAD_SIZE_BYTES
                if begin + size > available:
                    break
                start = begin + size
                payload = bytes(view[begin:start])
                if size > _LARGE_BYTES:
                    large = kind, payload
                else:
                    self._take(kind, payload)
        finally:
            view.release()
            del self._waiting[:start]
        if large is None:
            return False
        del payload
        self._take(*large)
        return True

    def finish(self) -> None:
        """Nothing more comes. Raises `SnapshotWrong` within a record."""
        if self._waiting:
            raise SnapshotWrong(f"the stream ends within a record ({len(self._waiting)} bytes)")


def _kind(number: int) -> Kind:
    try:
        return Kind(number)
    except ValueError:
        raise SnapshotWrong(f"a record of kind {number}; there is none such") from None


def encode_slot(slot: bytes, value: bytes) -> bytes:
    """A slot in a record: its 32 bytes, the length of the value, the value (shortest, not 0)."""
    return slot + bytes((len(value),)) + value


def decode_slots(payload: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Slots and values of a record. Raises `SnapshotWrong`."""
    at, end = 0, len(payload)
    if not end:
        raise SnapshotWrong("a record of no slots")
    while at < end:
        middle = at + 33
        size = payload[middle - 1] if middle <= end else 0
        after = middle + size
        if not 1 <= size <= 32 or after > end or payload[middle] == 0:
            raise SnapshotWrong("a slot whose value is not 1 to 32 bytes without leading zero")
        yield payload[at : middle - 1], payload[middle:after]
        at = after
