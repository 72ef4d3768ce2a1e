"""What a Newton step needs to know of the rows: moments, as exact whole numbers.

With weights `W = p (1 - p)` and working responses `R = W z + y - p` of the step before (in whole
numbers of 2**-20), the step solves `(X' W X + ridge) w = X' R` (McCullagh and Nelder, Generalized
Linear Models, 1989, section 2.5), where the columns of `X` are weights of evidence and a one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from federation.scorecard.coding import EVIDENCE_BITS, MARGIN_BITS

WEIGHT_OF_ROW_BITS: Final = 20
"""`W` and `R` are whole numbers of 2**-20."""
MARGIN_MAX: Final = 30.0
"""Beyond which a probability is as good as 0 or 1."""
RESPONSE_MAX: Final = 4 << WEIGHT_OF_ROW_BITS
"""`|W z + y - p|` is below 2 for all `z`."""


@dataclass(frozen=True, slots=True)
class Step:
    """What the guest knows of each row before a step."""

    weights: NDArray[np.int64]
    responses: NDArray[np.int64]


def step_of(margins: NDArray[np.int64], label: NDArray[np.uint8]) -> Step:
    """Weights and responses at these margins (whole numbers of 2**-32)."""
    z = np.clip(margins / float(1 << MARGIN_BITS), -MARGIN_MAX, MARGIN_MAX)
    # The C library's exponential, one by one: numpy's differs with the processor's vector units.
    p = np.array([1.0 / (1.0 + math.exp(-one)) for one in z.tolist()])
    weights = p * (1.0 - p)
    responses = weights * z + label - p
    scale = float(1 << WEIGHT_OF_ROW_BITS)
    fixed = [np.rint(one * scale).astype(np.int64) for one in (weights, responses)]
    return Step(fixed[0], fixed[1])


def own_moments(step: Step, columns: NDArray[np.int64]) -> tuple[list[list[int]], list[int]]:
    """`X' W X` and `X' R` of one's own columns, `(columns, rows)`, exactly."""
    weighted = columns * step.weights
    matrix = [[_dot(left, right) for right in columns] for left in weighted]
    return matrix, [_dot(column, step.responses) for column in columns]


def _dot(left: NDArray[np.int64], right: NDArray[np.int64]) -> int:
    """Exact where a product stays below 2**56: halves of it are summed apart."""
    product = left * right
    return (int((product >> 24).sum()) << 24) + int((product & 0xFFFFFF).sum())


def real(total: int, bits: int) -> float:
    """A whole number of `2**-bits` as a double, correctly rounded."""
    return total / (1 << bits)


def evidence_columns(
    evidence: Sequence[Sequence[int]], groups: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """The evidence of each feature's group for all rows: (features, rows)."""
    found = np.empty(groups.shape, dtype=np.int64)
    for place, (values, row) in enumerate(zip(evidence, groups, strict=True)):
        found[place] = np.asarray(values, dtype=np.int64)[row]
    return found


ONE: Final = 1 << EVIDENCE_BITS
"""The intercept's column, as evidence."""
