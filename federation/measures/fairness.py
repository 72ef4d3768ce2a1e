"""Whether groups of people or firms fare alike under a score and a threshold.

The ratio of approval rates is judged by the four-fifths rule (29 CFR 1607.4 D); the difference of
approval rates among those who did pay is *equal opportunity* (Hardt, Price and Srebro, 2016).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from federation.measures.checking import require_pair
from federation.measures.delong import auc_with_error
from federation.measures.errors import MeasureInvalid, MeasureUndefined
from federation.measures.probability import wilson
from federation.measures.ranking import auc
from federation.measures.types import Fairness, GroupFairness, Label, Score

GROUPS_MAX = 100
ROWS_MIN_DEFAULT = 100
"""Groups below this many rows are reported with a warning and judge nothing."""
FOUR_FIFTHS = 0.8
OPPORTUNITY_DIFFERENCE = 0.1
"""From here on a difference of approval among payers is warned of."""


def fairness(
    label: Label,
    score: Score,
    groups: Sequence[str],
    *,
    threshold: float,
    reference: str | None = None,
    rows_min: int = ROWS_MIN_DEFAULT,
) -> Fairness:
    """Each group's approval (score <= threshold), opportunity and AUC beside the reference's.

    `reference`: the group that others are held against; where none is named, the largest. Groups
    smaller than `rows_min` are measured but do not count in the summary.

    Raises `MeasureInvalid` for arrays that do not fit, an unknown reference or too many groups.
    """
    bad, values = require_pair(label, score)
    names, places = _groups(groups, values.size)
    approved = values <= threshold
    counts = np.bincount(places)
    at = int(np.argmax(counts)) if reference is None else _find(names, reference)
    base = approved[places == at].mean()
    base_payers = _payers_approved(bad, approved, places == at)
    found = tuple(
        _measure(name, bad, values, approved, places == place, float(base), base_payers)
        for place, name in enumerate(names)
    )
    judged = [group for group in found if group.rows >= rows_min]
    return Fairness(
        threshold=threshold,
        reference=names[at],
        groups=found,
        approval_ratio_min=min(_known(g.approval_ratio for g in judged), default=None),
        opportunity_difference_max=max(
            (abs(d) for d in _known(g.opportunity_difference for g in judged)), default=None
        ),
        auc_gap=_gap(_known(g.auc for g in judged)),
        warnings=tuple(w for g in found for w in _warnings(g, names[at], rows_min)),
    )


def _groups(groups: Sequence[str], rows: int) -> tuple[list[str], NDArray[np.int64]]:
    if len(groups) != rows:
        raise MeasureInvalid(f"{len(groups)} group names for {rows} rows")
    names = sorted(set(groups))
    if len(names) > GROUPS_MAX:
        raise MeasureInvalid(f"{len(names)} groups, at most {GROUPS_MAX} can be held together")
    place = {name: number for number, name in enumerate(names)}
    return names, np.array([place[name] for name in groups], dtype=np.int64)


def _find(names: list[str], reference: str) -> int:
    if reference not in names:
        raise MeasureInvalid(f"no row is of the reference group {reference!r}")
    return names.index(reference)


def _payers_approved(
    bad: NDArray[np.bool_], approved: NDArray[np.bool_], inside: NDArray[np.bool_]
) -> float | None:
    payers = inside & ~bad
    return float(approved[payers].mean()) if payers.any() else None


def _measure(
    name: str,
    bad: NDArray[np.bool_],
    values: Score,
    approved: NDArray[np.bool_],
    inside: NDArray[np.bool_],
    base: float,
    base_payers: float | None,
) -> GroupFairness:
    rows, count = int(inside.sum()), int(approved[inside].sum())
    rate = count / rows
    low, high = wilson(count, rows)
    payers = _payers_approved(bad, approved, inside)
    difference = None
    if payers is not None and base_payers is not None:
        difference = payers - base_payers
    area, error = _area(bad[inside], values[inside])
    return GroupFairness(
        group=name,
        rows=rows,
        bads=int(bad[inside].sum()),
        approval_rate=rate,
        approval_low=low,
        approval_high=high,
        approval_ratio=rate / base if base > 0 else None,
        opportunity=payers,
        opportunity_difference=difference,
        bad_rate_approved=float(bad[inside & approved].mean()) if count else None,
        auc=area,
        auc_error=error,
    )


def _area(bad: NDArray[np.bool_], values: Score) -> tuple[float | None, float | None]:
    label = bad.astype(np.uint8)
    try:
        area = auc(label, values)
    except MeasureUndefined:
        return None, None
    try:
        return area, auc_with_error(label, values).error
    except MeasureUndefined:
        return area, None


def _warnings(group: GroupFairness, reference: str, rows_min: int) -> list[str]:
    if group.rows < rows_min:
        return [
            f"group {group.group!r} has {group.rows} rows, fewer than {rows_min}: "
            "its figures are mostly chance and judge nothing"
        ]
    found: list[str] = []
    if group.approval_ratio is not None and group.approval_ratio < FOUR_FIFTHS:
        found.append(
            f"group {group.group!r} is approved {group.approval_ratio:.2f} times as often as "
            f"{reference!r}, below four fifths"
        )
    difference = group.opportunity_difference
    if difference is not None and difference < -OPPORTUNITY_DIFFERENCE:
        found.append(
            f"payers of group {group.group!r} are approved {-difference:.2f} less often than "
            f"those of {reference!r}"
        )
    if group.auc is None:
        found.append(f"group {group.group!r} has rows of one label only: it has no AUC")
    return found


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _gap(areas: list[float]) -> float | None:
    return max(areas) - min(areas) if areas else None
