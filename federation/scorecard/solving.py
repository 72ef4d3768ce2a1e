"""Weighted least squares from moments: what a step of logistic regression comes to.

In plain Python, one operation after the other, so that the same moments give the same weights on
every machine; there are a few dozen unknowns, not more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from federation.scorecard.errors import DataInvalid


@dataclass(frozen=True, slots=True)
class Solution:
    """Weights that make the weighted squares least."""

    weights: tuple[float, ...]
    """As many as there are columns; zero for what was dropped."""
    errors: tuple[float, ...]
    """Standard errors of the weights, from the inverse of the information; zero likewise."""
    kept: tuple[bool, ...]


def solve(
    moments: Sequence[Sequence[float]],
    vector: Sequence[float],
    ridge: Sequence[float],
    positive: Sequence[bool],
) -> Solution:
    """Weights `w` with `(moments + diag(ridge)) w = vector`.

    `moments` is symmetric and positive semidefinite. A column that must be `positive` and is not
    is dropped, the most negative first, and the rest solved again: a feature that is already
    expressed as the weight of evidence and still has the other sign repeats what others say.
    Raises `DataInvalid` where a column repeats others exactly and has no ridge.
    """
    kept = [True] * len(vector)
    while True:
        places = [place for place, keep in enumerate(kept) if keep]
        matrix = [
            [moments[row][column] + (ridge[row] if row == column else 0.0) for column in places]
            for row in places
        ]
        lower = _cholesky(matrix)
        found = _substitute(lower, [vector[place] for place in places])
        worst = min(
            (weight, place)
            for weight, place in [*zip(found, places, strict=True), (math.inf, -1)]
            if place < 0 or positive[place]
        )
        if worst[0] > 0:
            return _solution(lower, found, places, kept)
        kept[worst[1]] = False


def _solution(
    lower: list[list[float]], found: list[float], places: list[int], kept: list[bool]
) -> Solution:
    weights, errors = [0.0] * len(kept), [0.0] * len(kept)
    for number, place in enumerate(places):
        unit = [1.0 if other == number else 0.0 for other in range(len(places))]
        weights[place] = found[number]
        errors[place] = math.sqrt(_substitute(lower, unit)[number])
    return Solution(tuple(weights), tuple(errors), tuple(kept))


def _cholesky(matrix: list[list[float]]) -> list[list[float]]:
    """The lower triangle whose square is the matrix."""
    size = len(matrix)
    lower = [[0.0] * size for _ in range(size)]
    for row in range(size):
        for column in range(row + 1):
            rest = matrix[row][column] - math.fsum(
                lower[row][k] * lower[column][k] for k in range(column)
            )
            if row != column:
                lower[row][column] = rest / lower[column][column]
            elif rest <= 1e-12 * max(matrix[row][row], 1e-300):
                raise DataInvalid(
                    f"column {row} repeats the others exactly: give it a ridge, or leave it out"
                )
            else:
                lower[row][row] = math.sqrt(rest)
    return lower


def _substitute(lower: list[list[float]], vector: list[float]) -> list[float]:
    """Solve forwards, then backwards."""
    size = len(vector)
    forward = [0.0] * size
    for row in range(size):
        rest = math.fsum(lower[row][k] * forward[k] for k in range(row))
        forward[row] = (vector[row] - rest) / lower[row][row]
    back = [0.0] * size
    for row in reversed(range(size)):
        rest = math.fsum(lower[k][row] * back[k] for k in range(row + 1, size))
        back[row] = (forward[row] - rest) / lower[row][row]
    return back
