"""Messages as bytes: MessagePack (msgpack.org, spec of 2017), read strictly and within bounds.

A message is the array [kind, body]. Allowed are nil, booleans, integers, doubles, UTF-8 text,
bytes, arrays of values, maps from text to values, and the two extension types of
`federation.channel.arrays`. Nothing else is read: no other extension, no float of 32 bits, no
time stamp, no repeated key, no byte after the end. Never pickle: bytes of a peer stay data.

What a frame may cost in memory is bound by its own size and a number of elements: containers are
built element by element, never from the length that a header claims. Many numbers go as one array.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgpack
import numpy as np

from federation.channel.arrays import (
    ARRAY_TYPE,
    INTEGER_TYPE,
    fits_64_bits,
    pack_array,
    pack_integer,
    unpack_array,
    unpack_integer,
)
from federation.channel.errors import MessageInvalid, MessageUnsendable
from federation.channel.types import Message, Value

SIZE_BYTES_MAX = 256 << 20
"""How long a message may be where a channel is not told otherwise."""
DEPTH_MAX = 16
"""Containers within containers, the body itself being the first."""
ELEMENTS_MAX = 1 << 20
"""Values in lists and maps of one message together; an array counts as one."""
KEY_CHARACTERS_MAX = 128

_KIND = re.compile(r"[a-z0-9./-]{1,64}")

_ARRAY_HEADS = frozenset((*range(0x90, 0xA0), 0xDC, 0xDD))
_MAP_HEADS = frozenset((*range(0x80, 0x90), 0xDE, 0xDF))
_EXTENSION_HEADS = frozenset((*range(0xC7, 0xCA), *range(0xD4, 0xD9)))
_REFUSED_HEADS = {0xC1: "a byte that MessagePack never uses", 0xCA: "a float of 32 bits"}


def encode(message: Message) -> bytes:
    """The bytes of a message. Raises `MessageUnsendable`."""
    if not _KIND.fullmatch(message.kind):
        raise MessageUnsendable("kind", f"{message.kind[:64]!r} is no kind of message")
    body = _Writer().plain(message.body, "body", 1)
    if not isinstance(body, dict):
        raise MessageUnsendable("body", "a map from text is meant")
    try:
        packed = msgpack.packb([message.kind, body], use_bin_type=True, strict_types=True)
    except (ValueError, OverflowError) as error:
        raise MessageUnsendable("body", str(error)) from error
    return bytes(packed)


def decode(data: bytes, *, size_bytes_max: int = SIZE_BYTES_MAX, party: str = "") -> Message:
    """The message in `data`, as sent by `party`. Raises `MessageInvalid`, and nothing else."""
    if len(data) > size_bytes_max:
        raise MessageInvalid(
            party, "message", f"{len(data)} bytes; at most {size_bytes_max} are taken"
        )
    reader = _Reader(data, party)
    head = reader.array_length("message")
    if head != 2:
        raise MessageInvalid(party, "message", "an array of kind and body is meant")
    kind = reader.value("kind", 0)
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise MessageInvalid(party, "kind", "1 to 64 characters of a-z 0-9 . / - are meant")
    body = reader.value("body", 1)
    if not isinstance(body, dict):
        raise MessageInvalid(party, "body", "a map is meant")
    reader.finish()
    return Message(kind, body, party)


class _Writer:
    """Turns values into what MessagePack itself knows. Raises `MessageUnsendable`."""

    def __init__(self) -> None:
        self._elements_left = ELEMENTS_MAX

    def plain(self, value: object, place: str, depth: int) -> object:
        """`value`, which stands in `depth` containers, itself included where it is one."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float | np.generic):
            return _plain_number(value, place)
        if isinstance(value, str):
            return _plain_text(value, place)
        if isinstance(value, bytes | bytearray | memoryview):
            return bytes(value)
        if isinstance(value, np.ndarray):
            try:
                return msgpack.ExtType(ARRAY_TYPE, pack_array(value))
            except ValueError as error:
                raise MessageUnsendable(place, str(error)) from error
        return self._container(value, place, depth)

    def _container(self, value: object, place: str, depth: int) -> object:
        if not isinstance(value, Mapping | Sequence):
            raise MessageUnsendable(place, f"{type(value).__name__} is nothing that may be sent")
        if depth > DEPTH_MAX:
            raise MessageUnsendable(place, f"more than {DEPTH_MAX} containers in each other")
        self._elements_left -= len(value)
        if self._elements_left < 0:
            raise MessageUnsendable(place, f"more than {ELEMENTS_MAX} elements in one message")
        if isinstance(value, Mapping):
            return {
                _plain_key(key, place): self.plain(one, f"{place}.{key}", depth + 1)
                for key, one in value.items()
            }
        return [self.plain(one, f"{place}[{n}]", depth + 1) for n, one in enumerate(value)]


