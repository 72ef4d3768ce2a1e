"""Where a tree is best split, from sums of gradients in bins (Chen and Guestrin 2016, XGBoost)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from federation.horizontal.settings import BoostingSettings


@dataclass(frozen=True, slots=True)
class Split:
    """The best split of a node, and what is on either side of it."""

    field: int
    bin: int
    """Bins up to this one go left."""
    missing_left: bool
    gain: float
    left: tuple[float, float]
    """Sums of the first and second derivatives."""
    right: tuple[float, float]


def best_split(
    parts: list[tuple[NDArray[np.float64], NDArray[np.float64]]], settings: BoostingSettings
) -> Split | None:
    """The split that gains most, the first of equals; none where no split gains enough.

    `parts` has for each field the sums of first and of second derivatives in its bins, those of
    missing values last.
    """
    best: Split | None = None
    for field, (slopes, curves) in enumerate(parts):
        for missing_left in (True, False):
            found = _best_cut(field, slopes, curves, missing_left, settings)
            if found is not None and (best is None or found.gain > best.gain):
                best = found
    return best


def _best_cut(
    field: int,
    slopes: NDArray[np.float64],
    curves: NDArray[np.float64],
    missing_left: bool,
    settings: BoostingSettings,
) -> Split | None:
    slope, curve = float(slopes.sum()), float(curves.sum())
    left_slopes, left_curves = np.cumsum(slopes[:-1])[:-1], np.cumsum(curves[:-1])[:-1]
    if missing_left:
        left_slopes, left_curves = left_slopes + slopes[-1], left_curves + curves[-1]
    if left_slopes.size == 0:
        return None
    right_slopes, right_curves = slope - left_slopes, curve - left_curves
    lam = settings.ridge
    with np.errstate(divide="ignore", invalid="ignore"):
        gains = 0.5 * (
            left_slopes**2 / (left_curves + lam)
            + right_slopes**2 / (right_curves + lam)
            - slope**2 / (curve + lam)
        )
    fine = (left_curves >= settings.weight_min) & (right_curves >= settings.weight_min)
    gains = np.where(fine & np.isfinite(gains), gains, -np.inf)
    cut = int(np.argmax(gains))
    if not gains[cut] > settings.gain_min:
        return None
    return Split(
        field,
        cut,
        missing_left,
        float(gains[cut]),
        (float(left_slopes[cut]), float(left_curves[cut])),
        (float(right_slopes[cut]), float(right_curves[cut])),
    )


def leaf_value(sums: tuple[float, float], settings: BoostingSettings) -> float:
    """What a leaf with those sums adds to a margin."""
    slope, curve = sums
    return -settings.learning_rate * slope / (curve + settings.ridge)
