"""Length-prefixed messages: an unsigned varint (Protocol Buffers, base 128) before each.

CometBFT frames so on its ABCI and its signer sockets, and so are the bytes that validators sign.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

VARINT_SIZE_BYTES_MAX: Final = 10
"""Of a 64-bit number."""


class FrameError(ValueError):
    """The bytes are no length-prefixed message within the bound."""


def uvarint(number: int) -> bytes:
    """The number, 0 to 2**64 - 1, least significant seven bits first."""
    if not 0 <= number < 1 << 64:
        raise ValueError(f"{number} is no unsigned 64-bit number")
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def frame(message: bytes) -> bytes:
    """The message behind its length."""
    return uvarint(len(message)) + message


def read_frame(read: Callable[[int], bytes], size_bytes_max: int) -> bytes | None:
    """The next message; None where the stream ends between two.

    `read(n)` gives at most n bytes and b"" at the end, as a buffered file's `read` does. Raises
    `FrameError` for a length over `size_bytes_max` and for a stream that ends within a message.
    """
    size, shift = 0, 0
    while True:
        byte = read(1)
        if not byte:
            if shift:
                raise FrameError("the stream ends within a length")
            return None
        size |= (byte[0] & 0x7F) << shift
        shift += 7
        if byte[0] < 0x80:
            break
        if shift >= 7 * VARINT_SIZE_BYTES_MAX:
            raise FrameError(f"a length of over {VARINT_SIZE_BYTES_MAX} bytes")
    if size > size_bytes_max:
        raise FrameError(f"a message of {size} bytes, at most {size_bytes_max}")
    parts: list[bytes] = []
    while size:
        part = read(size)
        if not part:
            raise FrameError(f"the stream ends {size} bytes before the message does")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def unframe(data: bytes) -> bytes:
    """The message of one frame, and nothing behind it. Raises `FrameError`."""
    place = 0

    def read(size: int) -> bytes:
        nonlocal place
        part = data[place : place + size]
        place += len(part)
        return part

    message = read_frame(read, len(data))
    if message is None or place != len(data):
        raise FrameError("not one length-prefixed message alone")
    return message
