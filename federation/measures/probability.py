"""How good predicted probabilities are: log loss, Brier score, calibration."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from federation.measures.checking import (
    require_both_classes,
    require_pair,
    require_probability,
    require_score,
)
from federation.measures.errors import MeasureInvalid
from federation.measures.types import Calibration, CalibrationBin, Label, Score

SMALLEST = float(np.finfo(np.float64).eps)
"""Nearest to 0 and 1 that a probability counts as in log loss, so that it stays finite."""
BINS_MAX = 1_000
_NORMAL_95 = 1.959963984540054
_NEWTON_STEPS_MAX = 50
_STEP_MIN = 1e-10


def probabilities(margin: Score) -> Score:
    """The probability of going bad for margins (log-odds), without overflow."""
    values = require_score(margin)
    small = np.exp(-np.abs(values))
    return np.where(values >= 0.0, 1.0, small) / (1.0 + small)


def log_loss(label: Label, probability: Score) -> float:
    """Mean of -log of the probability given to what happened, in nats."""
    bad, values = require_pair(label, probability)
    require_probability(values)
    return float(np.mean(log_losses(bad, values)))


def log_losses(bad: NDArray[np.bool_], probability: Score) -> NDArray[np.float64]:
    """Log loss row by row."""
    kept = np.clip(probability, SMALLEST, 1.0 - SMALLEST)
    return -np.where(bad, np.log(kept), np.log1p(-kept))


def brier(label: Label, probability: Score) -> float:
    """Mean squared difference of probability and outcome (Brier 1950), 0 to 1."""
    bad, values = require_pair(label, probability)
    require_probability(values)
    return float(np.mean(brier_terms(bad, values)))


def brier_terms(bad: NDArray[np.bool_], probability: Score) -> NDArray[np.float64]:
    """Squared difference row by row."""
    return (probability - bad) ** 2


def calibration(label: Label, probability: Score, *, bins: int = 10) -> Calibration:
    """Predicted beside observed in bins of equal size; rows of one prediction stay together.

    Raises `MeasureInvalid` for what is no probability, `MeasureUndefined` where all labels are
    the same.
    """
    bad, values = require_pair(label, probability)
    require_probability(values)
    require_both_classes(bad)
    if not 1 <= bins <= BINS_MAX:
        raise MeasureInvalid(f"{bins} bins; 1 to {BINS_MAX} can be made")
    edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1]))
    place = np.searchsorted(edges, values, side="left")
    made: list[CalibrationBin] = []
    for here in np.unique(place).tolist():
        inside = place == here
        rows, bads = int(inside.sum()), int(bad[inside].sum())
        low, high = wilson(bads, rows)
        made.append(CalibrationBin(rows, float(values[inside].mean()), bads / rows, low, high))
    errors = [abs(one.predicted - one.observed) for one in made]
    expected = math.fsum(e * one.rows for e, one in zip(errors, made, strict=True)) / bad.size
    intercept, slope = _recalibration(bad, values)
    return Calibration(tuple(made), expected, max(errors), intercept, slope)


def wilson(hits: int, rows: int, z: float = _NORMAL_95) -> tuple[float, float]:
    """Interval of a share (Wilson, JASA 22, 1927). Requires 0 <= hits <= rows, rows > 0."""
    share = hits / rows
    middle = share + z * z / (2 * rows)
    half = z * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    scale = 1 + z * z / rows
    low = 0.0 if hits == 0 else max(0.0, (middle - half) / scale)
    high = 1.0 if hits == rows else min(1.0, (middle + half) / scale)
    return low, high


def _recalibration(bad: NDArray[np.bool_], probability: Score) -> tuple[float, float]:
    """Intercept and slope of the label's log-odds on the predicted ones, by Newton's method.

    A slope that no finite number fits best (the score separates the labels) ends at the last step
    that was bounded: it then is large, which is what it means.
    """
    kept = np.clip(probability, SMALLEST, 1.0 - SMALLEST)
    odds = np.log(kept) - np.log1p(-kept)
    if odds.min() == odds.max():
        rate = float(bad.mean())
        return math.log(rate / (1 - rate)) - float(odds[0]), 1.0
    design = np.column_stack((np.ones_like(odds), odds))
    weights = np.zeros(2)
    loss = _logistic_loss(bad, design, weights)
    for _ in range(_NEWTON_STEPS_MAX):
        fitted = probabilities(design @ weights)
        information = design.T @ (design * (fitted * (1 - fitted))[:, None]) + np.eye(2) * 1e-9
        step = np.linalg.solve(information, design.T @ (bad - fitted))
        # The loss is convex: a step that overshoots is halved until it gains.
        while (found := _logistic_loss(bad, design, weights + step)) > loss:
            step = step / 2
            if float(np.abs(step).max()) < _STEP_MIN:
                return float(weights[0]), float(weights[1])
        weights, loss = weights + step, found
        if float(np.abs(step).max()) < _STEP_MIN:
            break
    return float(weights[0]), float(weights[1])


def _logistic_loss(
    bad: NDArray[np.bool_], design: NDArray[np.float64], weights: NDArray[np.float64]
) -> float:
    margin = design @ weights
    return float(np.logaddexp(0.0, np.where(bad, -margin, margin)).sum())
