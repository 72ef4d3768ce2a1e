"""Merkle-Patricia trie nodes in memory and their RLP (yellow paper, appendix D).

Keys of one trie never stand one before another as a prefix (all have the same length, or are
RLP integers), so branch nodes never carry a value.

A *reference* is a child as its parent's RLP shows it: `EMPTY`, 0xa0 and a 32-byte hash, or the
child's own RLP where that is shorter than 32 bytes.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

from ledger.state.errors import RlpMalformed
from ledger.state.rlp import encode_bytes, encode_list, payload_span

EMPTY: Final = b"\x80"
HASH_PREFIX: Final = b"\xa0"
_ASCII_TO_NIBBLE = bytes.maketrans(b"0123456789abcdef", bytes(range(16)))
_NIBBLE_TO_ASCII = bytes.maketrans(bytes(range(16)), b"0123456789abcdef")


class Leaf(NamedTuple):
    """The end of a path."""

    path: bytes
    """The key's remaining nibbles, one a byte."""
    value: bytes


class Extension(NamedTuple):
    """A stretch that all keys below share."""

    path: bytes
    child: bytes
    """Reference to a branch."""


class Branch(NamedTuple):
    """Sixteen ways on."""

    children: tuple[bytes, ...]
    """References, one per nibble."""


Node: TypeAlias = Leaf | Extension | Branch


def to_nibbles(key: bytes) -> bytes:
    """Key as nibbles, one a byte."""
    return key.hex().encode("ascii").translate(_ASCII_TO_NIBBLE)


def from_nibbles(path: bytes) -> bytes:
    """Inverse of `to_nibbles`. Requires an even number of nibbles."""
    return bytes.fromhex(path.translate(_NIBBLE_TO_ASCII).decode("ascii"))


def encode_node(node: Node) -> bytes:
    """RLP of a node."""
    if isinstance(node, Branch):
        return encode_list((*node.children, EMPTY))
    if isinstance(node, Leaf):
        return encode_list((_encode_path(node.path, "2"), encode_bytes(node.value)))
    return encode_list((_encode_path(node.path, "0"), node.child))


def decode_node(data: bytes) -> Node:
    """Inverse of `encode_node`. Raises `RlpMalformed`."""
    items = _raw_items(data)
    if len(items) == 17:
        if items[16] != EMPTY:
            raise RlpMalformed("trie branch with a value: no key here is a prefix of another")
        return Branch(tuple(items[:16]))
    if len(items) != 2:
        raise RlpMalformed(f"trie node of {len(items)} items")
    begin, end, is_list = payload_span(items[0], 0, len(items[0]))
    hexadecimal = items[0][begin:end].hex()
    if is_list or not hexadecimal or hexadecimal[0] not in "0123":
        raise RlpMalformed("trie node with a bad path")
    skip = 1 if hexadecimal[0] in "13" else 2
    path = hexadecimal[skip:].encode("ascii").translate(_ASCII_TO_NIBBLE)
    if hexadecimal[0] in "01":
        return Extension(path, items[1])
    begin, end, is_list = payload_span(items[1], 0, len(items[1]))
    if is_list:
        raise RlpMalformed("trie leaf whose value is a list")
    return Leaf(path, items[1][begin:end])


def _encode_path(path: bytes, flag: str) -> bytes:
    """Hex-prefix encoding (yellow paper, appendix C) as an RLP string."""
    text = path.translate(_NIBBLE_TO_ASCII).decode("ascii")
    if len(path) & 1:
        return encode_bytes(bytes.fromhex(("1" if flag == "0" else "3") + text))
    return encode_bytes(bytes.fromhex(flag + "0" + text))


def _raw_items(data: bytes) -> list[bytes]:
    """The items of an RLP list, each still encoded."""
    begin, end, is_list = payload_span(data, 0, len(data))
    if not is_list or end != len(data):
        raise RlpMalformed("trie node is not one RLP list")
    items: list[bytes] = []
    position = begin
    while position < end:
        first = data[position]
        # The two commonest items, without a call.
        if first == 0x80:
            items.append(EMPTY)
            position += 1
        elif first == 0xA0:
            items.append(data[position : position + 33])
            position += 33
        else:
            _, after, _ = payload_span(data, position, end)
            items.append(data[position:after])
            position = after
    if position != end:
        raise RlpMalformed("trie node runs past its end")
    return items
