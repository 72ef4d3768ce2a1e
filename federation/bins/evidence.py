"""Weight of evidence and information value (Siddiqi, Credit Risk Scorecards, 2006, ch. 6)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from federation.bins.errors import CountsInvalid
from federation.bins.types import BINS_MAX

__all__ = ["information_value", "woe"]

Counts = NDArray[np.int64] | NDArray[np.float64]


def woe(bads: Counts, goods: Counts, smoothing: float = 0.5) -> NDArray[np.float64]:
    """Weight of evidence of each bin: `ln(share of the goods / share of the bads)`.

    `bads` and `goods` are counts per bin, `(bins,)`, not negative (noise may make them so: clip
    first). `smoothing` is added to each of them, so that no bin is without either and the result
    is finite; the shares are of the smoothed totals. Raises `CountsInvalid`.
    """
    bad, good = _shares(bads, goods, smoothing)
    return _log(good) - _log(bad)


def information_value(bads: Counts, goods: Counts, smoothing: float = 0.5) -> float:
    """How well a feature tells goods from bads: the sum over its bins of `(share of the goods -
    share of the bads) * woe`. Below 0.02 it tells nothing, above 0.3 much. Raises as `woe`."""
    bad, good = _shares(bads, goods, smoothing)
    return math.fsum(((good - bad) * (_log(good) - _log(bad))).tolist())


def _shares(
    bads: Counts, goods: Counts, smoothing: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if not (math.isfinite(smoothing) and smoothing > 0):
        raise CountsInvalid(f"smoothing is {smoothing}: a positive number is needed")
    bad, good = np.asarray(bads, dtype=np.float64), np.asarray(goods, dtype=np.float64)
    if bad.ndim != 1 or bad.shape != good.shape or not 1 <= bad.size <= BINS_MAX:
        raise CountsInvalid(f"counts of shapes {bad.shape} and {good.shape}: two alike are needed")
    for name, counts in (("bads", bad), ("goods", good)):
        if not np.isfinite(counts).all() or (counts < 0).any():
            raise CountsInvalid(f"the {name} of a bin are negative or not a number")
    bad, good = bad + smoothing, good + smoothing
    return bad / math.fsum(bad.tolist()), good / math.fsum(good.tolist())


def _log(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    # The C library's logarithm, one by one: numpy's differs with the processor's vector units.
    return np.array([math.log(one) for one in shares.tolist()], dtype=np.float64)