def _plain_number(value: int | float | np.generic, place: str) -> object:
    number = value.item() if isinstance(value, np.generic) else value
    if isinstance(number, bool | float):
        return float(number) if isinstance(number, float) else number
    if not isinstance(number, int):
        raise MessageUnsendable(place, f"{type(value).__name__} may not be sent")
    if fits_64_bits(number):
        return int(number)
    try:
        return msgpack.ExtType(INTEGER_TYPE, pack_integer(number))
    except ValueError as error:
        raise MessageUnsendable(place, str(error)) from error


def _plain_text(value: str, place: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise MessageUnsendable(place, "text with a lone surrogate") from error
    return str(value)


def _plain_key(key: object, place: str) -> str:
    if not isinstance(key, str) or not 1 <= len(key) <= KEY_CHARACTERS_MAX:
        raise MessageUnsendable(place, f"a key is text of 1 to {KEY_CHARACTERS_MAX} characters")
    return _plain_text(key, place)


class _Reader:
    """Reads values one after the other; knows what is next before anything is built."""

    def __init__(self, data: bytes, party: str) -> None:
        self._data = data
        self._party = party
        size = max(1, len(data))
        self._unpacker = msgpack.Unpacker(
            raw=False,
            use_list=True,
            max_buffer_size=size,
            max_str_len=size,
            max_bin_len=size,
            max_ext_len=size,
            max_array_len=size,
            max_map_len=size,
            ext_hook=msgpack.ExtType,
        )
        self._unpacker.feed(data)
        self._elements_left = ELEMENTS_MAX

    def value(self, place: str, depth: int) -> Value:
        """The next value; `depth` counts the containers it would stand in, itself included."""
        head = self._head(place)
        if head in _ARRAY_HEADS or head in _MAP_HEADS:
            if depth > DEPTH_MAX:
                raise self._invalid(place, f"more than {DEPTH_MAX} containers in each other")
            return self._array(place, depth) if head in _ARRAY_HEADS else self._map(place, depth)
        if head in _REFUSED_HEADS:
            raise self._invalid(place, f"{_REFUSED_HEADS[head]} is not allowed")
        leaf = self._read(place, self._unpacker.unpack)
        if head in _EXTENSION_HEADS:
            return self._extension(place, leaf)
        assert leaf is None or isinstance(leaf, bool | int | float | str | bytes)
        return leaf

    def array_length(self, place: str) -> int:
        """Reads the head of an array."""
        length = self._read(place, self._unpacker.read_array_header)
        assert isinstance(length, int)
        return length

    def finish(self) -> None:
        """Requires that everything has been read."""
        if self._unpacker.tell() != len(self._data):
            raise self._invalid("message", "bytes follow after its end")

    def _array(self, place: str, depth: int) -> list[Value]:
        length = self.array_length(place)
        self._check_length(place, length, length)
        return [self.value(f"{place}[{n}]", depth + 1) for n in range(length)]

    def _map(self, place: str, depth: int) -> dict[str, Value]:
        length = self._read(place, self._unpacker.read_map_header)
        assert isinstance(length, int)
        self._check_length(place, length, 2 * length)
        values: dict[str, Value] = {}
        for _ in range(length):
            key = self.value(f"a key of {place}", DEPTH_MAX + 1)
            if not isinstance(key, str) or not 1 <= len(key) <= KEY_CHARACTERS_MAX:
                raise self._invalid(place, f"a key is no text of 1 to {KEY_CHARACTERS_MAX}")
            if key in values:
                raise self._invalid(place, f"the key {key!r} stands twice")
            values[key] = self.value(f"{place}.{key}", depth + 1)
        return values

    def _extension(self, place: str, leaf: object) -> Value:
        if not isinstance(leaf, msgpack.ExtType) or leaf.code not in (ARRAY_TYPE, INTEGER_TYPE):
            raise self._invalid(place, "an extension type that is not known here")
        try:
            if leaf.code == ARRAY_TYPE:
                return unpack_array(leaf.data)
            return unpack_integer(leaf.data)
        except ValueError as error:
            raise self._invalid(place, str(error)) from error

    def _check_length(self, place: str, length: int, bytes_least: int) -> None:
        left = len(self._data) - self._unpacker.tell()
        if bytes_least > left:
            raise self._invalid(place, f"{length} elements in {left} bytes")
        self._elements_left -= length
        if self._elements_left < 0:
            raise self._invalid(place, f"more than {ELEMENTS_MAX} elements in one message")

    def _head(self, place: str) -> int:
        position: int = self._unpacker.tell()
        if position >= len(self._data):
            raise self._invalid(place, "the message ends here")
        return self._data[position]

    def _read(self, place: str, read: object) -> object:
        assert callable(read)
        try:
            result: object = read()
        except (ValueError, TypeError, msgpack.UnpackException) as error:
            raise self._invalid(place, str(error) or type(error).__name__) from error
        return result

    def _invalid(self, place: str, reason: str) -> MessageInvalid:
        return MessageInvalid(self._party, place[:200], reason)
