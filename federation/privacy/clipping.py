"""Bounding what one row can add."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from federation.privacy.errors import PrivacyInvalid


def clip_rows(rows: NDArray[np.float64], norm: float) -> NDArray[np.float64]:
    """Each row, shortened where it is longer than `norm` (Euclidean). Raises `PrivacyInvalid`."""
    if not (math.isfinite(norm) and norm > 0):
        raise PrivacyInvalid(f"a bound of {norm} is not a positive number")
    if rows.ndim != 2 or not np.isfinite(rows).all():
        raise PrivacyInvalid("rows of finite numbers are meant")
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    # A hair below 1, so that rounding never makes a row longer than the bound.
    factors = np.where(lengths > norm, norm / np.maximum(lengths, norm) * (1 - 1e-12), 1.0)
    clipped: NDArray[np.float64] = rows * factors[:, None]
    return clipped


def whole_sensitivity(norm: float, scale_bits: int, length: int) -> int:
    """By how much one row changes a sum of fixed-point numbers, at most (Euclidean).

    The sum is rounded once: one row of length `norm` moves it by that much and by less than one
    unit in each of its numbers for the rounding.
    """
    return math.ceil(norm * 2.0**scale_bits) + math.isqrt(length) + 1
