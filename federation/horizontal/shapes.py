"""What a bank adds to a sum, and of which shape it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of what is asked for; both sides find it out from what they agreed on."""

    length: int
    bound: int
    """Of each number of one bank's vector, noise apart."""
    sensitivity: int = 0
    """By how much one row changes it (Euclidean, whole numbers); 0: not bounded."""
    share: float = 0.0
    """Of the privacy budget."""


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """What a bank answers: a vector for the masked sum, or numbers that the server sees."""

    vector: NDArray[np.int64] | None = None
    seen: NDArray[np.float64] | None = None
