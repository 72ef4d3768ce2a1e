"""What the log's leaves say (docs/proof-format.md, section 3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from ledger.canonical import JsonError, canonical_json, parse_json
from ledger.json_place import INTEGER_MAX
from ledger.tlog.entries import ENTRY_SIZE_BYTES_MAX
from ledger.tlog.errors import EntryMalformed
from ledger.types import Address, Hash32

EVENT_DATA_SIZE_BYTES_MAX = 16 * 1024
"""A leaf holds event data up to this size; of larger data it holds the SHA-256."""
TOPICS_MAX = 4

_EVENT_NAMES = frozenset(
    ("address", "blockNumber", "blockTime", "data", "logIndex", "topics", "transactionHash", "type")
)
_LARGE_EVENT_NAMES = _EVENT_NAMES - {"data"} | {"dataDigest"}
_BLOCK_NAMES = frozenset(("blockHash", "blockNumber", "blockTime", "type"))
_HEX = re.compile(r"0x(?:[0-9a-f]{2})*")


@dataclass(frozen=True, slots=True)
class EventLeaf:
    """A contract event in its place."""

    address: Address
    topics: tuple[Hash32, ...]
    """0 to 4."""
    data: bytes
    block_number: int
    block_time: int
    """Seconds since 1970."""
    transaction_hash: Hash32
    log_index: int
    """Counted within the block."""

    def encode(self) -> bytes:
        """Leaf data: RFC 8785 bytes, never more than 65,535 whatever the event."""
        if len(self.data) > EVENT_DATA_SIZE_BYTES_MAX:
            return self._digested().encode()
        return canonical_json(_event_fields(self) | {"data": _hex(self.data)})

    def _digested(self) -> LargeEventLeaf:
        return LargeEventLeaf(
            self.address,
            self.topics,
            Hash32(sha256(self.data).digest()),
            self.block_number,
            self.block_time,
            self.transaction_hash,
            self.log_index,
        )


@dataclass(frozen=True, slots=True)
class LargeEventLeaf:
    """A contract event whose data is too large for a leaf: the leaf binds it by its hash."""

    address: Address
    topics: tuple[Hash32, ...]
    data_digest: Hash32
    """SHA-256 of the event's data."""
    block_number: int
    block_time: int
    transaction_hash: Hash32
    log_index: int

    def encode(self) -> bytes:
        """Leaf data: RFC 8785 bytes."""
        return canonical_json(_event_fields(self) | {"dataDigest": _hex(self.data_digest)})


@dataclass(frozen=True, slots=True)
class BlockLeaf:
    """A block, after its events."""

    block_hash: Hash32
    block_number: int
    block_time: int
    """Seconds since 1970."""

    def encode(self) -> bytes:
        """Leaf data: RFC 8785 bytes."""
        return canonical_json(
            {
                "blockHash": _hex(self.block_hash),
                "blockNumber": self.block_number,
                "blockTime": self.block_time,
                "type": "block",
            }
        )


Leaf = EventLeaf | LargeEventLeaf | BlockLeaf


def decode_leaf(data: bytes) -> Leaf:
    """Read leaf data, one spelling only. Raises `EntryMalformed`."""
    try:
        fields = parse_json(data, size_bytes_max=ENTRY_SIZE_BYTES_MAX, depth_max=2)
    except JsonError as error:
        raise EntryMalformed(f"leaf: {error}") from None
    leaf = leaf_from_fields(fields)
    if leaf.encode() != data:
        raise EntryMalformed("leaf: not spelled as canonical JSON (RFC 8785)")
    return leaf


def leaf_from_fields(fields: object) -> Leaf:
    """Read a leaf from its parsed JSON object. Raises `EntryMalformed`."""
    if not isinstance(fields, dict):
        raise EntryMalformed("leaf: no JSON object")
    names, kind = frozenset(fields), fields.get("type")
    if kind == "block" and names == _BLOCK_NAMES:
        number, time = _natural(fields, "blockNumber"), _natural(fields, "blockTime")
        return BlockLeaf(_hash(fields, "blockHash"), number, time)
    if kind == "event" and names == _EVENT_NAMES:
        return _event(fields)
    if kind == "event" and names == _LARGE_EVENT_NAMES:
        return _large_event(fields)
    raise EntryMalformed("leaf: neither the names of an event nor those of a block")


def _event(fields: Mapping[str, object]) -> EventLeaf:
    data = _bytes(fields["data"], "data")
    if len(data) > EVENT_DATA_SIZE_BYTES_MAX:
        raise EntryMalformed(f"leaf: {len(data)} bytes of data belong into a digest")
    return EventLeaf(
        Address(_bytes(fields["address"], "address", 20)),
        _topics(fields),
        data,
        _natural(fields, "blockNumber"),
        _natural(fields, "blockTime"),
        _hash(fields, "transactionHash"),
        _natural(fields, "logIndex"),
    )


def _large_event(fields: Mapping[str, object]) -> LargeEventLeaf:
    return LargeEventLeaf(
        Address(_bytes(fields["address"], "address", 20)),
        _topics(fields),
        _hash(fields, "dataDigest"),
        _natural(fields, "blockNumber"),
        _natural(fields, "blockTime"),
        _hash(fields, "transactionHash"),
        _natural(fields, "logIndex"),
    )


def _event_fields(leaf: EventLeaf | LargeEventLeaf) -> dict[str, object]:
    return {
        "address": _hex(leaf.address),
        "blockNumber": leaf.block_number,
        "blockTime": leaf.block_time,
        "logIndex": leaf.log_index,
        "topics": [_hex(topic) for topic in leaf.topics],
        "transactionHash": _hex(leaf.transaction_hash),
        "type": "event",
    }


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _bytes(value: object, name: str, size: int | None = None) -> bytes:
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise EntryMalformed(f"leaf: {name} is not lower-case 0x hex")
    data = bytes.fromhex(value[2:])
    if size is not None and len(data) != size:
        raise EntryMalformed(f"leaf: {name} has {len(data)} bytes instead of {size}")
    return data


def _hash(fields: Mapping[str, object], name: str) -> Hash32:
    return Hash32(_bytes(fields[name], name, 32))


def _topics(fields: Mapping[str, object]) -> tuple[Hash32, ...]:
    topics = fields["topics"]
    if not isinstance(topics, list) or len(topics) > TOPICS_MAX:
        raise EntryMalformed(f"leaf: topics is no list of at most {TOPICS_MAX}")
    return tuple(Hash32(_bytes(topic, "topics", 32)) for topic in topics)


def _natural(fields: Mapping[str, object], name: str) -> int:
    value = fields[name]
    if type(value) is not int or not 0 <= value <= INTEGER_MAX:
        raise EntryMalformed(f"leaf: {name} is not a number from 0 to 2**53-1")
    return value
