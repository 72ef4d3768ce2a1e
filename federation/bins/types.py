"""The bins of one feature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from federation.bins.errors import BinsInvalid

__all__ = ["BINS_MAX", "Bins"]

BINS_MAX: Final = 256
"""With the one for missing values, so that a bin's number is one byte."""


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """Where a feature is cut: bin `b` holds `edges[b-1] < x <= edges[b]`.

    The first bin has no lower edge and the last but one no upper one; the last bin is for missing
    values (NaN) and is always there. Raises `BinsInvalid` for edges that are not finite, not
    strictly ascending or more than 254.
    """

    edges: NDArray[np.float64]
    """Strictly ascending and finite; none: one bin for all values."""

    def __post_init__(self) -> None:
        edges = np.array(self.edges, dtype=np.float64)
        if edges.ndim != 1 or edges.size > BINS_MAX - 2:
            raise BinsInvalid(f"edges of shape {edges.shape}: at most {BINS_MAX - 2} in a row")
        if not np.isfinite(edges).all() or not (np.diff(edges) > 0).all():
            raise BinsInvalid("edges must be finite and each greater than the one before")
        edges.setflags(write=False)
        object.__setattr__(self, "edges", edges)

    @property
    def count(self) -> int:
        """How many bins, with that of missing values."""
        return self.edges.size + 2

    @property
    def missing(self) -> int:
        """The number of the bin of missing values."""
        return self.edges.size + 1

    def index(self, values: NDArray[np.float64]) -> NDArray[np.uint8]:
        """The bin of each value, `(rows,)`; infinities fall into the outermost bins."""
        values = np.asarray(values, dtype=np.float64)
        # searchsorted counts the edges below a value; where it would put NaN is overwritten.
        found = np.searchsorted(self.edges, values, side="left").astype(np.uint8)
        found[np.isnan(values)] = self.missing
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bins) and np.array_equal(self.edges, other.edges)

    def __hash__(self) -> int:
        return hash(self.edges.tobytes())
