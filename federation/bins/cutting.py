"""Cutting a feature so that its bins hold about as many rows each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from federation.bins.errors import BinsInvalid
from federation.bins.types import BINS_MAX, Bins

__all__ = ["quantile_bins"]


def quantile_bins(values: NDArray[np.float64], count: int) -> Bins:
    """Bins of about equal numbers of rows: at most `count`, and the one for missing values.

    Counted from the lowest value on, a bin ends where a fair share of the rows, one in `count`,
    is full; so values that few rows have share a bin, however few distinct values there are. A
    value that has two fair shares by itself has a bin to itself. Edges are values that occur,
    found by counting alone: no interpolation, hence the same on every machine and for every order
    of the rows. A constant or empty column has one bin.
    Raises `BinsInvalid` for infinities and for a count that is not 1 to 255.
    """
    values = np.asarray(values, dtype=np.float64)
    if not 1 <= count <= BINS_MAX - 1:
        raise BinsInvalid(f"{count} bins: from 1 to {BINS_MAX - 1} are possible")
    if values.ndim != 1 or np.isinf(values).any():
        raise BinsInvalid("values must be one column of numbers, none of them infinite")
    # Adding zero makes -0.0 into 0.0, which unique holds for equal and may return either of.
    distinct, times = np.unique(values[~np.isnan(values)] + 0.0, return_counts=True)
    return Bins(distinct[_ends(times.tolist(), count)])


def _ends(times: list[int], count: int) -> list[int]:
    """The place of the last distinct value of each bin but the last.

    There are `count` full shares to end at. A value of two shares fills two at once and ends one
    bin by itself, which pays for the end before it: so there are never more than `count` bins.
    """
    rows, upto = sum(times), 0
    ends: list[int] = []
    for place, here in enumerate(times):
        if here * count >= 2 * rows and place and (not ends or ends[-1] != place - 1):
            ends.append(place - 1)
        full = upto * count // rows
        upto += here
        if upto * count // rows > full:
            ends.append(place)
    return ends[:-1]  # all rows are a full share: the last value ends the last bin
