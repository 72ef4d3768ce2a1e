"""Log loss, Brier score, calibration, held against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sklearn_log_loss

from federation.measures import (
    MeasureInvalid,
    brier,
    calibration,
    evaluate,
    log_loss,
    probabilities,
    wilson,
)
from ledger.canonical import canonical_json

pytestmark = pytest.mark.feature("D5")


def drawn(rows: int = 1_000, slope: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn with the probability sigmoid(margin), and slope * margin."""
    generator = np.random.Generator(np.random.PCG64(1))
    margin = generator.normal(size=rows) * 1.5 - 1
    label = (generator.random(rows) < probabilities(margin)).astype(np.uint8)
    return label, slope * margin


def test_losses_are_those_of_scikit_learn() -> None:
    label, margin = drawn()
    probability = probabilities(margin)
    assert log_loss(label, probability) == pytest.approx(sklearn_log_loss(label, probability))
    assert brier(label, probability) == pytest.approx(brier_score_loss(label, probability))


def test_a_certainty_that_was_wrong_costs_much_and_stays_finite() -> None:
    label = np.array([1, 0], dtype=np.uint8)
    assert log_loss(label, np.array([0.0, 1.0])) == pytest.approx(36.04, abs=0.01)
    assert log_loss(label, np.array([1.0, 0.0])) == pytest.approx(0.0, abs=1e-12)
    assert brier(label, np.array([0.0, 1.0])) == 1.0


def test_margins_are_no_probabilities() -> None:
    for measure in (log_loss, brier, calibration):
        with pytest.raises(MeasureInvalid, match="probability"):
            measure(np.array([0, 1]), np.array([-0.1, 2.0]))


@settings(max_examples=40)
@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=20))
def test_probabilities_rise_with_the_margin_and_mirror_at_zero(margins: list[float]) -> None:
    values = np.sort(np.array(margins))
    found = probabilities(values)
    assert (np.diff(found) >= 0).all()
    assert found + probabilities(-values) == pytest.approx(np.ones(values.size), abs=1e-15)


@settings(max_examples=60)
@given(st.integers(1, 2_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_wilson_interval_holds_its_share_and_mirrors(pair: tuple[int, int]) -> None:
    hits, rows = pair
    low, high = wilson(hits, rows)
    assert 0.0 <= low <= hits / rows <= high <= 1.0
    assert wilson(rows - hits, rows) == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_wilson_of_one_in_ten() -> None:
    # Wilson's formula by hand: (0.1 + z²/20 ± z·sqrt(0.009 + z²/400)) / (1 + z²/10)
    assert wilson(1, 10) == pytest.approx((0.01787621, 0.40415003), abs=1e-7)


def test_true_probabilities_are_calibrated_and_exaggerated_ones_are_not() -> None:
    label, margin = drawn(20_000)
    good = calibration(label, probabilities(margin))
    assert good.expected_error < 0.012
    assert (good.intercept, good.slope) == pytest.approx((0.0, 1.0), abs=0.05)
    inside = sum(one.low <= one.predicted <= one.high for one in good.bins)
    assert inside >= 8
    assert sum(one.rows for one in good.bins) == 20_000
    bad = calibration(label, probabilities(3 * margin))
    assert bad.slope == pytest.approx(1 / 3, abs=0.02)
    assert bad.expected_error > 0.05


def test_the_recalibration_is_scikit_learns_logistic_regression() -> None:
    label, margin = drawn(800, 2.0)
    found = calibration(label, probabilities(margin))
    fit = LogisticRegression(C=1e10, tol=1e-10).fit(margin[:, None], label)
    assert found.slope == pytest.approx(float(fit.coef_[0, 0]), rel=1e-4)
    assert found.intercept == pytest.approx(float(fit.intercept_[0]), abs=1e-4)


def test_one_prediction_for_all_is_one_bin_off_by_its_distance() -> None:
    label = np.array([0, 0, 0, 1], dtype=np.uint8)
    found = calibration(label, np.full(4, 0.5))
    assert len(found.bins) == 1
    assert found.largest_error == 0.25
    assert found.intercept == pytest.approx(math.log(1 / 3))


def test_a_score_that_separates_the_labels_has_a_large_slope_and_no_error() -> None:
    label = np.array([0] * 20 + [1] * 20, dtype=np.uint8)
    found = calibration(label, np.linspace(0.3, 0.7, 40))
    assert math.isfinite(found.slope)
    assert found.slope > 10


def test_an_evaluation_goes_into_canonical_json_and_comes_again() -> None:
    label, margin = drawn(300)
    first = evaluate(label, margin, seed=3, times=50)
    assert canonical_json(first.document()) == canonical_json(
        evaluate(label, margin, seed=3, times=50).document()
    )
    assert first.bads == label.sum()
    assert first.auc.low < first.auc.value < first.auc.high
