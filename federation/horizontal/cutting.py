"""Bins by counting over a public grid: nobody says where its own rows lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from federation.bins import Bins
from federation.horizontal.settings import Cutting, Field

_CELLS_MAX: Final = 1 << 16


def first_grid(field: Field, cells: int) -> NDArray[np.float64]:
    """The inner edges of that many cells of equal width over the range; of codes one each."""
    if field.codes:
        return np.array(field.codes[:-1], dtype=np.float64)
    places = np.arange(1, cells, dtype=np.float64)
    return field.low + (field.high - field.low) * (places / cells)


def count_cells(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many values lie in each cell (upper edge included); last, how many are missing."""
    there = values[~np.isnan(values)]
    counts = np.bincount(np.searchsorted(edges, there, side="left"), minlength=edges.size + 1)
    return np.append(counts, values.size - there.size).astype(np.int64)


def bins_of(edges: NDArray[np.float64], counts: NDArray[np.int64], bins: int) -> Bins:
    """Bins that end where the running sum of the cells' counts reaches each quantile.

    `counts` is without the missing ones. A cell that holds several quantiles ends one bin only.
    Counts may have noise: it evens out in the running sum, which is not let fall, and what is
    little more than noise has no bin to itself.
    """
    running = np.maximum.accumulate(np.maximum(np.cumsum(counts), 0))
    wanted = [max(1, -(-int(running[-1]) * part // bins)) for part in range(1, bins)]
    cells = np.unique(np.searchsorted(running, wanted, side="left"))
    return Bins(edges[cells[cells < edges.size]])


def refined(
    field: Field, edges: NDArray[np.float64], bins: Bins, parts: int
) -> NDArray[np.float64]:
    """The grid with each cell in which a bin ends cut into `parts`; codes need no finer one."""
    if field.codes:
        return edges
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
