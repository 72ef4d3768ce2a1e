"""Small symmetric systems, solved in one order of operations on every machine."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from federation.horizontal.errors import TrainingEnded


def unpack_symmetric(values: Sequence[float], size: int) -> list[list[float]]:
    """The matrix whose upper triangle, row after row, is given."""
    matrix = [[0.0] * size for _ in range(size)]
    place = 0
    for row in range(size):
        for column in range(row, size):
            matrix[row][column] = matrix[column][row] = values[place]
            place += 1
    return matrix


def solve(matrix: Sequence[Sequence[float]], vector: Sequence[float]) -> list[float]:
    """The solution for a positive definite matrix (Cholesky). Raises `TrainingEnded`."""
    size = len(vector)
    lower = [[0.0] * size for _ in range(size)]
    for row in range(size):
        for column in range(row + 1):
            known = math.fsum(lower[row][k] * lower[column][k] for k in range(column))
            rest = matrix[row][column] - known
            if row == column:
                if not rest > 0:
                    raise TrainingEnded("the sums make no positive definite matrix: more ridge")
                lower[row][row] = math.sqrt(rest)
            else:
                lower[row][column] = rest / lower[column][column]
    middle = [0.0] * size
    for row in range(size):
        known = math.fsum(lower[row][k] * middle[k] for k in range(row))
        middle[row] = (vector[row] - known) / lower[row][row]
    out = [0.0] * size
    for row in reversed(range(size)):
        known = math.fsum(lower[k][row] * out[k] for k in range(row + 1, size))
        out[row] = (middle[row] - known) / lower[row][row]
    return out


def nearest_semidefinite(matrix: Sequence[Sequence[float]]) -> list[list[float]]:
    """The matrix without its negative eigenvalues, which only noise can have put there."""
    values, vectors = np.linalg.eigh(np.array(matrix))
    whole: NDArray[np.float64] = (vectors * np.maximum(values, 0.0)) @ vectors.T
    return [[float(one) for one in row] for row in whole]
