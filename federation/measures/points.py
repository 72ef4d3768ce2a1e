"""From log-odds to scorecard points: the higher, the better the risk."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from federation.measures.checking import require_score
from federation.measures.errors import MeasureInvalid
from federation.measures.types import Score

POINTS_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Scaling:
    """A linear scale of points: `base_points` at `base_odds` good to bad, and odds that double
    every `points_to_double` points (Siddiqi, Credit Risk Scorecards, 2006, chapter 6).

    Raises `MeasureInvalid` for a scale that is none.
    """

    base_points: int = 600
    base_odds: float = 50.0
    """Goods to one bad."""
    points_to_double: int = 20
    low: int = 300
    high: int = 850
    """Points are kept within these."""

    def __post_init__(self) -> None:
        if not 0.0 < self.base_odds < math.inf:
            raise MeasureInvalid("the base odds of a scale are positive")
        if not 1 <= self.points_to_double <= POINTS_MAX:
            raise MeasureInvalid(f"points to double lie within 1 and {POINTS_MAX}")
        if not -POINTS_MAX <= self.low <= self.base_points <= self.high <= POINTS_MAX:
            raise MeasureInvalid("a scale goes from its low over its base points to its high")

    @property
    def factor(self) -> float:
        """Points for one unit of log-odds."""
        return self.points_to_double / math.log(2.0)

    @property
    def offset(self) -> float:
        """Points of a row whose odds are even."""
        return self.base_points - self.factor * math.log(self.base_odds)

    def points(self, margin: Score) -> NDArray[np.int64]:
        """Points of margins (log-odds of going bad), rounded to whole ones, halves to even."""
        exact = self.offset - self.factor * require_score(margin)
        return np.rint(np.clip(exact, self.low, self.high)).astype(np.int64)

    def parts(self, contributions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points that parts of a margin stand for, any shape, not rounded: what an attribute of a
        scorecard takes or gives. `offset` plus the parts of all terms is the score."""
        return -self.factor * np.asarray(contributions, dtype=np.float64)

    def margin(self, points: float) -> float:
        """The margin at which a row has those points (for a threshold given in points)."""
        return (self.offset - points) / self.factor
