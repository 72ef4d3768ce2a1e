"""A bank's own rows, as an algorithm needs them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from federation.horizontal.cutting import count_cells, grids_of, refined
from federation.horizontal.documents import Knowledge
from federation.horizontal.errors import DocumentInvalid, TableRefused
from federation.horizontal.settings import ROWS_MAX, Common
from federation.horizontal.shapes import Shape
from federation.tables import Table

CELLS = "cells"
FINER = "finer"
WOE = "woe"


class Rows:
    """Rows of one bank with their label, checked, and cut into the bins that are known."""

    def __init__(self, settings: Common, table: Table, label: NDArray[np.uint8]) -> None:
        """Raises `TableRefused`."""
        missing = [name for name in settings.names if name not in table.fields]
        if missing:
            raise TableRefused(f"the table has no field {', '.join(missing[:5])}")
        if not 0 < table.rows <= ROWS_MAX:
            raise TableRefused(f"{table.rows} rows; 1 to {ROWS_MAX} can be trained with")
        if label.shape != (table.rows,) or not np.isin(label, (0, 1)).all():
            raise TableRefused("the label is not 0 or 1 for each row")
        self.settings = settings
        self.table = table.select(settings.names)
        self.label = label.astype(np.float64)
        self._edges: list[list[float]] = []
        self._index: list[NDArray[np.uint8]] = []

    def index(self, known: Knowledge) -> list[NDArray[np.uint8]]:
        """The bin of each row, by field; found anew only where the edges are others."""
        if known.edges != self._edges or not self._index:
            columns = (self.table.column(name) for name in self.settings.names)
            bins = known.bins
            self._index = [one.index(column) for one, column in zip(bins, columns, strict=True)]
            self._edges = known.edges
        return self._index

    def evidence(self, known: Knowledge) -> NDArray[np.float64]:
        """The weight of evidence of each row in each field, `(rows, fields)`."""
        columns = [
            np.array(woe)[index] for woe, index in zip(known.woe, self.index(known), strict=True)
        ]
        return np.column_stack(columns)

    def counts(self, ask: str, known: Knowledge) -> NDArray[np.int64]:
        """Rows in each cell of the grid of that ask, field after field."""
        grids = grids_for(self.settings, ask, known)
        parts = [
            count_cells(self.table.column(name), grid)
            for name, grid in zip(self.settings.names, grids, strict=True)
        ]
        return np.concatenate(parts)

    def classes(self, known: Knowledge) -> NDArray[np.int64]:
        """Bads in each bin, field after field, then goods likewise."""
        bads, goods = [], []
        for bins, index in zip(known.bins, self.index(known), strict=True):
            all_of = np.bincount(index, minlength=bins.count)
            bad = np.bincount(index, weights=self.label, minlength=bins.count)
            bads.append(np.rint(bad).astype(np.int64))
            goods.append(all_of - bads[-1])
        return np.concatenate([*bads, *goods]).astype(np.int64)


def grids_for(settings: Common, ask: str, known: Knowledge) -> list[NDArray[np.float64]]:
    """The grid of each field in the first count, or in the finer one."""
    grids = grids_of(settings.fields, settings.cutting)
    if ask == CELLS:
        return grids
    require_edges(settings, known)
    return [
        refined(field, grid, bins, settings.cutting.parts)
        for field, grid, bins in zip(settings.fields, grids, known.bins, strict=True)
    ]


def counts_shape(settings: Common, ask: str, known: Knowledge, share: float) -> Shape:
    """Of `Rows.counts`: a row adds one to one cell of each field."""
    length = sum(grid.size + 2 for grid in grids_for(settings, ask, known))
    return Shape(length, ROWS_MAX, _root(len(settings.fields)), share)


def classes_shape(settings: Common, known: Knowledge, share: float) -> Shape:
    """Of `Rows.classes`: a row adds one to one bin of each field."""
    require_edges(settings, known)
    length = 2 * sum(bins.count for bins in known.bins)
    return Shape(length, ROWS_MAX, _root(len(settings.fields)), share)


def require_edges(settings: Common, known: Knowledge) -> None:
    """Raise `DocumentInvalid` unless every field has bins."""
    if len(known.edges) != len(settings.fields):
        raise DocumentInvalid("what is known has no bins for each field")


def require_woe(settings: Common, known: Knowledge) -> None:
    """Raise `DocumentInvalid` unless every field has weights of evidence."""
    require_edges(settings, known)
    if len(known.woe) != len(settings.fields):
        raise DocumentInvalid("what is known has no weight of evidence for each field")


def _root(count: int) -> int:
    """The square root, rounded up."""
    return int(np.ceil(np.sqrt(count)))
