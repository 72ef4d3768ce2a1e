"""Numbers with a point as whole numbers, and back: sums of them are exact."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from federation.masking.errors import VectorRefused


def to_fixed(values: ArrayLike, scale_bits: int, bound: float) -> NDArray[np.int64]:
    """Each value times 2^scale_bits, rounded half to even, as 64-bit integers.

    Raises `VectorRefused` for what is not finite, is beyond `bound`, or leaves 62 bits.
    """
    given = np.asarray(values, dtype=np.float64)
    if not 0 <= scale_bits <= 52 or not 0 < bound * 2.0**scale_bits <= 2.0**62:
        raise VectorRefused(f"2^{scale_bits} times a bound of {bound} is beyond 62 bits")
    if not np.isfinite(given).all():
        raise VectorRefused("a value is not a finite number")
    if given.size and float(np.abs(given).max()) > bound:
        raise VectorRefused(f"a value is beyond the bound of {bound}")
    return np.rint(given * 2.0**scale_bits).astype(np.int64)


def from_fixed(values: NDArray[np.int64], scale_bits: int) -> NDArray[np.float64]:
    """What a sum of numbers of `to_fixed` stands for."""
    return values.astype(np.float64) / 2.0**scale_bits


def fixed_bound(scale_bits: int, bound: float) -> int:
    """The largest whole number that `to_fixed` gives for that bound."""
    return int(np.rint(bound * 2.0**scale_bits))
