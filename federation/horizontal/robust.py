"""Updates that are seen one by one: combined so that a few bad ones do little, and judged.

Coordinate-wise median and trimmed mean: Yin et al. 2018, "Byzantine-Robust Distributed Learning".
Under masks none of this can be done: nobody sees a single update, and only the party itself bounds
what it adds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

JUDGED_MIN: Final = 4
"""Among fewer nobody can say who is the odd one."""
_SCALED: Final = 4.0
"""Times the median length of an update: more is scaled."""
_AGAINST: Final = -0.1
"""Cosine with the others' median: a smaller one undoes what they learn."""
_GAP: Final = 0.6
"""A cosine so much smaller than the median one has little to do with what the others learn."""


_AGREED_MIN: Final = 0.8
"""Where most are less alike (few rows each, unlike rows), directions say nothing of anybody."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Why an update is not taken."""

    kind: str
    """`rubbish`, `scaled` or `against` (as from flipped labels)."""
    detail: str


def judge(
    updates: Mapping[str, NDArray[np.float64]], history: Mapping[str, NDArray[np.float64]]
) -> dict[str, Suspicion]:
    """Whose update of this round is not to be taken, and why.

    `history`: the sum of each party's updates so far, this one included; directions are judged by
    it, since a single late update of an honest party points anywhere.
    """
    out: dict[str, Suspicion] = {}
    for party, update in updates.items():
        if not np.isfinite(update).all():
            out[party] = Suspicion("rubbish", "it has numbers that are none")
    fine = [party for party in updates if party not in out]
    if len(fine) < JUDGED_MIN:
        return out
    lengths = {party: float(np.linalg.norm(updates[party])) for party in fine}
    middle = float(np.median(list(lengths.values())))
    for party in fine:
        if lengths[party] > _SCALED * middle:
            times = lengths[party] / middle if middle else math.inf
            out[party] = Suspicion("scaled", f"it is {times:.1f} times as long as the median one")
    # What is not finite or scaled has no say in what the direction of the rest is.
    left = [party for party in fine if party not in out]
    if len(left) < JUDGED_MIN:
        return out
    likeness = {
        party: _cosine(history[party], np.median([history[p] for p in left if p != party], axis=0))
        for party in left
    }
    agreed = float(np.median(list(likeness.values())))
    if agreed < _AGREED_MIN:
        return out
    for party, alike in likeness.items():
        if alike < _AGAINST:
            out[party] = Suspicion("against", f"its cosine with the others' median is {alike:.2f}")
        elif alike < agreed - _GAP:
            out[party] = Suspicion("rubbish", f"its cosine with the others' median is {alike:.2f}")
    return out


def mean(updates: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weighted mean of rows."""
    out: NDArray[np.float64] = weights @ updates / weights.sum()
    return out


def median(updates: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median of each coordinate: fewer than half of the rows may say anything."""
    out: NDArray[np.float64] = np.median(updates, axis=0)
    return out


def trimmed_mean(updates: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of each coordinate without its largest and smallest fifth (at least one)."""
    count = len(updates)
    cut = max(1, count // 5)
    if count <= 2 * cut:
        return median(updates)
    out: NDArray[np.float64] = np.sort(updates, axis=0)[cut : count - cut].mean(axis=0)
    return out


def clipped_mean(updates: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weighted mean of rows, each shortened to the median length."""
    lengths = np.linalg.norm(updates, axis=1)
    middle = float(np.median(lengths))
    factors = np.minimum(1.0, middle / np.maximum(lengths, 1e-300))
    return mean(updates * factors[:, None], weights)


def combine(
    how: str, updates: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """One update of several, `(parties, numbers)`. Requires a way that is known."""
    if how == "median":
        return median(updates)
    if how == "trimmed":
        return trimmed_mean(updates)
    if how == "clipped":
        return clipped_mean(updates, weights)
    return mean(updates, weights)


def _cosine(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / lengths if lengths > 0 else 0.0
