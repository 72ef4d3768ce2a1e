"""Contract storage by solc's `storageLayout`: values into slots and back, without running code.

Genesis writes contracts that were never constructed; this computes the words that their own
functions would have written. Source: Solidity "Layout of State Variables in Storage".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.abi import readable_text
from contracts.artifact import Artifact
from contracts.errors import StorageError
from ledger.state.keccak import keccak

Words = dict[int, int]
"""Slot to word; a slot that is not there is zero."""

_STRING_BYTES_MAX = 1 << 20
_ARRAY_LENGTH_MAX = 1 << 20


def _hash(data: bytes) -> int:
    return int.from_bytes(keccak(data), "big")


def mapping_slot(key: bytes, slot: int) -> int:
    """Where a mapping at `slot` keeps the value of `key` (a value type, as its 32-byte word)."""
    if len(key) != 32:
        raise StorageError(f"a mapping key is 32 bytes, not {len(key)}")
    return _hash(key + slot.to_bytes(32, "big"))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a variable stands."""

    type: str
    """Key into the layout's `types`."""
    slot: int
    offset: int
    """Bytes from the low end of the word."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The storage layout of one contract."""

    storage: Sequence[Mapping[str, Any]]
    types: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, artifact: Artifact) -> Layout:
        """The layout that the compiler reported."""
        return cls(artifact.storage_layout["storage"], artifact.storage_layout["types"])

    def place(self, label: str, *path: str | int | bytes) -> Place:
        """Follow a path from a state variable: member names, mapping keys, array indices.

        Keys of mappings are given as bytes (addresses of 20, words of 32). Raises `StorageError`.
        """
        place = _member(self.storage, label, 0)
        for step in path:
            place = self._step(place, step)
        return place

    def _step(self, place: Place, step: str | int | bytes) -> Place:
        kind = self.types[place.type]
        if isinstance(step, bytes) and kind["encoding"] == "mapping":
            key = self._word(kind["key"], step).to_bytes(32, "big")
            return Place(kind["value"], mapping_slot(key, place.slot), 0)
        if isinstance(step, str) and "members" in kind:
            return _member(kind["members"], step, place.slot)
        if isinstance(step, int) and kind["encoding"] == "dynamic_array":
            size = -(-int(self.types[kind["base"]]["numberOfBytes"]) // 32)
            start = _hash(place.slot.to_bytes(32, "big"))
            return Place(kind["base"], (start + step * size) % 2**256, 0)
        raise StorageError(f"{place.type} has no {step!r}")

    # ---- writing ------------------------------------------------------------------------------

    def write(self, words: Words, label: str, value: Any) -> None:
        """Put a state variable's value into `words`.

        Structs and mappings are given as mappings (member name or key bytes to value), arrays as
        sequences, numbers and enums as ints, addresses and bytes32 as bytes, strings as str.
        Raises `StorageError` where the value does not fit the type.
        """
        self._write(words, self.place(label), value)

    def _write(self, words: Words, place: Place, value: Any) -> None:
        kind = self.types[place.type]
        if isinstance(value, Mapping):
            for step, inner in value.items():
                self._write(words, self._step(place, step), inner)
        elif kind["encoding"] == "dynamic_array":
            _put(words, place.slot, len(value))
            for index, inner in enumerate(value):
                self._write(words, self._step(place, index), inner)
        elif kind["encoding"] == "bytes":
            _write_bytes(words, place.slot, value.encode() if isinstance(value, str) else value)
        elif kind["encoding"] == "inplace" and "members" not in kind:
            word = self._word(place.type, value) << (8 * place.offset)
            _put(words, place.slot, words.get(place.slot, 0) | word)
        else:
            raise StorageError(f"{place.type} cannot hold a {type(value).__name__}")

    def _word(self, type_: str, value: Any) -> int:
        """A value type as a number, aligned as Solidity aligns it within its own bytes."""
        size = int(self.types[type_]["numberOfBytes"])
        if isinstance(value, bytes):
            if len(value) != size:
                raise StorageError(f"{type_} is {size} bytes, not {len(value)}")
            return int.from_bytes(value, "big")
        if not isinstance(value, int) or not 0 <= value < 1 << (8 * size):
            raise StorageError(f"{type_} cannot hold {value!r}")
        return int(value)

    # ---- reading ------------------------------------------------------------------------------

    def number(self, words: Mapping[int, int], label: str, *path: str | int | bytes) -> int:
        """A value type as a number; the length for a dynamic array. Raises `StorageError`."""
        place = self.place(label, *path)
        if self.types[place.type]["encoding"] == "dynamic_array":
            length = words.get(place.slot, 0)
            if length > _ARRAY_LENGTH_MAX:
                raise StorageError(f"{label}: array of {length} elements")
            return length
        size = int(self.types[place.type]["numberOfBytes"])
        return words.get(place.slot, 0) >> (8 * place.offset) & ((1 << (8 * size)) - 1)

    def text(self, words: Mapping[int, int], label: str, *path: str | int | bytes) -> str:
        """A string, with U+FFFD for bytes that are not UTF-8. Raises `StorageError`."""
        place = self.place(label, *path)
        if self.types[place.type]["encoding"] != "bytes":
            raise StorageError(f"{place.type} is no string")
        return readable_text(_read_bytes(words, place.slot))


def _member(members: Sequence[Mapping[str, Any]], label: str, base: int) -> Place:
    for member in members:
        if member["label"] == label:
            return Place(member["type"], base + int(member["slot"]), int(member["offset"]))
    raise StorageError(f"no variable {label!r} in the layout")


def _put(words: Words, slot: int, word: int) -> None:
    if word:
        words[slot] = word


def _write_bytes(words: Words, slot: int, data: bytes) -> None:
    """Up to 31 bytes stand in the slot itself, left-aligned, with twice the length at the end."""
    if len(data) < 32:
        _put(words, slot, int.from_bytes(data.ljust(32, b"\0"), "big") | (2 * len(data)))
        return
    _put(words, slot, 2 * len(data) + 1)
    start = _hash(slot.to_bytes(32, "big"))
    for index in range(0, len(data), 32):
        chunk = data[index : index + 32].ljust(32, b"\0")
        _put(words, (start + index // 32) % 2**256, int.from_bytes(chunk, "big"))


def _read_bytes(words: Mapping[int, int], slot: int) -> bytes:
    head = words.get(slot, 0)
    if head & 1 == 0:
        length = (head & 0xFF) // 2
        if length > 31:
            raise StorageError(f"slot {slot:#x} is no string")
        return head.to_bytes(32, "big")[:length]
    length = head // 2
    if not 32 <= length <= _STRING_BYTES_MAX:
        raise StorageError(f"slot {slot:#x} is no string")
    start = _hash(slot.to_bytes(32, "big"))
    chunks = (
        words.get((start + i) % 2**256, 0).to_bytes(32, "big") for i in range(-(-length // 32))
    )
    return b"".join(chunks)[:length]
