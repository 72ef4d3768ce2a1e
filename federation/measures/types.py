"""What measuring gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Label = NDArray[np.uint8]
"""One a row: 1 went bad, 0 did not."""
Score = NDArray[np.float64]
"""One a row, finite: the higher, the likelier to go bad (a margin or a probability)."""
Measure = Callable[[Label, Score], float]


class Estimate(NamedTuple):
    """A measure with what chance alone would move it by."""

    value: float
    error: float
    """Standard error: the standard deviation of the measure over resampled rows."""
    low: float
    high: float
    """The interval that holds the middle 95 % (or what was asked) of the resampled values."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Some rows next to each other by score, the riskiest first."""

    rows: float
    """Where rows with one score fall on both sides of an edge, each side has its part of them."""
    bads: float
    bad_rate: float
    lift: float
    """Bad rate of the slice over the bad rate of all rows."""
    gain: float
    """Share of all bads within this slice and those before it."""
    separation: float
    """Share of all bads less share of all goods, within this slice and those before it."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two scores of the same rows: areas under the curve, and whether they differ by chance."""

    auc_a: float
    auc_b: float
    difference: float
    """auc_b - auc_a."""
    error: float
    """Standard error of the difference."""
    low: float
    high: float
    """95 % interval of the difference."""
    z: float | None
    """difference / error; None where they differ and nothing of it is chance."""
    p: float
    """Two-sided: how likely a difference this large is where there is none."""


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Rows of like predicted probability."""

    rows: int
    predicted: float
    """Mean predicted probability of going bad."""
    observed: float
    """Share that did."""
    low: float
    high: float
    """95 % Wilson interval of the observed share."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Whether predicted probabilities are those that come true."""

    bins: tuple[CalibrationBin, ...]
    expected_error: float
    """Mean of |predicted - observed| over the bins, weighted by rows."""
    largest_error: float
    intercept: float
    slope: float
    """Of a logistic regression of the label on the predicted log-odds (Cox 1958): 0 and 1 are
    right; a slope below 1 means predictions that are too extreme."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How far one distribution has moved from another (population stability index)."""

    psi: float
    expected: float
    """What the index would be on average had nothing moved: (bins - 1)(1/n + 1/m)."""
    verdict: str
    """`stable` (below 0.1), `watch` (below 0.25) or `shifted`."""
    edges: tuple[float, ...]
    """Between the bins; a bin holds what is above its lower edge up to its upper one."""
    reference: tuple[float, ...]
    current: tuple[float, ...]
    """Share of rows in each bin; the last bin has the missing values."""


@dataclass(frozen=True, slots=True)
class Cutoff:
    """A threshold and what follows from it: approved are rows with score <= threshold."""

    threshold: float | None
    """None: nobody is approved."""
    approved: int
    approval_rate: float
    bad_rate: float | None
    """Share of the approved that went bad; None where nobody is approved or labels are unknown."""
    bads_refused: float | None
    """Share of all bads that are refused; None where labels are unknown or nobody went bad."""


@dataclass(frozen=True, slots=True)
class GroupFairness:
    """One group beside the others."""

    group: str
    rows: int
    bads: int
    approval_rate: float
    approval_low: float
    approval_high: float
    """95 % Wilson interval of the approval rate."""
    approval_ratio: float | None
    """Approval rate over the reference group's."""
    opportunity: float | None
    """Approval rate among those who did pay; None where nobody did."""
    opportunity_difference: float | None
    """Its difference from the reference group's (equal opportunity: 0)."""
    bad_rate_approved: float | None
    auc: float | None
    """None where all rows of the group have the same label."""
    auc_error: float | None


@dataclass(frozen=True, slots=True)
class Fairness:
    """Every group at one threshold."""

    threshold: float
    reference: str
    groups: tuple[GroupFairness, ...]
    approval_ratio_min: float | None
    opportunity_difference_max: float | None
    """The largest absolute difference."""
    auc_gap: float | None
    """The best group's AUC less the worst's."""
    warnings: tuple[str, ...]
