"""Random numbers that are the same bits on every machine.

The raw stream of PCG64 is fixed for good (NumPy NEP 19), its normal variates and the functions of
a platform's mathematical library are not. So everything here is made of that stream and of
operations that IEEE 754 rounds in one way: addition, multiplication, division, square root and
powers of two.
"""

from __future__ import annotations

from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_TERMS = 12
_EXP_DEGREE = 14
_LOG_2 = 0.6931471805599453


class Draws:
    """Streams of one seed, by name: what one name gives does not depend on what others took."""

    def __init__(self, seed: int, rows: int) -> None:
        self._seed = seed
        self._rows = rows

    def uniform(self, name: str) -> Floats:
        """One number a row, evenly from [0, 1)."""
        return self._raw(name, self._rows)

    def normal(self, name: str) -> Floats:
        """One number a row, of mean 0 and deviation 1, nearly normal and within ±6: the sum of
        twelve even ones (Irwin and Hall)."""
        raw = self._raw(name, self._rows * _TERMS).reshape(_TERMS, self._rows)
        total = np.zeros(self._rows)
        for term in raw:
            total += term
        return total - _TERMS / 2

    def _raw(self, name: str, count: int) -> Floats:
        words = sha256(name.encode()).digest()[:8]
        stream = np.random.PCG64([self._seed, int.from_bytes(words, "big")])
        raw = np.asarray(stream.random_raw(count), dtype=np.uint64)
        return (raw >> np.uint64(11)).astype(np.float64) * 2.0**-53


def exponential(x: Floats) -> Floats:
    """e to the x, to about the last digit, for |x| < 700."""
    y = x / _LOG_2
    whole = np.floor(y)
    rest = (y - whole) * _LOG_2
    found = np.ones_like(rest)
    for degree in range(_EXP_DEGREE, 0, -1):
        found = found * rest / degree + 1.0
    return np.ldexp(found, whole.astype(np.int32))


def squash(x: Floats) -> Floats:
    """Any number into (0, 1), rising, 0 to one half."""
    return 0.5 + 0.5 * x / np.sqrt(1.0 + x * x)


def rounded(x: Floats, digits: int) -> Floats:
    """To so many decimal digits, halves to even."""
    scale = 10.0**digits
    return np.rint(x * scale) / scale


def whole(x: Floats, low: float = 0.0, high: float = 1e12) -> Floats:
    """To whole numbers within bounds."""
    return np.clip(np.rint(x), low, high)


def largest(x: Floats, count: int) -> NDArray[np.bool_]:
    """Which rows have the `count` largest numbers; of equal ones the first."""
    chosen = np.zeros(x.size, dtype=np.bool_)
    chosen[np.argsort(-x, kind="stable")[:count]] = True
    return chosen
