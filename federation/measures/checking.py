"""What labels and scores must be before anything is measured."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from federation.measures.errors import MeasureInvalid, MeasureUndefined
from federation.measures.types import Label, Score

ROWS_MAX = 100_000_000


def require_score(score: Score) -> Score:
    """The score as doubles. Raises `MeasureInvalid` unless it is one finite number a row."""
    values = np.asarray(score)
    if values.ndim != 1 or values.dtype.kind not in "fiu":
        raise MeasureInvalid("a score is a one-dimensional array of numbers")
    if not 0 < values.size <= ROWS_MAX:
        raise MeasureInvalid(f"{values.size} rows cannot be measured (1 to {ROWS_MAX} can)")
    values = values.astype(np.float64, copy=False)
    if not np.isfinite(values).all():
        raise MeasureInvalid("a score is missing or infinite; leave such rows out, and say so")
    return values


def require_pair(label: Label, score: Score) -> tuple[NDArray[np.bool_], Score]:
    """Which rows are bad, and the score. Raises `MeasureInvalid` unless they fit together."""
    values = require_score(score)
    labels = np.asarray(label)
    if labels.shape != values.shape:
        raise MeasureInvalid(f"{labels.shape} labels for {values.shape} scores")
    if labels.dtype.kind not in "biuf" or not np.isin(labels, (0, 1)).all():
        raise MeasureInvalid("a label must be 0 or 1 in each row")
    return labels.astype(np.bool_), values


def require_both_classes(bad: NDArray[np.bool_]) -> None:
    """Raise `MeasureUndefined` where all rows have the same label."""
    bads = int(np.count_nonzero(bad))
    if bads in (0, bad.size):
        raise MeasureUndefined(f"{bads} of {bad.size} rows are bad: both kinds are needed")


def require_probability(score: Score) -> None:
    """Raise `MeasureInvalid` unless each score is within 0 and 1."""
    if score.min() < 0.0 or score.max() > 1.0:
        raise MeasureInvalid("a probability lies within 0 and 1 (of margins: probabilities())")
