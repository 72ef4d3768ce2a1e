"""Errors of areas under the curve without resampling (DeLong, DeLong and Clarke-Pearson,
Biometrics 44, 1988), by midranks (Sun and Xu, IEEE Signal Processing Letters 21, 2014)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from federation.measures.checking import require_both_classes, require_pair
from federation.measures.errors import MeasureUndefined
from federation.measures.types import Comparison, Estimate, Label, Score

_NORMAL_95 = 1.959963984540054


def auc_with_error(label: Label, score: Score) -> Estimate:
    """AUC with its standard error and 95 % interval (within 0 and 1).

    Raises `MeasureUndefined` for fewer than two rows of either kind.
    """
    areas, covariance = _areas(label, (score,))
    value, error = float(areas[0]), math.sqrt(max(0.0, float(covariance[0, 0])))
    half = _NORMAL_95 * error
    return Estimate(value, error, max(0.0, value - half), min(1.0, value + half))


def delong(label: Label, score_a: Score, score_b: Score) -> Comparison:
    """Whether two scores of the same rows rank them differently by more than chance.

    Raises `MeasureUndefined` for fewer than two rows of either kind.
    """
    areas, covariance = _areas(label, (score_a, score_b))
    a, b = float(areas[0]), float(areas[1])
    difference = b - a
    contrast = np.array([-1.0, 1.0])
    variance = float(contrast @ covariance @ contrast)
    # What is left of a variance of nothing is rounding.
    error = math.sqrt(variance) if variance > 1e-18 else 0.0
    z: float | None
    if error > 0.0:
        z = difference / error
        p = math.erfc(abs(z) / math.sqrt(2.0))
    else:
        z, p = (0.0, 1.0) if difference == 0.0 else (None, 0.0)
    half = _NORMAL_95 * error
    return Comparison(a, b, difference, error, difference - half, difference + half, z, p)


def _areas(
    label: Label, scores: tuple[Score, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """AUC of each score, and their covariance."""
    of_bads: list[NDArray[np.float64]] = []
    of_goods: list[NDArray[np.float64]] = []
    for score in scores:
        bad, values = require_pair(label, score)
        require_both_classes(bad)
        bads, goods = int(bad.sum()), int((~bad).sum())
        if min(bads, goods) < 2:
            raise MeasureUndefined("an error needs at least two rows of each kind")
        together = _midranks(values)
        # The share of the other kind that each row is above of (bads) or below of (goods).
        of_bads.append((together[bad] - _midranks(values[bad])) / goods)
        of_goods.append(1.0 - (together[~bad] - _midranks(values[~bad])) / bads)
    by_bad, by_good = np.array(of_bads), np.array(of_goods)
    covariance = np.atleast_2d(np.cov(by_bad)) / by_bad.shape[1]
    covariance = covariance + np.atleast_2d(np.cov(by_good)) / by_good.shape[1]
    return by_bad.mean(axis=1), covariance


def _midranks(values: Score) -> NDArray[np.float64]:
    """Ranks from 1; rows of one value share the mean of theirs."""
    places, counts = np.unique(values, return_inverse=True, return_counts=True)[1:]
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2.0)[places])
