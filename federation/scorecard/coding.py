"""A feature as groups of bins, each with its weight of evidence: what a scorecard knows of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from federation.bins import Bins, quantile_bins
from federation.tables import Table

EVIDENCE_BITS: Final = 12
"""Weights of evidence are whole numbers of 2**-12."""
EVIDENCE_MAX: Final = 8 << EVIDENCE_BITS
"""No bin speaks louder than odds of 3,000 to 1."""
WEIGHT_BITS: Final = 20
"""Weights are whole numbers of 2**-20."""
MARGIN_BITS: Final = EVIDENCE_BITS + WEIGHT_BITS
WEIGHT_MAX: Final = 1 << (WEIGHT_BITS + 10)


@dataclass(frozen=True, slots=True)
class Coding:
    """How one feature's values become groups. The last group is for what was too seldom to learn
    from: its evidence is zero."""

    field: str
    bins: Bins
    groups: tuple[int, ...]
    """Of each bin."""
    count: int
    """Groups, without the last."""

    def index(self, values: NDArray[np.float64]) -> NDArray[np.uint8]:
        """The group of each value."""
        return np.asarray(self.groups, dtype=np.uint8)[self.bins.index(values)]


def codings_of(table: Table, bins: int, rows_min: int) -> tuple[Coding, ...]:
    """How a party codes its own features, none of whose groups has fewer rows than `rows_min`."""
    return tuple(_coding(field, column, bins, rows_min) for field, column in table.columns.items())


def coded(codings: Sequence[Coding], table: Table) -> NDArray[np.uint8]:
    """Groups of all rows: (features, rows). Raises `FieldUnknown` of `federation.tables`."""
    groups = np.empty((len(codings), table.rows), dtype=np.uint8)
    for place, coding in enumerate(codings):
        groups[place] = coding.index(table.column(coding.field))
    return groups


def counted(codings: Sequence[Coding], groups: NDArray[np.uint8]) -> list[list[int]]:
    """Rows of each group of each feature, the last group too."""
    return [
        np.bincount(row, minlength=coding.count + 1).tolist()
        for coding, row in zip(codings, groups, strict=True)
    ]


def _coding(field: str, column: NDArray[np.float64], bins: int, rows_min: int) -> Coding:
    cut = quantile_bins(column, bins)
    rows = np.bincount(cut.index(column), minlength=cut.count).tolist()
    groups, filled = [], 0
    group = 0
    for number in rows[:-1]:  # the last bin is that of missing values
        groups.append(group)
        filled += number
        if filled >= rows_min:
            group, filled = group + 1, 0
    if filled and group:  # too few are left over: they go with their neighbours
        groups = [min(one, group - 1) for one in groups]
    elif filled:
        group = 1
    count = max(group, 1)
    groups = [min(one, count - 1) for one in groups]
    if rows[-1] >= rows_min:
        return Coding(field, cut, (*groups, count), count + 1)
    return Coding(field, cut, (*groups, count), count)
