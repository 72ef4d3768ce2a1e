"""How well a score ranks: area under the ROC curve, Kolmogorov-Smirnov, lift.

Ties count as they should: a bad and a good row with one score are half in order (the
Mann-Whitney statistic; Hanley and McNeil, Radiology 143, 1982). Counts are whole numbers until
the last division, so that the same rows give the same bits on every machine and in any order.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from federation.measures.checking import require_both_classes, require_pair
from federation.measures.errors import MeasureInvalid
from federation.measures.types import Label, Score, Slice

SLICES_MAX = 1_000


def auc(label: Label, score: Score) -> float:
    """Area under the ROC curve: how often a bad row scores above a good one, ties half.

    Raises `MeasureUndefined` where all rows have the same label.
    """
    bads, goods = class_counts(label, score)
    return float(area(bads, goods))


def gini(label: Label, score: Score) -> float:
    """2 AUC - 1, the accuracy ratio."""
    return 2.0 * auc(label, score) - 1.0


def ks(label: Label, score: Score) -> float:
    """Largest distance between the distributions of the score among bads and among goods.

    Raises `MeasureUndefined` where all rows have the same label.
    """
    bads, goods = class_counts(label, score)
    return float(distance(bads, goods))


def lift_table(label: Label, score: Score, *, slices: int = 10) -> tuple[Slice, ...]:
    """Slices of (nearly) equal size, the riskiest first: bad rate, lift, gain.

    Raises `MeasureInvalid` for more slices than rows, `MeasureUndefined` as `auc` does.
    """
    bads, goods = class_counts(label, score)
    rows_of_score = (bads + goods)[::-1]
    rows = int(rows_of_score.sum())
    if not 1 <= slices <= min(rows, SLICES_MAX):
        raise MeasureInvalid(f"{slices} slices of {rows} rows; 1 to {SLICES_MAX} can be cut")
    edges = np.linspace(0.0, rows, slices + 1)
    # Between two scores bads come evenly: then the order of rows with one score does not matter.
    at = np.concatenate(([0], np.cumsum(rows_of_score)))
    bads_up_to = np.interp(edges, at, np.concatenate(([0], np.cumsum(bads[::-1]))))
    return _slices(edges, bads_up_to)


def _slices(edges: NDArray[np.float64], bads_up_to: NDArray[np.float64]) -> tuple[Slice, ...]:
    rows, bads = float(edges[-1]), float(bads_up_to[-1])
    found: list[Slice] = []
    for place in range(1, edges.size):
        size = float(edges[place] - edges[place - 1])
        within = float(bads_up_to[place] - bads_up_to[place - 1])
        gain = float(bads_up_to[place]) / bads
        goods_share = float(edges[place] - bads_up_to[place]) / (rows - bads)
        rate = within / size
        found.append(Slice(size, within, rate, rate * rows / bads, gain, gain - goods_share))
    return tuple(found)


def class_counts(label: Label, score: Score) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Bads and goods at each distinct score, ascending. Requires rows of both kinds."""
    bad, values = require_pair(label, score)
    require_both_classes(bad)
    places = score_places(values)
    bads = np.bincount(places[bad], minlength=int(places.max()) + 1)
    return bads, np.bincount(places) - bads


def score_places(values: Score) -> NDArray[np.int64]:
    """For each row the place of its score among the distinct ones, from 0."""
    return np.unique(values, return_inverse=True)[1].astype(np.int64, copy=False)


def area(bads: NDArray[np.int64], goods: NDArray[np.int64]) -> NDArray[np.float64]:
    """AUC of counts by distinct score along the last axis; NaN where a kind is missing."""
    goods_below = np.cumsum(goods, axis=-1) - goods
    twice = np.sum(bads * (2 * goods_below + goods), axis=-1)
    pairs = 2 * bads.sum(axis=-1) * goods.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.true_divide(twice, pairs))


def distance(bads: NDArray[np.int64], goods: NDArray[np.int64]) -> NDArray[np.float64]:
    """KS of counts by distinct score along the last axis; NaN where a kind is missing."""
    bads_all, goods_all = bads.sum(axis=-1), goods.sum(axis=-1)
    apart = np.abs(
        np.cumsum(bads, axis=-1) * goods_all[..., None]
        - np.cumsum(goods, axis=-1) * bads_all[..., None]
    ).max(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.true_divide(apart, bads_all * goods_all))
