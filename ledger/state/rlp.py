"""Recursive Length Prefix (Ethereum yellow paper, appendix B), strict and bounded.

An item is bytes or a list of items. Decoding accepts only the one canonical encoding.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias, Union

from ledger.state.errors import RlpMalformed

Item: TypeAlias = Union[bytes, "list[Item]"]
Encodable: TypeAlias = Union[bytes, int, "Sequence[Encodable]"]

DEPTH_MAX = 16
"""Deepest nesting that any Ethereum structure here needs is 4."""
EMPTY_STRING = b"\x80"
EMPTY_LIST = b"\xc0"


def encode_bytes(data: bytes) -> bytes:
    """RLP of one byte string."""
    size = len(data)
    if size == 1 and data[0] < 0x80:
        return data
    if size < 56:
        return bytes((0x80 + size,)) + data
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((0xB7 + len(length),)) + length + data


def encode_uint(number: int) -> bytes:
    """RLP of a non-negative integer: big-endian without leading zeros."""
    if number < 0x80:
        if number < 0:
            raise ValueError(f"RLP has no negative integers: {number}")
        return bytes((number,)) if number else EMPTY_STRING
    return encode_bytes(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def encode_list(encoded_items: Iterable[bytes]) -> bytes:
    """RLP of a list whose items are encoded already."""
    payload = b"".join(encoded_items)
    size = len(payload)
    if size < 56:
        return bytes((0xC0 + size,)) + payload
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((0xF7 + len(length),)) + length + payload


def encode(item: Encodable) -> bytes:
    """RLP of bytes, of a non-negative integer, or of a sequence of these."""
    if isinstance(item, bytes):
        return encode_bytes(item)
    if isinstance(item, int):
        return encode_uint(item)
    return encode_list(map(encode, item))


def decode(data: bytes) -> Item:
    """The item that `data` encodes. Raises `RlpMalformed` unless all of it is one item."""
    item, end = _decode_at(data, 0, len(data), 0)
    if end != len(data):
        raise RlpMalformed(f"{len(data) - end} bytes follow the RLP item at byte {end}")
    return item


def decode_list(data: bytes, fields: int | None = None) -> list[Item]:
    """Like `decode`, for a list (of exactly `fields` items where given)."""
    item = decode(data)
    if not isinstance(item, list):
        raise RlpMalformed("expected an RLP list, found a string")
    if fields is not None and len(item) != fields:
        raise RlpMalformed(f"expected an RLP list of {fields} items, found {len(item)}")
    return item


def as_bytes(item: Item, what: str, size_bytes: int | None = None) -> bytes:
    """`item` as a string (of exactly `size_bytes` where given)."""
    if not isinstance(item, bytes):
        raise RlpMalformed(f"{what}: expected a string, found a list")
    if size_bytes is not None and len(item) != size_bytes:
        raise RlpMalformed(f"{what}: expected {size_bytes} bytes, found {len(item)}")
    return item


def as_uint(item: Item, what: str, size_bytes_max: int = 32) -> int:
    """`item` as an integer without leading zeros, of at most `size_bytes_max` bytes."""
    data = as_bytes(item, what)
    if len(data) > size_bytes_max:
        raise RlpMalformed(f"{what}: longer than {size_bytes_max} bytes")
    if data[:1] == b"\0":
        raise RlpMalformed(f"{what}: integer with a leading zero")
    return int.from_bytes(data, "big")


def as_list(item: Item, what: str, fields: int | None = None) -> list[Item]:
    """`item` as a list (of exactly `fields` items where given)."""
    if not isinstance(item, list):
        raise RlpMalformed(f"{what}: expected a list, found a string")
    if fields is not None and len(item) != fields:
        raise RlpMalformed(f"{what}: expected {fields} items, found {len(item)}")
    return item


def payload_span(data: bytes, start: int, limit: int) -> tuple[int, int, bool]:
    """Where the payload of the item at `start` begins and ends, and whether it is a list.

    `limit` is the end of the enclosing item. Raises `RlpMalformed`.
    """
    if start >= limit:
        raise RlpMalformed(f"RLP ends early: no item at byte {start}")
    first = data[start]
    if first < 0x80:
        return start, start + 1, False
    is_list = first >= 0xC0
    short = first - (0xC0 if is_list else 0x80)
    if short < 56:
        begin, end = start + 1, start + 1 + short
    else:
        begin = start + 1 + (short - 55)
        length = data[start + 1 : begin]
        if begin > limit or length[0] == 0:
            raise RlpMalformed(f"bad RLP length at byte {start}")
        size = int.from_bytes(length, "big")
        if size < 56:
            raise RlpMalformed(f"RLP length at byte {start} is not in its shortest form")
        end = begin + size
    if end > limit:
        raise RlpMalformed(f"RLP item at byte {start} runs past its end")
    if not is_list and short == 1 and data[begin] < 0x80:
        raise RlpMalformed(f"RLP byte at {start} is not in its shortest form")
    return begin, end, is_list


def _decode_at(data: bytes, start: int, limit: int, depth: int) -> tuple[Item, int]:
    if depth > DEPTH_MAX:
        raise RlpMalformed(f"RLP is nested deeper than {DEPTH_MAX}")
    begin, end, is_list = payload_span(data, start, limit)
    if not is_list:
        return data[begin:end], end
    items: list[Item] = []
    position = begin
    while position < end:
        item, position = _decode_at(data, position, end, depth + 1)
        items.append(item)
    return items, end
