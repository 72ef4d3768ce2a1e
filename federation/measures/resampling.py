"""What chance alone would move a measure by: the bootstrap (Efron, Annals of Statistics 7, 1979).

Rows are drawn with replacement by NumPy's PCG64 from a given seed, so that the same seed gives
the same errors on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from federation.measures.checking import require_pair, require_probability
from federation.measures.errors import MeasureInvalid, MeasureUndefined
from federation.measures.probability import brier, brier_terms, log_loss, log_losses
from federation.measures.ranking import area, auc, distance, gini, ks, score_places
from federation.measures.types import Estimate, Label, Measure, Score

TIMES_MAX = 100_000
_CELLS_AT_ONCE = 2_000_000

Drawn = NDArray[np.int64]
"""(resamples, rows): how often each row was drawn."""
Many = Callable[[Drawn], NDArray[np.float64]]


def bootstrap(
    label: Label,
    score: Score,
    measure: Measure = auc,
    *,
    seed: int,
    times: int = 1_000,
    level: float = 0.95,
) -> Estimate:
    """The measure of all rows, its standard error and its percentile interval.

    `auc`, `gini`, `ks`, `log_loss` and `brier` are computed for many resamples together; any other
    function of (label, score) one by one. Resamples for which the measure is not defined (all rows
    of one kind) are left out. Raises `MeasureUndefined` where that is more than half of them.
    """
    _require_settings(times, level, seed)
    value = measure(label, score)
    many = _many(measure, label, score)
    values = np.concatenate([many(drawn) for drawn in _draws(len(label), times, seed)])
    return _estimate(value, values, level)


def bootstrap_difference(
    label: Label,
    score_a: Score,
    score_b: Score,
    measure: Measure = auc,
    *,
    seed: int,
    times: int = 1_000,
    level: float = 0.95,
) -> Estimate:
    """measure(b) - measure(a) on the same rows, with error and interval: both scores of a
    resample are of the same rows, so that what they have in common cancels."""
    _require_settings(times, level, seed)
    value = measure(label, score_b) - measure(label, score_a)
    a, b = _many(measure, label, score_a), _many(measure, label, score_b)
    values = np.concatenate([b(drawn) - a(drawn) for drawn in _draws(len(label), times, seed)])
    return _estimate(value, values, level)


def _require_settings(times: int, level: float, seed: int) -> None:
    if not 2 <= times <= TIMES_MAX:
        raise MeasureInvalid(f"{times} resamples; 2 to {TIMES_MAX} can be drawn")
    if not 0.0 < level < 1.0:
        raise MeasureInvalid(f"the level {level} of an interval lies between 0 and 1")
    if seed < 0:
        raise MeasureInvalid("a seed is not negative")


def _estimate(value: float, values: NDArray[np.float64], level: float) -> Estimate:
    defined = values[np.isfinite(values)]
    if 2 * defined.size < values.size or defined.size < 2:
        raise MeasureUndefined(
            f"the measure is defined for {defined.size} of {values.size} resamples only"
        )
    low, high = np.quantile(defined, ((1 - level) / 2, (1 + level) / 2))
    return Estimate(value, float(defined.std(ddof=1)), float(low), float(high))


def _draws(rows: int, times: int, seed: int) -> Iterator[Drawn]:
    """Resamples as counts, some at a time, so that memory stays bounded."""
    generator = np.random.Generator(np.random.PCG64(seed))
    at_once = max(1, _CELLS_AT_ONCE // rows)
    for done in range(0, times, at_once):
        count = min(at_once, times - done)
        drawn = generator.integers(0, rows, size=(count, rows))
        drawn += np.arange(count)[:, None] * rows
        yield np.bincount(drawn.ravel(), minlength=count * rows).reshape(count, rows)


def _many(measure: Measure, label: Label, score: Score) -> Many:
    bad, values = require_pair(label, score)
    if measure is auc:
        return _of_counts(bad, values, area)
    if measure is gini:
        counted = _of_counts(bad, values, area)
        return lambda drawn: 2.0 * counted(drawn) - 1.0
    if measure is ks:
        return _of_counts(bad, values, distance)
    if measure is log_loss or measure is brier:
        require_probability(values)
        terms = log_losses(bad, values) if measure is log_loss else brier_terms(bad, values)
        return lambda drawn: drawn @ terms / terms.size
    return lambda drawn: _one_by_one(measure, np.asarray(label), values, drawn)


def _of_counts(
    bad: NDArray[np.bool_],
    values: Score,
    measure: Callable[[Drawn, Drawn], NDArray[np.float64]],
) -> Many:
    places = score_places(values)
    order = np.argsort(places, kind="stable")
    starts = np.flatnonzero(np.diff(places[order], prepend=-1))
    bad_in_order = bad[order].astype(np.int64)

    def many(drawn: Drawn) -> NDArray[np.float64]:
        ordered = drawn[:, order]
        bads = np.add.reduceat(ordered * bad_in_order, starts, axis=1)
        return measure(bads, np.add.reduceat(ordered, starts, axis=1) - bads)

    return many


def _one_by_one(measure: Measure, label: Label, score: Score, drawn: Drawn) -> Score:
    found = np.full(len(drawn), np.nan)
    for place, counts in enumerate(drawn):
        rows = np.repeat(np.arange(counts.size), counts)
        try:
            found[place] = measure(label[rows], score[rows])
        except MeasureUndefined:
            continue
    return found
