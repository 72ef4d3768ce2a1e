"""Bins by counting over a public grid: nobody says where its own rows lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from federation.bins import Bins, quantile_bins
from federation.horizontal.settings import Cutting, Field

_ROWS_COUNTED_MAX: Final = 1 << 20
"""Larger counts are scaled down before quantiles are taken of them."""
_CELLS_MAX: Final = 1 << 16


def first_grid(field: Field, cells: int) -> NDArray[np.float64]:
    """The inner edges of that many cells of equal width over the field's range."""
    places = np.arange(1, cells, dtype=np.float64)
    return field.low + (field.high - field.low) * (places / cells)


def count_cells(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many values lie in each cell (upper edge included); last, how many are missing."""
    there = values[~np.isnan(values)]
    counts = np.bincount(np.searchsorted(edges, there, side="left"), minlength=edges.size + 1)
    return np.append(counts, values.size - there.size).astype(np.int64)


def steadied(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts with noise as counts: the running sum never falls, so that noise evens out."""
    running = np.maximum.accumulate(np.maximum(np.cumsum(counts), 0))
    return np.diff(running, prepend=0)


def bins_of(field: Field, edges: NDArray[np.float64], counts: NDArray[np.int64], bins: int) -> Bins:
    """Bins of about equal counts whose edges are edges of cells; `counts` without the missing."""
    total = int(counts.sum())
    if total == 0:
        return Bins(np.empty(0))
    if total > _ROWS_COUNTED_MAX:
        counts = -(-counts * _ROWS_COUNTED_MAX // total)
    top = max(field.high, float(edges[-1])) if edges.size else field.high
    uppers = np.append(edges, np.nextafter(top, np.inf))
    return quantile_bins(np.repeat(uppers, counts), bins)


def refined(
    field: Field, edges: NDArray[np.float64], bins: Bins, parts: int
) -> NDArray[np.float64]:
    """The grid with each cell in which a bin ends cut into `parts`."""
    inner = [edges]
    bounds = np.concatenate(([field.low], edges, [field.high]))
    for edge in bins.edges.tolist():
        cell = int(np.searchsorted(edges, edge, side="left"))
        low, high = float(bounds[cell]), float(bounds[cell + 1])
        if low < high:
            inner.append(low + (high - low) * (np.arange(1, parts, dtype=np.float64) / parts))
    return np.unique(np.concatenate(inner))[:_CELLS_MAX]


def split_counts(
    values: NDArray[np.int64], grids: Sequence[NDArray[np.float64]]
) -> list[NDArray[np.int64]]:
    """A sum's vector as the counts of each field, the missing ones last."""
    ends = np.cumsum([grid.size + 2 for grid in grids])
    return [np.asarray(part) for part in np.split(values, ends[:-1])]


def grids_of(fields: Sequence[Field], cutting: Cutting) -> list[NDArray[np.float64]]:
    """The first grid of each field."""
    return [first_grid(field, cutting.cells) for field in fields]
