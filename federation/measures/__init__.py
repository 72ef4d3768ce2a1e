"""How good a score is, by how much that is chance, whether it has moved, and for whom.

A label is 1 for a row that went bad; a score is the higher the likelier that is.
"""

from federation.measures.delong import auc_with_error, delong
from federation.measures.drift import psi, psi_of_counts
from federation.measures.errors import MeasureInvalid, MeasuresError, MeasureUndefined
from federation.measures.evaluation import Evaluation, evaluate
from federation.measures.fairness import fairness
from federation.measures.points import Scaling
from federation.measures.probability import brier, calibration, log_loss, probabilities, wilson
from federation.measures.ranking import auc, gini, ks, lift_table
from federation.measures.resampling import bootstrap, bootstrap_difference
from federation.measures.thresholds import (
    cutoff_at,
    cutoff_table,
    threshold_for_approval_rate,
    threshold_for_bad_rate,
)
from federation.measures.types import (
    Calibration,
    CalibrationBin,
    Comparison,
    Cutoff,
    Drift,
    Estimate,
    Fairness,
    GroupFairness,
    Label,
    Measure,
    Score,
    Slice,
)

__all__ = [
    "Calibration",
    "CalibrationBin",
    "Comparison",
    "Cutoff",
    "Drift",
    "Estimate",
    "Evaluation",
    "Fairness",
    "GroupFairness",
    "Label",
    "Measure",
    "MeasureInvalid",
    "MeasureUndefined",
    "MeasuresError",
    "Scaling",
    "Score",
    "Slice",
    "auc",
    "auc_with_error",
    "bootstrap",
    "bootstrap_difference",
    "brier",
    "calibration",
    "cutoff_at",
    "cutoff_table",
    "delong",
    "evaluate",
    "fairness",
    "gini",
    "ks",
    "lift_table",
    "log_loss",
    "probabilities",
    "psi",
    "psi_of_counts",
    "threshold_for_approval_rate",
    "threshold_for_bad_rate",
    "wilson",
]
