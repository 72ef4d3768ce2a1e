"""Whether a score or a feature has moved: the population stability index.

PSI = sum over bins of (q - p) ln(q / p), with p the reference's share of a bin and q the current
one's. Its expectation where nothing moved is (B - 1)(1/n + 1/m) (Yurdakul, 2018): small samples
move by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from federation.measures.errors import MeasureInvalid
from federation.measures.types import Drift

BINS_MAX = 1_000
WATCH, SHIFTED = 0.1, 0.25
"""From where on a move is worth a look, and from where on the model should be looked at."""
_SMOOTHING = 0.5


def psi(reference: NDArray[np.float64], current: NDArray[np.float64], *, bins: int = 10) -> Drift:
    """The index of two samples (NaN: missing), in bins of equal size of the reference, and one
    more for what is missing. Raises `MeasureInvalid` for empty samples or infinities."""
    if not 2 <= bins <= BINS_MAX:
        raise MeasureInvalid(f"{bins} bins; 2 to {BINS_MAX} can be made")
    old, new = _sample(reference), _sample(current)
    present = old[~np.isnan(old)]
    edges: NDArray[np.float64] = np.empty(0)
    if present.size:
        edges = np.unique(np.quantile(present, np.linspace(0, 1, bins + 1)[1:-1], method="lower"))
    return psi_of_counts(_counts(old, edges), _counts(new, edges), edges=tuple(edges.tolist()))


def psi_of_counts(
    reference: Sequence[int], current: Sequence[int], *, edges: Sequence[float] = ()
) -> Drift:
    """The index of two lists of counts, bin by bin; half a row is added to each bin, so that an
    empty one gives a finite index. Bins that are empty in both do not count.

    Raises `MeasureInvalid` for lists of unlike length, negative counts or no rows.
    """
    old = np.asarray(reference, dtype=np.float64)
    new = np.asarray(current, dtype=np.float64)
    if old.shape != new.shape or old.ndim != 1 or not 1 <= old.size <= BINS_MAX + 1:
        raise MeasureInvalid("two lists of counts of the same bins are needed")
    if min(old.min(), new.min()) < 0 or not old.sum() or not new.sum():
        raise MeasureInvalid("counts are not negative, and there is at least one row")
    n, m = float(old.sum()), float(new.sum())
    used = (old + new) > 0
    p = (old[used] + _SMOOTHING) / (n + _SMOOTHING * used.sum())
    q = (new[used] + _SMOOTHING) / (m + _SMOOTHING * used.sum())
    index = max(0.0, float(np.sum((q - p) * np.log(q / p))))
    expected = (float(used.sum()) - 1.0) * (1.0 / n + 1.0 / m)
    return Drift(
        psi=index,
        expected=expected,
        verdict=_verdict(index),
        edges=tuple(edges),
        reference=tuple((old / n).tolist()),
        current=tuple((new / m).tolist()),
    )


def _verdict(index: float) -> str:
    if index < WATCH:
        return "stable"
    return "watch" if index < SHIFTED else "shifted"


def _sample(values: NDArray[np.float64]) -> NDArray[np.float64]:
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or not sample.size or np.isinf(sample).any():
        raise MeasureInvalid("a sample is a one-dimensional array, not empty, without infinities")
    return sample


def _counts(values: NDArray[np.float64], edges: NDArray[np.float64]) -> list[int]:
    """Rows in each bin (edge below < x <= edge above), then those that are missing."""
    present = values[~np.isnan(values)]
    place = np.searchsorted(edges, present, side="left")
    counts = np.bincount(place, minlength=edges.size + 1)
    return [*counts.tolist(), values.size - present.size]
