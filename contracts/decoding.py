"""Values out of ABI data, quickly: for the plain layout that compilers write.

Source: Solidity "Contract ABI Specification". Each list of types is compiled once to functions that
read words where they stand. Whatever is out of the ordinary (a short head, padding that is not
zero, a pointer into the head or beyond the end, a type that is not known here) is `None`: whoever
asks then lets eth-abi say what it is, so that both never differ.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

WORD: Final = 32

_INTEGER: Final = re.compile(r"(u?)int([0-9]+)")
_FIXED_BYTES: Final = re.compile(r"bytes([0-9]+)")

Read = Callable[[bytes, int], Any]
"""Reads a value that begins at a byte of the data. Raises `_Unusual`."""


class _Unusual(Exception):
    """Not the plain layout."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A compiled type."""

    read: Read
    size: int
    """Bytes in the head; of a dynamic type, those of its pointer."""
    dynamic: bool


def decoded(
    types: tuple[str, ...], data: bytes, text: Callable[[bytes], str]
) -> tuple[Any, ...] | None:
    """Values of those types, a `string` as `text` has it; None where it is not the plain layout.

    As eth-abi gives them: addresses as lower-case hex, tuples and arrays as tuples.
    """
    read = _compiled(types, text)
    if read is None:
        return None
    try:
        values: tuple[Any, ...] = read(data, 0)
    except _Unusual:
        return None
    return values


@lru_cache(maxsize=1_024)
def _compiled(types: tuple[str, ...], text: Callable[[bytes], str]) -> Read | None:
    try:
        return _sequence([_kind(name, text) for name in types]).read
    except _Unusual:
        return None


def _kind(name: str, text: Callable[[bytes], str]) -> _Kind:
    """Raises `_Unusual` for a type that is left to eth-abi."""
    if name.endswith("[]"):
        return _list(_kind(name[:-2], text))
    if name.startswith("(") and name.endswith(")"):
        return _sequence([_kind(part, text) for part in tuple_parts(name)])
    if name == "string":
        return _Kind(lambda data, at: text(_octets(data, at)), WORD, dynamic=True)
    if name == "bytes":
        return _Kind(_octets, WORD, dynamic=True)
    return _Kind(_word(name), WORD, dynamic=False)


def tuple_parts(kind: str) -> list[str]:
    """Types directly inside a tuple type."""
    parts, depth = [""], 0
    for character in kind[1:-1]:
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _word(name: str) -> Read:
    if name == "bool":
        return _boolean
    if name == "address":
        return _address
    if found := _INTEGER.fullmatch(name):
        bits = int(found[2])
        if bits % 8 or not 8 <= bits <= 256:
            raise _Unusual
        return _unsigned(bits) if found[1] else _signed(bits)
    if found := _FIXED_BYTES.fullmatch(name):
        size = int(found[1])
        if not 1 <= size <= WORD:
            raise _Unusual
        return _fixed_bytes(size)
    raise _Unusual


def _unsigned(bits: int) -> Read:
    limit = 1 << bits

    def read(data: bytes, at: int) -> int:
        value = int.from_bytes(data[at : at + WORD], "big")
        if value >= limit:
            raise _Unusual
        return value

    return read


def _signed(bits: int) -> Read:
    half = 1 << bits - 1

    def read(data: bytes, at: int) -> int:
        value = int.from_bytes(data[at : at + WORD], "big", signed=True)
        if not -half <= value < half:
            raise _Unusual
        return value

    return read


def _boolean(data: bytes, at: int) -> bool:
    value = int.from_bytes(data[at : at + WORD], "big")
    if value > 1:
        raise _Unusual
    return value == 1


def _address(data: bytes, at: int) -> str:
    if any(data[at : at + 12]):
        raise _Unusual
    return f"0x{data[at + 12 : at + WORD].hex()}"


def _fixed_bytes(size: int) -> Read:
    if size == WORD:
        return lambda data, at: data[at : at + WORD]
    padding = bytes(WORD - size)

    def read(data: bytes, at: int) -> bytes:
        if data[at + size : at + WORD] != padding:
            raise _Unusual
        return data[at : at + size]

    return read


def _octets(data: bytes, at: int) -> bytes:
    start = at + WORD
    length = int.from_bytes(data[at:start], "big")
    if start + -(-length // WORD) * WORD > len(data):  # whole words, the last one filled up
        raise _Unusual
    return data[start : start + length]


def _list(item: _Kind) -> _Kind:
    """An array without a fixed length, of items without a pointer."""
    if item.dynamic or not item.size:
        raise _Unusual
    read_item, size = item.read, item.size

    def read(data: bytes, at: int) -> tuple[Any, ...]:
        start = at + WORD
        count = int.from_bytes(data[at:start], "big")
        if start > len(data) or start + count * size > len(data):
            raise _Unusual
        return tuple([read_item(data, start + place * size) for place in range(count)])

    return _Kind(read, WORD, dynamic=True)


def _sequence(kinds: Sequence[_Kind]) -> _Kind:
    """A tuple, or the values of a call or log."""
    head = sum(kind.size for kind in kinds)
    steps: list[tuple[Read, int]] = []
    place = 0
    for kind in kinds:
        steps.append((_pointed(kind.read, place, head) if kind.dynamic else kind.read, place))
        place += kind.size
    dynamic = any(kind.dynamic for kind in kinds)

    def read(data: bytes, at: int) -> tuple[Any, ...]:
        if at + head > len(data):
            raise _Unusual
        return tuple([one(data, at + offset) for one, offset in steps])

    return _Kind(read, WORD if dynamic else head, dynamic)


def _pointed(read: Read, place: int, head: int) -> Read:
    """A value behind a pointer, which counts from the beginning of the tuple."""

    def follow(data: bytes, at: int) -> Any:
        offset = int.from_bytes(data[at : at + WORD], "big")
        start = at - place + offset
        if offset < head or start + WORD > len(data):
            raise _Unusual
        return read(data, start)

    return follow
