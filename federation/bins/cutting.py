"""Cutting a feature so that its bins hold about as many rows each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from federation.bins.errors import BinsInvalid
from federation.bins.types import BINS_MAX, Bins

__all__ = ["quantile_bins"]


def quantile_bins(values: NDArray[np.float64], count: int) -> Bins:
    """Bins of about equal numbers of rows: at most `count`, and the one for missing values.

    Edges are values that occur, found by counting alone: no interpolation, hence the same on
    every machine and for every order of the rows. A value that fills a bin alone has one to
    itself, and what is left is shared out anew among the bins that are left. Where there are no
    more distinct values than bins, each has its own; a constant or empty column has one.
    Raises `BinsInvalid` for infinities and for a count that is not 1 to 255.
    """
    values = np.asarray(values, dtype=np.float64)
    if not 1 <= count <= BINS_MAX - 1:
        raise BinsInvalid(f"{count} bins: from 1 to {BINS_MAX - 1} are possible")
    if values.ndim != 1 or np.isinf(values).any():
        raise BinsInvalid("values must be one column of numbers, none of them infinite")
    # Adding zero makes -0.0 into 0.0, which unique holds for equal and may return either of.
    distinct, times = np.unique(values[~np.isnan(values)] + 0.0, return_counts=True)
    if distinct.size <= count:
        return Bins(distinct[:-1])
    return Bins(distinct[_last_of_each(times.tolist(), count)[:-1]])


def _last_of_each(times: list[int], count: int) -> list[int]:
    """The place of the last distinct value of each bin. Requires more values than bins."""
    fair = sum(times) / count
    heavy_left = sum(1 for one in times if one >= fair)
    rows_left = sum(one for one in times if one < fair)
    ends: list[int] = []
    held = 0

    def close(place: int) -> None:
        nonlocal held
        if place >= 0 and (not ends or ends[-1] != place):
            ends.append(place)
        held = 0

    for place, here in enumerate(times):
        bins_left = count - len(ends)
        if here >= fair:
            heavy_left -= 1
            # The light values before it close their own bin while one can be spared.
            if held and bins_left > 1 + heavy_left:
                close(place - 1)
            close(place)
            continue
        light_bins = max(bins_left - heavy_left, 1)
        held += here
        if held * light_bins >= rows_left:
            rows_left -= held
            close(place)
    last = len(times) - 1
    # Never more than asked for: surplus bins at the upper end are joined.
    ends = [*ends[: count - 1], last] if len(ends) >= count else ends
    if ends[-1] != last:
        ends.append(last)
    return ends
