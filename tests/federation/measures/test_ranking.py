"""AUC, KS and lift, held against scikit-learn and against their laws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score, roc_curve

from federation.measures import MeasureInvalid, MeasureUndefined, auc, gini, ks, lift_table
from tests.federation.credit import load_credit

pytestmark = pytest.mark.feature("D5")

Pair = tuple[NDArray[np.uint8], NDArray[np.float64]]


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """Labels of both kinds, and scores with many ties."""
    rows = draw(st.lists(st.tuples(st.booleans(), st.integers(-5, 5)), min_size=2, max_size=60))
    label = np.array([bad for bad, _ in rows], dtype=np.uint8)
    label[0], label[1] = 0, 1
    return label, np.array([score / 4 for _, score in rows])


@settings(max_examples=40)
@given(pairs())
def test_auc_and_ks_are_those_of_scikit_learn_ties_and_all(pair: Pair) -> None:
    label, score = pair
    assert auc(label, score) == pytest.approx(roc_auc_score(label, score), abs=1e-12)
    false, true, _ = roc_curve(label, score, drop_intermediate=False)
    assert ks(label, score) == pytest.approx(np.abs(true - false).max(), abs=1e-12)


@settings(max_examples=40)
@given(pairs())
def test_auc_is_how_often_a_bad_row_scores_above_a_good_one(pair: Pair) -> None:
    label, score = pair
    bad, good = score[label == 1][:, None], score[label == 0][None, :]
    wins = (bad > good).sum() + (bad == good).sum() / 2
    assert auc(label, score) == wins / (bad.size * good.size)


@settings(max_examples=40)
@given(pairs(), st.randoms(use_true_random=False))
def test_neither_the_order_of_rows_nor_a_rising_change_of_scale_matters(
    pair: Pair, random: object
) -> None:
    label, score = pair
    order = np.argsort([random.random() for _ in score])  # type: ignore[attr-defined]
    for measure in (auc, ks):
        assert measure(label[order], np.exp(score[order])) == measure(label, score)
    slices = min(4, score.size)
    assert lift_table(label[order], score[order], slices=slices) == lift_table(
        label, score, slices=slices
    )


@settings(max_examples=40)
@given(pairs())
def test_turning_the_score_or_the_label_round_turns_the_auc_round(pair: Pair) -> None:
    label, score = pair
    assert auc(label, -score) == pytest.approx(1 - auc(label, score), abs=1e-12)
    assert auc((1 - label).astype(np.uint8), score) == pytest.approx(
        1 - auc(label, score), abs=1e-12
    )
    assert gini(label, score) == 2 * auc(label, score) - 1


@settings(max_examples=40)
@given(pairs())
def test_lift_adds_up(pair: Pair) -> None:
    label, score = pair
    table = lift_table(label, score, slices=min(7, label.size))
    assert sum(one.rows for one in table) == pytest.approx(label.size)
    assert sum(one.bads for one in table) == pytest.approx(label.sum())
    assert table[-1].gain == pytest.approx(1.0)
    assert table[-1].separation == pytest.approx(0.0, abs=1e-12)
    assert sum(one.lift * one.rows for one in table) == pytest.approx(label.size)
    assert max(abs(one.separation) for one in table) <= ks(label, score) + 1e-12


def test_lift_of_a_perfect_score_and_of_none() -> None:
    label = np.array([1] * 10 + [0] * 90, dtype=np.uint8)
    best = lift_table(label, -np.arange(100.0))
    assert [one.gain for one in best] == [1.0] * 10
    assert best[0].lift == pytest.approx(10.0)
    nothing = lift_table(label, np.zeros(100))
    assert [one.lift for one in nothing] == pytest.approx([1.0] * 10)


def test_a_million_rows_are_measured_exactly() -> None:
    label = np.tile(np.array([0, 1], dtype=np.uint8), 500_000)
    score = np.repeat(np.arange(500_000.0), 2)
    assert auc(label, score) == 0.5
    assert auc(label, score + 0.25 * label) == 0.500001  # 500,000 ties of 2.5e11 pairs are won


def test_on_the_public_data_it_is_scikit_learns(shared_data: Path) -> None:
    credit = load_credit(shared_data)
    label, score = credit.label[credit.test], credit.host.column("x0")[credit.test]
    assert auc(label, score) == pytest.approx(roc_auc_score(label, score), abs=1e-14)


@pytest.mark.parametrize("label", [[0, 0], [1, 1]])
def test_rows_of_one_kind_have_no_auc(label: list[int]) -> None:
    for measure in (auc, ks, lift_table):
        with pytest.raises(MeasureUndefined, match="both kinds"):
            measure(np.array(label, dtype=np.uint8), np.array([1.0, 2.0]))


@pytest.mark.parametrize(
    ("label", "score", "reason"),
    [
        ([0, 1], [1.0], "labels for"),
        ([0, 2], [1.0, 2.0], "0 or 1"),
        ([0, 1], [1.0, float("nan")], "missing"),
        ([0, 1], [1.0, float("inf")], "missing"),
        ([], [], "rows"),
    ],
)
def test_what_does_not_fit_is_refused(label: list[int], score: list[float], reason: str) -> None:
    with pytest.raises(MeasureInvalid, match=reason):
        auc(np.array(label), np.array(score))


def test_more_slices_than_rows_are_refused() -> None:
    with pytest.raises(MeasureInvalid, match="slices"):
        lift_table(np.array([0, 1]), np.array([0.0, 1.0]), slices=3)
