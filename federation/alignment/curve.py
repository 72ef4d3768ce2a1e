"""Ids as points of Curve25519, and secret multiples of points.

Hashing is `encode_to_curve` of RFC 9380 (section 3) in the suite
`curve25519_XMD:SHA-512_ELL2_NU_` (section 8.5): expand_message_xmd with SHA-512 (5.3.1), one
field element (5.2), Elligator 2 (6.7.1), cofactor 8. Points are kept as their u-coordinate, 32
bytes little-endian (RFC 7748), so the sign that the suite chooses for v is not needed.

The cofactor is cleared by the first secret multiplication: X25519 clamps a scalar to a multiple
of 8, k = 8k' (RFC 7748, section 5), so that X25519(k, Q) = k'·(8Q) = k'·P with P the suite's
output. Every multiple that leaves a party therefore lies in the subgroup of prime order, and
multiples commute.

Why the nonuniform encoding does: private set intersection by Diffie-Hellman needs a random oracle
onto points of unknown discrete logarithm. Elligator 2 is one to one up to the sign of the field
element, onto about half of the curve, and is inverted by a formula; a simulator can thus answer
the oracle with points that it made itself (drawing anew until one has an inverse), as the proof
under the decisional Diffie-Hellman assumption asks, without any loss. RFC 9381 hashes to this
curve in the same way.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha512
from types import TracebackType

import gmpy2
import numpy as np
from nacl.bindings import crypto_scalarmult
from nacl.exceptions import RuntimeError as SodiumError
from numpy.typing import NDArray

POINT_BYTES = 32
FIELD_BYTES = 48
"""L of RFC 9380, section 5.1, for this field and 128 bits of security."""

_P = gmpy2.mpz(2**255 - 19)
_A = gmpy2.mpz(486662)
_MINUS_A = -_A
_TWO = gmpy2.mpz(2)
_SLICE = 256
"""Points that a thread takes at a time."""

Points = NDArray[np.uint8]
"""(n, 32): u-coordinates, little-endian."""


class SmallOrder(ValueError):
    """A point is of small order: its multiple is the identity."""


class Hasher:
    """The suite's `encode_to_curve` with one domain separation tag, before the cofactor.

    Requires 1 to 255 bytes of tag.
    """

    def __init__(self, tag: bytes) -> None:
        assert 1 <= len(tag) <= 255
        self._tag = tag + bytes([len(tag)])
        self._start = sha512(bytes(128))  # Z_pad: a block of SHA-512
        self._end = FIELD_BYTES.to_bytes(2, "big") + b"\0" + self._tag
        self._again = b"\1" + self._tag

    def field_element(self, message: bytes) -> gmpy2.mpz:
        """hash_to_field of one element."""
        first = self._start.copy()
        first.update(message + self._end)
        # 48 bytes are within the first block b_1, so no further block is made
        block = sha512(first.digest() + self._again).digest()
        return gmpy2.mpz.from_bytes(block[:FIELD_BYTES], "big") % _P

    def point(self, message: bytes) -> bytes:
        """The u-coordinate of map_to_curve(hash_to_field(message))."""
        return map_to_curve(self.field_element(message))

    def points(self, messages: Iterable[bytes]) -> Points:
        """A point for each message."""
        return as_points(b"".join(map(self.point, messages)))


def map_to_curve(element: int | gmpy2.mpz) -> bytes:
    """Elligator 2 (RFC 9380, section 6.7.1), u-coordinate only. Requires 0 <= element < p."""
    # 1 + 2u² is never 0, for -1/2 is no square in this field
    x = _MINUS_A * gmpy2.invert(_TWO * element * element + 1, _P) % _P
    if not on_curve(x):
        x = (_MINUS_A - x) % _P
    return bytes(x.to_bytes(POINT_BYTES, "little"))


def on_curve(u: int | gmpy2.mpz) -> bool:
    """Whether u³ + Au² + u is a square, so that u belongs to the curve and not to its twist."""
    return bool(gmpy2.jacobi(((u + _A) * u + 1) * u % _P, _P) >= 0)


def as_points(data: bytes) -> Points:
    """`data` as points. Requires a multiple of 32 bytes."""
    return np.frombuffer(data, dtype=np.uint8).reshape(-1, POINT_BYTES)


def first_bad_point(points: Points) -> int | None:
    """Which is the first that is no canonical u-coordinate of a point of the curve, if any.

    Points of small order pass; multiplying refuses them.
    """
    words = points.view("<u8")
    top = np.uint64((1 << 63) - 1)
    full = np.uint64((1 << 64) - 1)
    beyond = (words[:, 3] > top) | (
        (words[:, 3] == top)
        & (words[:, 2] == full)
        & (words[:, 1] == full)
        & (words[:, 0] >= np.uint64((1 << 64) - 19))
    )
    if beyond.any():
        return int(np.argmax(beyond))
    data = points.tobytes()
    for n in range(len(points)):
        start = n * POINT_BYTES
        if not on_curve(gmpy2.mpz.from_bytes(data[start : start + POINT_BYTES], "little")):
            return n
    return None


class Multiplier:
    """Multiplies points by one secret scalar, drawn anew for each; a context of threads.

    libsodium's X25519 runs without the interpreter's lock (PyNaCl calls it by cffi, which lets go
    of it), so threads run side by side.
    """

    def __init__(self, threads: int | None = None) -> None:
        self._secret = secrets.token_bytes(POINT_BYTES)
        self._threads = threads or _cores()
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="multiply")

    def __enter__(self) -> Multiplier:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def multiply(self, points: Points) -> Points:
        """Each point times the secret. Raises `SmallOrder`."""
        data = points.tobytes()
        slices = [
            data[start : start + _SLICE * POINT_BYTES]
            for start in range(0, len(data), _SLICE * POINT_BYTES)
        ]
        if self._threads == 1:
            return as_points(b"".join(map(self._multiply, slices)))
        return as_points(b"".join(self._pool.map(self._multiply, slices)))

    def _multiply(self, data: bytes) -> bytes:
        secret = self._secret
        try:
            return b"".join(
                crypto_scalarmult(secret, data[start : start + POINT_BYTES])
                for start in range(0, len(data), POINT_BYTES)
            )
        except SodiumError as error:
            raise SmallOrder("a point of small order") from error


def secret_order(count: int) -> NDArray[np.int64]:
    """A permutation of `count` from the system's randomness."""
    keys = np.frombuffer(secrets.token_bytes(16 * count), dtype="<u8").reshape(2, count)
    return np.lexsort((keys[0], keys[1])).astype(np.int64)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
