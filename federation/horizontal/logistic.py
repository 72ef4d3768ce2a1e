"""Scorecards: Newton's method on masked gradients and Hessians, or privately in few releases.

Without noise each round asks for the log loss, its gradient and its Hessian at the weights so far
(Hosmer and Lemeshow, Applied Logistic Regression, ch. 1). With noise, what is released is little:
counts over a grid; bads and goods a bin, from which follow both the weights of evidence and the
gradient at the average score; the second moments of the rows, which give the curvature; and a
gradient or more, of rows whose own is shortened.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from federation.horizontal.documents import Knowledge, Scorecard
from federation.horizontal.errors import DocumentInvalid
from federation.horizontal.preparing import find_bins, find_woe
from federation.horizontal.protocol import Rounds
from federation.horizontal.rows import (
    CELLS,
    FINER,
    WOE,
    Rows,
    classes_shape,
    counts_shape,
    require_woe,
)
from federation.horizontal.settings import (
    ROWS_MAX,
    SCALE_BITS,
    SCORE_MAX,
    Privacy,
    ScorecardSettings,
)
from federation.horizontal.shapes import Shape, Work
from federation.horizontal.solving import nearest_semidefinite, solve, unpack_symmetric
from federation.masking import fixed_bound, from_fixed, to_fixed
from federation.privacy import clip_rows, whole_sensitivity
from federation.tables import Table

NEWTON: Final = "newton"
MOMENTS: Final = "moments"
GRADIENT: Final = "gradient"
PRIVATE_BITS: Final = 8
"""Under noise of many units more digits say nothing, and smaller noise is drawn faster."""
_CURVATURE: Final = 0.15
"""p (1 - p) of a typical row: what second moments are multiplied with for a Hessian."""
_START: Final = -0.2
"""Under noise, what a weight is pulled to: fields tell much the same, so that -1 is too much."""
_ONE: Final = 0.5
"""Under noise, what stands for the intercept in a row: less of its norm goes into it."""
_LOSS_MAX: Final = 1e3


class ScorecardAlgorithm:
    """See `Algorithm`."""

    def __init__(self, settings: ScorecardSettings) -> None:
        settings.check()
        self._settings = settings

    @property
    def settings(self) -> ScorecardSettings:
        """See `Algorithm`."""
        return self._settings

    @property
    def privacy(self) -> Privacy | None:
        """See `Algorithm`."""
        return self._settings.privacy

    @property
    def asks(self) -> Mapping[str, int]:
        """See `Algorithm`."""
        privacy = self.settings.privacy
        if privacy is None:
            return {CELLS: 1, FINER: 1, WOE: 1, NEWTON: self.settings.rounds}
        return {CELLS: 1, WOE: 1, MOMENTS: 1, GRADIENT: privacy.gradients}

    @property
    def nothing(self) -> Knowledge:
        """See `Algorithm`."""
        return Knowledge()

    def known(self, data: bytes) -> Knowledge:
        """See `Algorithm`."""
        return Knowledge.from_json(data)

    def model(self, data: bytes) -> Scorecard:
        """See `Algorithm`."""
        return Scorecard.from_json(data)

    def side(self, table: Table, label: NDArray[np.uint8]) -> ScorecardSide:
        """See `Algorithm`."""
        return ScorecardSide(Rows(self.settings, table, label), self.settings)

    def shape(self, ask: str, known: Knowledge) -> Shape:
        """See `Algorithm`."""
        privacy, size = self.settings.privacy, len(self.settings.fields) + 1
        if ask in (CELLS, FINER):
            return counts_shape(self.settings, ask, known, privacy.cells_share if privacy else 0.0)
        if ask == WOE:
            return classes_shape(self.settings, known, privacy.woe_share if privacy else 0.0)
        require_woe(self.settings, known)
        triangle = size * (size + 1) // 2
        if ask == NEWTON:
            largest = ROWS_MAX * max(SCORE_MAX * SCORE_MAX, _LOSS_MAX)
            return Shape(2 + size + triangle, fixed_bound(SCALE_BITS, largest))
        if privacy is None:
            raise DocumentInvalid(f"{ask!r} is asked only under differential privacy")
        if ask == MOMENTS:
            norm, length, share = privacy.row_norm**2, triangle, privacy.moments_share
        else:
            norm, length, share = privacy.gradient_norm, size, privacy.gradient_share
            share /= privacy.gradients
        sensitivity = whole_sensitivity(norm, PRIVATE_BITS, length)
        return Shape(length, fixed_bound(PRIVATE_BITS, ROWS_MAX * norm), sensitivity, share)

    def lead(self, rounds: Rounds, known: Knowledge) -> Scorecard:
        """See `Algorithm`."""
        privacy = self.settings.privacy
        known = find_bins(rounds, self.settings, known, noisy=privacy is not None)
        if privacy is None:
            if not known.woe:
                smoothing = self.settings.smoothing
                known, _ = find_woe(rounds, self.settings, known, smoothing=smoothing)
                start = [_log_odds(known.prior)] + [0.0] * len(self.settings.fields)
                known = known.model_copy(update={"weights": start})
                rounds.learnt(known)
            known = self._newton(rounds, known)
        else:
            known = self._private(rounds, known, privacy)
        return Scorecard(fields=list(self.settings.names), knowledge=known)

    def _newton(self, rounds: Rounds, known: Knowledge) -> Knowledge:
        size, ridge = len(known.weights), self.settings.ridge
        while known.step < 2 + self.settings.rounds:
            total = rounds.ask(NEWTON, known)
            values = from_fixed(total.values, SCALE_BITS).tolist()
            gradient = values[2 : size + 2]
            hessian = unpack_symmetric(values[size + 2 :], size)
            for place in range(1, size):
                gradient[place] += ridge * known.weights[place]
                hessian[place][place] += ridge
            move = solve(hessian, gradient)
            weights = [weight - by for weight, by in zip(known.weights, move, strict=True)]
            done = max(map(abs, move)) <= self.settings.tolerance
            step = 2 + self.settings.rounds if done else known.step + 1
            known = known.model_copy(update={"weights": weights, "step": step})
            rounds.learnt(known, values[0] / max(values[1], 1.0))
        return known

    def _private(self, rounds: Rounds, known: Knowledge, privacy: Privacy) -> Knowledge:
        size = len(self.settings.fields) + 1
        if known.step == 2:
            known = self._private_woe(rounds, known)
        if known.step == 3:
            total = rounds.ask(MOMENTS, known)
            moments = from_fixed(total.values, PRIVATE_BITS)
            # Off the diagonal they came times the square root of 2, for the sake of the norm.
            doubled = np.where(_on_diagonal(size), 1.0, math.sqrt(0.5))
            matrix = nearest_semidefinite(unpack_symmetric((moments * doubled).tolist(), size))
            hessian = [[_CURVATURE * one for one in row] for row in matrix]
            weights = _first_solution(hessian, known, privacy.pull)
            memory = [hessian[row][column] for row in range(size) for column in range(row, size)]
            known = known.model_copy(update={"weights": weights, "memory": memory, "step": 4})
            rounds.learnt(known)
        while known.step < 4 + privacy.gradients:
            total = rounds.ask(GRADIENT, known)
            gradient = from_fixed(total.values, PRIVATE_BITS).tolist()
            hessian = unpack_symmetric(known.memory, size)
            for place in range(size):
                hessian[place][place] += privacy.pull
            move = solve(hessian, gradient)
            move[0] *= _ONE
            weights = [weight - by for weight, by in zip(known.weights, move, strict=True)]
            known = known.model_copy(update={"weights": weights, "step": known.step + 1})
            rounds.learnt(known)
        return known.model_copy(update={"memory": []})

    def _private_woe(self, rounds: Rounds, known: Knowledge) -> Knowledge:
        """Weights of evidence, and the gradient where every row has the average score."""
        smoothing = self.settings.smoothing
        known, counts = find_woe(rounds, self.settings, known, smoothing=smoothing)
        half = counts.size // 2
        sizes = np.cumsum([bins.count for bins in known.bins])[:-1]
        bads, goods = (np.split(part, sizes) for part in (counts[:half], counts[half:]))
        gradient = [
            math.fsum(
                weight * (known.prior * (bad + good) - bad)
                for weight, bad, good in zip(woe, b.tolist(), g.tolist(), strict=True)
            )
            for woe, b, g in zip(known.woe, bads, goods, strict=True)
        ]
        known = known.model_copy(update={"memory": gradient, "step": 3})
        rounds.learnt(known)
        return known


class ScorecardSide:
    """See `BankSide`."""

    def __init__(self, rows: Rows, settings: ScorecardSettings) -> None:
        self._rows = rows
        self._settings = settings

    def work(self, ask: str, known: Knowledge) -> Work:
        """See `BankSide`."""
        if ask == "start":
            return Work()
        if ask in (CELLS, FINER):
            return Work(self._rows.counts(ask, known))
        if ask == WOE:
            return Work(self._rows.classes(known))
        require_weights(known, len(self._settings.fields) + 1, ask)
        if ask == NEWTON:
            return Work(self._newton(known))
        privacy = self._settings.privacy
        if privacy is None:
            raise DocumentInvalid(f"{ask!r} is asked only under differential privacy")
        return Work(
            self._moments(known, privacy) if ask == MOMENTS else self._slope(known, privacy)
        )

    def _newton(self, known: Knowledge) -> NDArray[np.int64]:
        """Log loss, rows, its gradient, and the upper triangle of its Hessian."""
        rows, label = self._with_ones(known, 1.0), self._rows.label
        margins = rows @ np.array(known.weights)
        chances = _logistic(margins)
        loss = float(np.sum(np.logaddexp(0.0, margins) - label * margins))
        gradient = rows.T @ (chances - label)
        hessian = (rows * (chances * (1 - chances))[:, None]).T @ rows
        upper = hessian[np.triu_indices(rows.shape[1])]
        vector = np.concatenate(([loss, float(label.size)], gradient, upper))
        return to_fixed(vector, SCALE_BITS, ROWS_MAX * _LOSS_MAX)

    def _moments(self, known: Knowledge, privacy: Privacy) -> NDArray[np.int64]:
        rows = clip_rows(self._with_ones(known, _ONE), privacy.row_norm)
        size = rows.shape[1]
        # The norm of a row's part is that of the row, squared, if what stands for two places of
        # the symmetric matrix counts twice.
        upper = (rows.T @ rows)[np.triu_indices(size)]
        doubled = np.where(_on_diagonal(size), 1.0, math.sqrt(2.0))
        return to_fixed(upper * doubled, PRIVATE_BITS, ROWS_MAX * privacy.row_norm**2)

    def _slope(self, known: Knowledge, privacy: Privacy) -> NDArray[np.int64]:
        rows = self._with_ones(known, _ONE)
        weights = np.array(known.weights)
        weights[0] /= _ONE
        slopes = rows * (_logistic(rows @ weights) - self._rows.label)[:, None]
        total = clip_rows(slopes, privacy.gradient_norm).sum(axis=0)
        return to_fixed(total, PRIVATE_BITS, ROWS_MAX * privacy.gradient_norm)

    def _with_ones(self, known: Knowledge, one: float) -> NDArray[np.float64]:
        return np.column_stack([np.full(self._rows.label.size, one), self._rows.evidence(known)])


def require_weights(known: Knowledge, size: int, ask: str) -> None:
    """Raise `DocumentInvalid` unless there is a weight for each number of a row."""
    if ask != MOMENTS and len(known.weights) != size:
        raise DocumentInvalid(f"{len(known.weights)} weights where {size} are meant")


def _first_solution(hessian: list[list[float]], known: Knowledge, pull: float) -> list[float]:
    """Where the quadratic at the average score is least, with weights pulled to `_START`."""
    size = len(hessian)
    base = _log_odds(known.prior) / _ONE
    to = [base] + [_START] * (size - 1)
    gradient = [0.0, *known.memory]
    right = [hessian[row][0] * base - gradient[row] + pull * to[row] for row in range(size)]
    pulled = [
        [one + (pull if r == c else 0.0) for c, one in enumerate(row)]
        for r, row in enumerate(hessian)
    ]
    weights = solve(pulled, right)
    weights[0] *= _ONE
    return weights


def _on_diagonal(size: int) -> NDArray[np.bool_]:
    rows, columns = np.triu_indices(size)
    same: NDArray[np.bool_] = rows == columns
    return same


def _logistic(margins: NDArray[np.float64]) -> NDArray[np.float64]:
    chances: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-np.clip(margins, -500.0, 500.0)))
    return chances


def _log_odds(share: float) -> float:
    return math.log(share) - math.log1p(-share)
