"""What of many rows may be told without telling of one: the bounds of this room, in one place.

No count below `COUNT_BOUND` is told, nor can one be had by subtracting two: every count is a
multiple of it. No single row's value is told: an end of a range is one that at least that many
rows lie at or beyond, rounded outward.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import numpy as np
from numpy.typing import NDArray

COUNT_BOUND = 10
"""Rows; counts are multiples of it, and values are told only of at least that many rows."""


def told_count(count: int) -> int:
    """The multiple of the bound nearest to a count; 0 for none at all, never 0 for some."""
    if count == 0:
        return 0
    return max(1, (count + COUNT_BOUND // 2) // COUNT_BOUND) * COUNT_BOUND


def told_range(present: NDArray[np.float64]) -> tuple[float, float] | None:
    """About where values lie: at least `COUNT_BOUND` of them lie at or below the low end before
    rounding, as many at or above the high one; both are rounded outward to two digits of the
    spread. None where there are too few values or no spread to round to."""
    if present.size < 2 * COUNT_BOUND:
        return None
    places = (COUNT_BOUND - 1, present.size - COUNT_BOUND)
    ends = np.partition(present, places)[list(places)]
    low, high = Decimal(float(ends[0])), Decimal(float(ends[1]))
    if low == high:
        return None
    step = Decimal(1).scaleb((high - low).adjusted() - 1)
    return _to_grid(low, step, ROUND_FLOOR), _to_grid(high, step, ROUND_CEILING)


def _to_grid(value: Decimal, step: Decimal, rounding: str) -> float:
    if abs(value) >= step * Decimal(10) ** 20:
        return float(value)
    found = float((value / step).to_integral_value(rounding) * step)
    return found if np.isfinite(found) else float(value)
