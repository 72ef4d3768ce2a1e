"""The metadata of a snapshot (docs/snapshot-format.md, section 3)."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256

from ledger.canonical import JsonError, canonical_json, parse_json
from ledger.snapshot.errors import FormatUnknown, OfferRefused, SnapshotTooLarge
from ledger.snapshot.types import SnapshotInfo
from ledger.types import Hash32

FORMAT = 1
CHUNK_SIZE_BYTES = (8 << 20) - (4 << 10)
"""Of the stream, in a chunk. zlib adds less than 3 KiB to what it cannot make smaller."""
COMPRESSED_SIZE_BYTES_MAX = 8 << 20
CHUNKS_MAX = 1 << 16
METADATA_SIZE_BYTES_MAX = 3 << 20
MARK_SIZE_BYTES_MAX = 1_024
_HASH_DOMAIN = b"tallystick-snapshot\n"
_NUMBER_MAX = 2**53 - 1
_HEX = re.compile(r"0x(?:[0-9a-f]{2})*")
_NAMES = frozenset(
    (
        "blockHash",
        "blockNumber",
        "chunkHashes",
        "genesisHash",
        "logRoot",
        "logSize",
        "mark",
        "sizeBytes",
        "stateRoot",
    )
)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a snapshot holds, and the hash of each chunk."""

    genesis_hash: Hash32
    """Of block 0."""
    block_number: int
    block_hash: Hash32
    state_root: Hash32
    log_size: int
    log_root: bytes
    mark: bytes | None
    """The consensus driver's mark, which belongs to that block; None for a solo ledger."""
    size_bytes: int
    """Of the stream, before compression."""
    chunk_hashes: tuple[bytes, ...]
    """SHA-256 of each chunk before compression."""

    @property
    def height(self) -> int:
        """See `height_of`."""
        return height_of(self.mark, self.block_number)

    def chunk_size(self, index: int) -> int:
        """Bytes of a chunk before compression."""
        return min(CHUNK_SIZE_BYTES, self.size_bytes - index * CHUNK_SIZE_BYTES)

    def info(self) -> SnapshotInfo:
        """The snapshot as it is offered. Raises `SnapshotTooLarge`."""
        metadata = self.encode()
        if len(self.chunk_hashes) > CHUNKS_MAX or len(metadata) > METADATA_SIZE_BYTES_MAX:
            raise SnapshotTooLarge(
                f"{len(self.chunk_hashes)} chunks; format {FORMAT} has at most {CHUNKS_MAX}"
            )
        digest = snapshot_hash(self.height, metadata)
        return SnapshotInfo(self.height, FORMAT, len(self.chunk_hashes), digest, metadata)

    def encode(self) -> bytes:
        """RFC 8785 bytes."""
        return canonical_json(
            {
                "blockHash": _hex(self.block_hash),
                "blockNumber": self.block_number,
                "chunkHashes": b64encode(b"".join(self.chunk_hashes)).decode(),
                "genesisHash": _hex(self.genesis_hash),
                "logRoot": _hex(self.log_root),
                "logSize": self.log_size,
                "mark": None if self.mark is None else _hex(self.mark),
                "sizeBytes": self.size_bytes,
                "stateRoot": _hex(self.state_root),
            }
        )

    @classmethod
    def of(cls, info: SnapshotInfo) -> Manifest:
        """Read an offer, one spelling only. Raises `FormatUnknown`, `OfferRefused`."""
        if info.format != FORMAT:
            raise FormatUnknown(f"snapshot of format {info.format}; this software reads {FORMAT}")
        if snapshot_hash(info.height, info.metadata) != info.hash:
            raise OfferRefused("the snapshot's hash is not that of its metadata")
        manifest = cls._decode(info.metadata)
        if manifest.height != info.height:
            raise OfferRefused(
                f"a snapshot of height {manifest.height} was offered as one of {info.height}"
            )
        chunks = -(-manifest.size_bytes // CHUNK_SIZE_BYTES)
        if not 1 <= chunks <= CHUNKS_MAX or not chunks == info.chunks == len(manifest.chunk_hashes):
            raise OfferRefused(
                f"{info.chunks} chunks with {len(manifest.chunk_hashes)} hashes for "
                f"{manifest.size_bytes} bytes"
            )
        return manifest

    @classmethod
    def _decode(cls, metadata: bytes) -> Manifest:
        try:
            fields = parse_json(metadata, size_bytes_max=METADATA_SIZE_BYTES_MAX, depth_max=1)
        except JsonError as error:
            raise OfferRefused(f"metadata: {error}") from error
        if not isinstance(fields, dict) or frozenset(fields) != _NAMES:
            raise OfferRefused("metadata: not the names that format 1 has")
        try:
            hashes = b64decode(_text(fields, "chunkHashes"), validate=True)
        except ValueError as error:
            raise OfferRefused(f"metadata: chunkHashes: {error}") from error
        if len(hashes) % 32:
            raise OfferRefused("metadata: chunkHashes has no whole number of hashes")
        mark = None if fields["mark"] is None else _bytes(fields, "mark", None)
        manifest = cls(
            genesis_hash=Hash32(_bytes(fields, "genesisHash", 32)),
            block_number=_number(fields, "blockNumber", 1),
            block_hash=Hash32(_bytes(fields, "blockHash", 32)),
            state_root=Hash32(_bytes(fields, "stateRoot", 32)),
            log_size=_number(fields, "logSize", 1),
            log_root=_bytes(fields, "logRoot", 32),
            mark=mark,
            size_bytes=_number(fields, "sizeBytes", 1),
            chunk_hashes=tuple(hashes[at : at + 32] for at in range(0, len(hashes), 32)),
        )
        if manifest.encode() != metadata:
            raise OfferRefused("metadata: not spelled as canonical JSON (RFC 8785)")
        return manifest


def height_of(mark: bytes | None, block_number: int) -> int:
    """The consensus height: what a driver's mark, a JSON object, calls `height`.

    Raises `OfferRefused` where it says none.
    """
    if mark is None:
        return block_number
    try:
        fields = parse_json(mark, size_bytes_max=MARK_SIZE_BYTES_MAX, depth_max=2)
    except JsonError as error:
        raise OfferRefused(f"the consensus mark is not readable: {error}") from error
    height = fields.get("height") if isinstance(fields, dict) else None
    if type(height) is not int or not 0 < height <= _NUMBER_MAX:
        raise OfferRefused("the consensus mark names no height")
    return height


def snapshot_hash(height: int, metadata: bytes) -> bytes:
    """The hash of a whole snapshot."""
    place = FORMAT.to_bytes(4, "big") + height.to_bytes(8, "big")
    return sha256(_HASH_DOMAIN + place + metadata).digest()


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _text(fields: dict[str, object], name: str) -> str:
    value = fields[name]
    if not isinstance(value, str):
        raise OfferRefused(f"metadata: {name} is no text")
    return value


def _bytes(fields: dict[str, object], name: str, size: int | None) -> bytes:
    text = _text(fields, name)
    if not _HEX.fullmatch(text):
        raise OfferRefused(f"metadata: {name} is not lower-case 0x hex")
    data = bytes.fromhex(text[2:])
    if size is not None and len(data) != size:
        raise OfferRefused(f"metadata: {name} has {len(data)} bytes instead of {size}")
    return data


def _number(fields: dict[str, object], name: str, least: int) -> int:
    value = fields[name]
    if type(value) is not int or not least <= value <= _NUMBER_MAX:
        raise OfferRefused(f"metadata: {name} is no number from {least} to 2**53-1")
    return value
