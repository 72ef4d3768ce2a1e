"""What all algorithms begin with: common bins, and weight of evidence in them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from federation.horizontal.cutting import bins_of, split_counts
from federation.horizontal.documents import Knowledge
from federation.horizontal.errors import TrainingEnded
from federation.horizontal.protocol import Rounds
from federation.horizontal.rows import CELLS, FINER, WOE, grids_for
from federation.horizontal.settings import SCORE_MAX, Common


def find_bins(rounds: Rounds, settings: Common, known: Knowledge, *, noisy: bool) -> Knowledge:
    """Bins from one or two counts over grids; what is known already is not asked again."""
    asks = [CELLS] if noisy or settings.cutting.parts == 1 else [CELLS, FINER]
    done = {0: 0, 1: 1}.get(known.step, 2)
    for ask in asks[done:]:
        grids = grids_for(settings, ask, known)
        total = rounds.ask(ask, known)
        edges = []
        parts = split_counts(total.values, grids)
        for grid, counts in zip(grids, parts, strict=True):
            edges.append(bins_of(grid, counts[:-1], settings.cutting.bins).edges.tolist())
        known = known.model_copy(update={"edges": edges, "step": asks.index(ask) + 1})
        if ask == asks[-1]:
            known = known.model_copy(update={"step": 2})
        rounds.learnt(known)
    return known


def find_woe(
    rounds: Rounds, settings: Common, known: Knowledge, *, smoothing: float
) -> tuple[Knowledge, NDArray[np.int64]]:
    """Weights of evidence, `ln(share of the goods / share of the bads)`; and the counts of both.

    To each bin are added `smoothing` rows of the average kind, and under noise half as many as a
    count is off by on average.
    """
    total = rounds.ask(WOE, known)
    half = total.values.size // 2
    sizes = np.cumsum([bins.count for bins in known.bins])[:-1]
    bads, goods = np.split(total.values[:half], sizes), np.split(total.values[half:], sizes)
    # Each field counts all rows once more: with noise their mean is nearer to the truth.
    fields = len(settings.fields)
    halves = (total.values[:half], total.values[half:])
    bad, good = (max(1.0, float(part.sum()) / fields) for part in halves)
    if bad <= 1.0 or good <= 1.0:
        raise TrainingEnded("there are no bads, or no goods, among all rows")
    prior = bad / (bad + good)
    deviation = rounds.deviation(WOE, known)
    added = smoothing + deviation / 2
    tables = []
    for one, other in zip(bads, goods, strict=True):
        table = [
            math.log((max(float(g), 0.0) + added * (1 - prior)) / good)
            - math.log((max(float(b), 0.0) + added * prior) / bad)
            for b, g in zip(one.tolist(), other.tolist(), strict=True)
        ]
        rows = [max(float(b + g), 0.0) for b, g in zip(one.tolist(), other.tolist(), strict=True)]
        # Rows of no weight on the whole: the intercept then stands for the average row.
        # Of a bin with hardly more rows than noise nothing is known.
        table = [w if n >= 4 * deviation else 0.0 for w, n in zip(table, rows, strict=True)]
        weighed = math.fsum(w * n for w, n in zip(table, rows, strict=True))
        mean = weighed / max(math.fsum(rows), 1.0)
        tables.append(
            [
                min(max(one - mean, -SCORE_MAX), SCORE_MAX) if n >= 4 * deviation else 0.0
                for one, n in zip(table, rows, strict=True)
            ]
        )
    return known.model_copy(update={"woe": tables, "prior": prior}), total.values
