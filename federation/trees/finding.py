"""Candidates for a split, and what they gain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from federation.bins import Bins, quantile_bins
from federation.tables import Table
from federation.trees.types import TreeSettings

__all__ = ["Binned", "Totals", "best_of", "gains", "own_totals"]

Ints = NDArray[np.int64]
_GAIN_MIN = 1e-6
"""Less is rounding (as XGBoost has it)."""


@dataclass(frozen=True, slots=True, eq=False)
class Binned:
    """A party's features in bins, and all its candidates: feature, last bin on the left, and
    whether missing values go left. In their order ties are broken."""

    fields: tuple[str, ...]
    bins: tuple[Bins, ...]
    index: NDArray[np.uint8]
    """The bin of each row, `(features, rows)`."""
    feature: Ints
    last: Ints
    missing_left: NDArray[np.bool_]

    @classmethod
    def of(cls, table: Table, settings: TreeSettings) -> Binned:
        """Cut every field of a table."""
        bins = tuple(quantile_bins(table.columns[name], settings.bins) for name in table.fields)
        index = np.empty((len(bins), table.rows), dtype=np.uint8)
        found: list[tuple[int, int, bool]] = []
        for feature, (one, name) in enumerate(zip(bins, table.fields, strict=True)):
            index[feature] = one.index(table.columns[name])
            present = one.missing
            some_missing = bool((index[feature] == one.missing).any())
            found += [(feature, last, False) for last in range(present - 1)]
            if some_missing:
                found.append((feature, present - 1, False))
                found += [(feature, last, True) for last in range(present - 1)]
        columns = np.array(found, dtype=np.int64).reshape(-1, 3)
        return cls(
            table.fields, bins, index, columns[:, 0], columns[:, 1], columns[:, 2].astype(np.bool_)
        )

    @property
    def counts(self) -> tuple[int, ...]:
        """Bins of each feature."""
        return tuple(one.count for one in self.bins)

    @property
    def candidates(self) -> int:
        return int(self.feature.size)

    def left(self, candidate: int, rows: Ints) -> NDArray[np.bool_]:
        """Which of the rows the candidate sends left."""
        feature = int(self.feature[candidate])
        index = self.index[feature, rows]
        missing = index == self.bins[feature].missing
        side = index <= self.last[candidate]
        return np.asarray(np.where(missing, self.missing_left[candidate], side), dtype=np.bool_)

    def edge(self, candidate: int) -> float | None:
        """Values up to it go left; None: all that are not missing."""
        edges, last = self.bins[int(self.feature[candidate])].edges, int(self.last[candidate])
        return float(edges[last]) if last < edges.size else None


@dataclass(frozen=True, slots=True, eq=False)
class Totals:
    """Totals of gradients and hessians on the left of each candidate."""

    g: Ints
    h: Ints

    def __sub__(self, other: Totals) -> Totals:
        return Totals(self.g - other.g, self.h - other.h)


def own_totals(binned: Binned, rows: Ints, g: Ints, h: Ints) -> Totals:
    """Over `rows` of a party that knows `g` and `h`, one for each of those rows.

    Doubles hold every such total exactly (`Code.of` sees to it), in whatever order they are added.
    """
    if not binned.bins:
        return Totals(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    offsets = np.concatenate(([0], np.cumsum(binned.counts)))
    keys = (binned.index[:, rows] + offsets[:-1, None]).ravel()
    features, size = len(binned.bins), int(offsets[-1])
    return Totals(
        *(
            _of_candidates(
                binned, offsets, np.bincount(keys, np.tile(one, features), size).astype(np.int64)
            )
            for one in (g, h)
        )
    )


def _of_candidates(binned: Binned, offsets: Ints, bins: Ints) -> Ints:
    """From totals of bins (all features, one after the other) to those left of candidates."""
    up_to = np.concatenate(([0], np.cumsum(bins)))
    first = offsets[binned.feature]
    left = up_to[first + binned.last + 1] - up_to[first]
    missing = bins[offsets[binned.feature + 1] - 1]
    return np.asarray(np.where(binned.missing_left, left + missing, left), dtype=np.int64)


def gains(left: Totals, g: int, h: int, settings: TreeSettings) -> NDArray[np.float64]:
    """What each candidate gains in a node with totals `g` and `h`; minus infinity where a side
    would be too light or the gain too small (Chen and Guestrin, XGBoost, 2016, eq. 7, without the
    half, as the library reckons it)."""
    unit = 2.0**-settings.scale_bits
    least = max(settings.child_weight_min, unit)

    left_g, left_h = _real(left.g, unit), _real(left.h, unit)
    right_g, right_h = _real(g - left.g, unit), _real(h - left.h, unit)
    gain = (
        left_g * left_g / (left_h + settings.l2)
        + right_g * right_g / (right_h + settings.l2)
        - (g * unit) * (g * unit) / (h * unit + settings.l2)
    )
    good = (left_h >= least) & (right_h >= least) & (gain > max(settings.gamma, _GAIN_MIN))
    return np.where(good, gain, -np.inf)


def best_of(found: Sequence[NDArray[np.float64]]) -> tuple[int, Ints] | None:
    """The party with the greatest gain, the first of equals, and its candidates that have it."""
    most, party = -np.inf, -1
    for place, one in enumerate(found):
        if one.size and float(one.max()) > most:
            most, party = float(one.max()), place
    if party < 0:
        return None
    return party, np.flatnonzero(found[party] == most)


def _real(totals: Ints, unit: float) -> NDArray[np.float64]:
    return totals.astype(np.float64) * unit
