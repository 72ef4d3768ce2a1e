"""Thresholds, points and fairness: what is decided by a score."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.measures import (
    MeasureInvalid,
    Scaling,
    auc,
    cutoff_at,
    cutoff_table,
    fairness,
    threshold_for_approval_rate,
    threshold_for_bad_rate,
)

pytestmark = pytest.mark.feature("D7")

rows = st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=1, max_size=40)


@settings(max_examples=80)
@given(rows, st.floats(0, 1))
def test_a_threshold_for_an_approval_rate_is_the_highest_that_fits(
    given_rows: list[tuple[bool, int]], rate: float
) -> None:
    score = np.array([float(value) for _, value in given_rows])
    found = threshold_for_approval_rate(score, rate)
    fitting = [t for t in score.tolist() if (score <= t).mean() <= rate * (1 + 1e-12)]
    assert found.threshold == max(fitting, default=None)
    assert found.approved == (
        0 if found.threshold is None else int((score <= found.threshold).sum())
    )


@settings(max_examples=80)
@given(rows, st.floats(0, 1))
def test_a_threshold_for_a_bad_rate_is_the_highest_that_fits(
    given_rows: list[tuple[bool, int]], rate: float
) -> None:
    label = np.array([bad for bad, _ in given_rows], dtype=np.uint8)
    score = np.array([float(value) for _, value in given_rows])
    found = threshold_for_bad_rate(label, score, rate)
    fitting = [t for t in score.tolist() if label[score <= t].mean() <= rate * (1 + 1e-12)]
    assert found.threshold == max(fitting, default=None)
    if found.threshold is not None:
        assert found == cutoff_at(score, found.threshold, label)
        assert found.bad_rate == pytest.approx(label[score <= found.threshold].mean())


def test_a_table_of_cutoffs_goes_from_few_to_all() -> None:
    label = np.array([0] * 90 + [1] * 10, dtype=np.uint8)
    table = cutoff_table(label, np.arange(100.0), steps=10)
    assert [one.approved for one in table] == list(range(10, 101, 10))
    assert (table[8].bad_rate, table[8].bads_refused) == (0.0, 1.0)
    assert (table[9].bad_rate, table[9].bads_refused) == (0.1, 0.0)
    assert threshold_for_approval_rate(np.arange(10.0), 0.3).bad_rate is None  # no labels known


def test_rates_that_are_none_are_refused() -> None:
    score, label = np.zeros(2), np.array([0, 1])
    for rate in (-0.1, 1.1, float("nan")):
        with pytest.raises(MeasureInvalid):
            threshold_for_approval_rate(score, rate)
        with pytest.raises(MeasureInvalid):
            threshold_for_bad_rate(label, score, rate)
    with pytest.raises(MeasureInvalid):
        cutoff_table(label, score, steps=0)


def test_points_double_the_odds_as_the_scale_says() -> None:
    scale = Scaling(base_points=600, base_odds=50.0, points_to_double=20)
    margins = -np.log(np.array([50.0, 100.0, 25.0]))  # log-odds of bad
    assert scale.points(margins).tolist() == [600, 620, 580]
    assert scale.margin(600) == pytest.approx(-np.log(50.0))
    assert scale.points(np.array([99.0, -99.0])).tolist() == [300, 850]
    parts = scale.parts(np.array([[0.5, -1.0]]))
    assert scale.offset + parts.sum() == pytest.approx(scale.offset - scale.factor * -0.5)


@settings(max_examples=60)
@given(st.integers(300, 850))
def test_points_go_to_a_margin_and_back(points: int) -> None:
    scale = Scaling()
    assert scale.points(np.array([scale.margin(points)])).tolist() == [points]


def test_a_scale_that_is_none_is_refused() -> None:
    for make in (
        lambda: Scaling(base_odds=0.0),
        lambda: Scaling(base_odds=float("inf")),
        lambda: Scaling(points_to_double=0),
        lambda: Scaling(low=700),
        lambda: Scaling(high=500),
    ):
        with pytest.raises(MeasureInvalid):
            make()


def groups_of(*sizes: tuple[str, int, int, int, int]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Label, score (0 approved, 1 refused) and group of (name, payers approved, payers refused,
    bads approved, bads refused)."""
    label: list[int] = []
    score: list[float] = []
    names: list[str] = []
    for name, *counts in sizes:
        for bad, value, count in zip((0, 0, 1, 1), (0.0, 1.0, 0.0, 1.0), counts, strict=True):
            label += [bad] * count
            score += [value] * count
            names += [name] * count
    return np.array(label, dtype=np.uint8), np.array(score), names


def test_groups_are_held_against_the_largest() -> None:
    label, score, names = groups_of(("a", 400, 50, 10, 40), ("b", 100, 80, 5, 15))
    found = fairness(label, score, names, threshold=0.0)
    a, b = found.groups
    assert found.reference == "a"
    assert (a.rows, a.bads, a.approval_rate, a.approval_ratio) == (500, 50, 0.82, 1.0)
    assert b.approval_rate == 105 / 200
    assert b.approval_ratio == pytest.approx(0.525 / 0.82)
    assert b.opportunity == pytest.approx(100 / 180)
    assert b.opportunity_difference == pytest.approx(100 / 180 - 400 / 450)
    assert b.bad_rate_approved == pytest.approx(5 / 105)
    assert b.auc == auc(label[500:], score[500:])
    assert found.approval_ratio_min == b.approval_ratio
    assert found.opportunity_difference_max == pytest.approx(abs(b.opportunity_difference))
    assert found.auc_gap == pytest.approx(abs(a.auc - b.auc))
    assert len(found.warnings) == 2
    assert "four fifths" in found.warnings[0]
    assert "payers of group 'b'" in found.warnings[1]


def test_a_small_group_is_measured_warned_of_and_judges_nothing() -> None:
    label, score, names = groups_of(("a", 400, 50, 10, 40), ("tiny", 0, 9, 0, 1))
    found = fairness(label, score, names, threshold=0.0)
    assert found.groups[1].approval_rate == 0.0
    assert found.groups[1].bad_rate_approved is None
    assert found.approval_ratio_min == 1.0
    assert len(found.warnings) == 1
    assert "10 rows" in found.warnings[0]


def test_groups_of_one_label_or_that_nobody_is_approved_in_have_no_such_figure() -> None:
    label, score, names = groups_of(("a", 0, 100, 0, 0), ("b", 100, 0, 0, 0))
    found = fairness(label, score, names, threshold=0.0, reference="a")
    assert [g.auc for g in found.groups] == [None, None]
    assert [g.approval_ratio for g in found.groups] == [None, None]
    assert found.approval_ratio_min is None
    assert found.auc_gap is None


def test_what_does_not_fit_is_refused() -> None:
    label, score = np.array([0, 1]), np.array([0.0, 1.0])
    with pytest.raises(MeasureInvalid, match="reference"):
        fairness(label, score, ["a", "b"], threshold=0.0, reference="c")
    with pytest.raises(MeasureInvalid, match="group names"):
        fairness(label, score, ["a"], threshold=0.0)
    with pytest.raises(MeasureInvalid, match="groups"):
        fairness(np.arange(101) % 2, np.zeros(101), [str(n) for n in range(101)], threshold=0.0)
