"""Cutting a feature so that its bins hold about as many rows each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from federation.bins.errors import BinsInvalid
from federation.bins.types import BINS_MAX, Bins

__all__ = ["quantile_bins"]


def quantile_bins(values: NDArray[np.float64], count: int) -> Bins:
    """Bins of about equal numbers of rows: at most `count`, and the one for missing values.

    From the lowest value on, a bin ends as soon as it holds its fair share, one in `count` of all
    rows; so values that few rows have share a bin, however few distinct values there are. A value
    that has two fair shares by itself has a bin to itself. Edges are values that occur, found by
    counting alone: no interpolation, hence the same on every machine and for every order of the
    rows. A constant or empty column has one bin.
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

    Every bin that ends of itself uses up a fair share, and one cut short before a heavy value is
    paid for by the second share of that value: so there are at most `count`, and one begun.
    """
    rows = sum(times)
    ends: list[int] = []
    held = 0
    for place, here in enumerate(times):
        if held and here * count >= 2 * rows:
            ends.append(place - 1)
            held = 0
        held += here
        if held * count >= rows:
            ends.append(place)
            held = 0
    if ends and ends[-1] == len(times) - 1:
        ends.pop()
    # What is left over joins the last bin where that would be one too many.
    return ends[: count - 1]
