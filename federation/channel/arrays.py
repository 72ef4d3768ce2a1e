"""Arrays and big integers inside a message, as MessagePack extension types.

An array (type 1) is: index of its dtype in `DTYPES` (1 byte), number of dimensions (1), six zero
bytes, each dimension as uint64 little-endian, then the elements little-endian in C order. The
header is a multiple of eight bytes, so that what is read in place is aligned.

An integer beyond MessagePack's 64 bits (type 2) is: sign (0 or 1), then the magnitude big-endian
without leading zeros.

Functions here raise `ValueError`; the codec says where and whose fault it is.
"""

from __future__ import annotations

import struct
from math import prod

import numpy as np

from federation.channel.types import Array

ARRAY_TYPE = 1
INTEGER_TYPE = 2

DTYPES = ("|b1", "|u1", "|i1", "<u2", "<i2", "<u4", "<i4", "<u8", "<i8", "<f4", "<f8")
"""What an array may hold; the place in this list is its number on the wire, so only append."""

DIMENSIONS_MAX = 4
LENGTH_MAX = 1 << 32
INTEGER_BITS_MAX = 1 << 16

_INDEX = {np.dtype(name): index for index, name in enumerate(DTYPES)}
_HEAD_BYTES = 8


def pack_array(array: Array) -> bytes:
    """The bytes of an array of an allowed dtype, in either byte order, of any layout."""
    little = array.dtype.newbyteorder("<")
    index = _INDEX.get(little)
    if index is None:
        raise ValueError(f"an array of {array.dtype} may not be sent; allowed: {', '.join(DTYPES)}")
    _check_shape(array.shape, little.itemsize)
    head = struct.pack(f"<BB6x{array.ndim}Q", index, array.ndim, *array.shape)
    return head + np.ascontiguousarray(array, dtype=little).tobytes()


def unpack_array(data: bytes) -> Array:
    """The array in `data`, read-only and without a copy."""
    if len(data) < _HEAD_BYTES:
        raise ValueError(f"an array of {len(data)} bytes: its head alone has {_HEAD_BYTES}")
    index, dimensions = data[0], data[1]
    if index >= len(DTYPES) or dimensions > DIMENSIONS_MAX or any(data[2:_HEAD_BYTES]):
        raise ValueError("the head of an array is not of this format")
    start = _HEAD_BYTES + 8 * dimensions
    if len(data) < start:
        raise ValueError("an array ends within its shape")
    shape: tuple[int, ...] = struct.unpack_from(f"<{dimensions}Q", data, _HEAD_BYTES)
    dtype = np.dtype(DTYPES[index])
    _check_shape(shape, dtype.itemsize)
    if prod(shape) * dtype.itemsize != len(data) - start:
        raise ValueError(f"an array of shape {shape} and {dtype} has {len(data) - start} bytes")
    if dtype.kind == "b" and data[start:].translate(None, b"\0\1"):
        raise ValueError("an array of booleans holds other bytes than 0 and 1")
    flat: Array = np.frombuffer(data, dtype=dtype, offset=start, count=prod(shape))
    return flat.reshape(shape)


def _check_shape(shape: tuple[int, ...], item_bytes: int) -> None:
    if len(shape) > DIMENSIONS_MAX:
        raise ValueError(f"an array of {len(shape)} dimensions; at most {DIMENSIONS_MAX}")
    if any(length > LENGTH_MAX for length in shape):
        raise ValueError(f"an array of shape {shape}: at most {LENGTH_MAX} along a dimension")
    # numpy looks at the other dimensions even where one is 0
    if prod(length or 1 for length in shape) * item_bytes > 1 << 48:
        raise ValueError(f"an array of shape {shape} is too big")


def pack_integer(number: int) -> bytes:
    """The bytes of an integer beyond 64 bits."""
    if number.bit_length() > INTEGER_BITS_MAX:
        raise ValueError(f"an integer of {number.bit_length()} bits; at most {INTEGER_BITS_MAX}")
    magnitude = abs(number)
    size = (magnitude.bit_length() + 7) // 8
    return bytes([number < 0]) + magnitude.to_bytes(size, "big")


def unpack_integer(data: bytes) -> int:
    """The integer in `data`; refused where 64 bits would have held it."""
    if not 9 <= len(data) <= INTEGER_BITS_MAX // 8 + 1 or data[0] > 1 or data[1] == 0:
        raise ValueError("a big integer is not of this format")
    magnitude = int.from_bytes(data[1:], "big")
    number = -magnitude if data[0] else magnitude
    if fits_64_bits(number):
        raise ValueError("a big integer is small enough for 64 bits")
    return number


def fits_64_bits(number: int) -> bool:
    """Whether MessagePack itself can hold the integer."""
    return -(1 << 63) <= number < 1 << 64
