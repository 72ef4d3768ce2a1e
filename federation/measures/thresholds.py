"""Where to cut a score, and what follows: rows with score <= threshold are approved."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from federation.measures.checking import require_pair, require_score
from federation.measures.errors import MeasureInvalid
from federation.measures.types import Cutoff, Label, Score

CUTOFFS_MAX = 1_000


def cutoff_at(score: Score, threshold: float, label: Label | None = None) -> Cutoff:
    """What follows from a threshold."""
    values, bad = _rows(score, label)
    return _cutoff(values, bad, threshold)


def threshold_for_approval_rate(score: Score, rate: float, label: Label | None = None) -> Cutoff:
    """The highest threshold that approves at most that share of rows.

    Rows of one score share their fate: where the best score alone is more than that, nobody is
    approved. Raises `MeasureInvalid` for a rate that is not within 0 and 1.
    """
    if not 0.0 <= rate <= 1.0:
        raise MeasureInvalid(f"an approval rate lies within 0 and 1, not {rate}")
    values, bad = _rows(score, label)
    found, counts = np.unique(values, return_counts=True)
    # A hair is allowed for rates such as 0.1 that doubles do not hold exactly.
    fits = np.cumsum(counts) <= rate * values.size * (1 + 1e-12)
    return _cutoff(values, bad, float(found[fits][-1]) if fits.any() else None)


def threshold_for_bad_rate(label: Label, score: Score, rate: float) -> Cutoff:
    """The highest threshold at which at most that share of the approved went bad.

    Raises `MeasureInvalid` for a rate that is not within 0 and 1.
    """
    if not 0.0 <= rate <= 1.0:
        raise MeasureInvalid(f"a bad rate lies within 0 and 1, not {rate}")
    bad, values = require_pair(label, score)
    found, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    bads = np.cumsum(np.bincount(places[bad], minlength=found.size))
    fits = np.flatnonzero(bads <= rate * np.cumsum(counts) * (1 + 1e-12))
    return _cutoff(values, bad, float(found[fits[-1]]) if fits.size else None)


def cutoff_table(label: Label, score: Score, *, steps: int = 20) -> tuple[Cutoff, ...]:
    """Cut-offs at evenly spaced approval rates, from few approvals to all."""
    if not 1 <= steps <= CUTOFFS_MAX:
        raise MeasureInvalid(f"{steps} cut-offs; 1 to {CUTOFFS_MAX} can be made")
    rates = [step / steps for step in range(1, steps + 1)]
    return tuple(threshold_for_approval_rate(score, rate, label) for rate in rates)


def _rows(score: Score, label: Label | None) -> tuple[Score, NDArray[np.bool_] | None]:
    if label is None:
        return require_score(score), None
    bad, values = require_pair(label, score)
    return values, bad


def _cutoff(values: Score, bad: NDArray[np.bool_] | None, threshold: float | None) -> Cutoff:
    approved = values <= (-np.inf if threshold is None else threshold)
    count = int(approved.sum())
    bad_rate = bads_refused = None
    if bad is not None:
        bads = int(bad.sum())
        within = int(bad[approved].sum())
        bad_rate = within / count if count else None
        bads_refused = (bads - within) / bads if bads else None
    return Cutoff(threshold, count, count / values.size, bad_rate, bads_refused)
