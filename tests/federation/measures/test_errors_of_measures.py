"""Bootstrap and DeLong: how much of a measure is chance."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from federation.measures import (
    Label,
    MeasureInvalid,
    MeasureUndefined,
    Score,
    auc,
    auc_with_error,
    bootstrap,
    bootstrap_difference,
    brier,
    delong,
    gini,
    ks,
    log_loss,
    probabilities,
)

pytestmark = pytest.mark.feature("D5")


def drawn(seed: int, rows: int = 400) -> tuple[Label, Score, Score]:
    """A label and two scores that know something of it and share some of their noise."""
    generator = np.random.Generator(np.random.PCG64(seed))
    label = (generator.random(rows) < 0.3).astype(np.uint8)
    shared = generator.normal(size=rows)
    a = 0.8 * label + shared + generator.normal(size=rows)
    b = 1.4 * label + shared + generator.normal(size=rows)
    return label, a, b


@pytest.mark.parametrize("measure", [auc, gini, ks, log_loss, brier])
def test_many_resamples_together_give_what_one_by_one_gives(measure: object) -> None:
    label, a, _ = drawn(1, 150)
    score = np.round(probabilities(a), 2)  # with ties
    together = bootstrap(label, score, measure, seed=5, times=60)  # type: ignore[arg-type]

    def alone(label: Label, score: Score) -> float:
        return float(measure(label, score))  # type: ignore[operator]

    assert bootstrap(label, score, alone, seed=5, times=60) == pytest.approx(together)


def test_the_same_seed_gives_the_same_error_another_another() -> None:
    label, a, _ = drawn(2)
    first = bootstrap(label, a, seed=7, times=50)
    assert bootstrap(label, a, seed=7, times=50) == first
    assert bootstrap(label, a, seed=8, times=50).error != first.error


def test_the_seed_gives_these_very_figures_on_every_machine() -> None:
    label = np.array([0, 1] * 20, dtype=np.uint8)
    score = np.arange(40.0) % 7
    found = bootstrap(label, score, seed=1, times=100)
    assert found.value == 197.5 / 400
    frozen = (0.49375, 0.09342697022259071, 0.32280701754385965, 0.6711805555555556)
    assert found == pytest.approx(frozen, abs=1e-12)


def test_bootstrap_and_delong_agree_where_rows_are_many() -> None:
    label, a, _ = drawn(3, 2_000)
    by_resampling = bootstrap(label, a, seed=1, times=800)
    by_formula = auc_with_error(label, a)
    assert by_formula.value == pytest.approx(auc(label, a), abs=1e-12)
    assert by_resampling.error == pytest.approx(by_formula.error, rel=0.1)
    assert by_resampling.low == pytest.approx(by_formula.low, abs=0.006)
    assert by_resampling.high == pytest.approx(by_formula.high, abs=0.006)


def test_the_error_is_what_new_samples_really_move_by() -> None:
    areas, errors = [], []
    for seed in range(200):
        label, a, _ = drawn(1_000 + seed, 300)
        estimate = auc_with_error(label, a)
        areas.append(estimate.value)
        errors.append(estimate.error)
    assert np.mean(errors) == pytest.approx(np.std(areas), rel=0.15)


def test_delong_is_its_definition_over_all_pairs() -> None:
    label, a, b = drawn(4, 60)
    a, b = np.round(a), np.round(b)
    found = delong(label, a, b)
    bad, good = label == 1, label == 0

    def placements(score: NDArray[np.float64]) -> tuple[Score, Score]:
        won = np.sign(score[bad][:, None] - score[good][None, :]) / 2 + 0.5
        return won.mean(axis=1), won.mean(axis=0)

    (a10, a01), (b10, b01) = placements(a), placements(b)
    variance = np.var(b10 - a10, ddof=1) / bad.sum() + np.var(b01 - a01, ddof=1) / good.sum()
    assert found.auc_a == pytest.approx(auc(label, a), abs=1e-12)
    assert found.difference == pytest.approx(auc(label, b) - auc(label, a), abs=1e-12)
    assert found.error == pytest.approx(math.sqrt(variance), abs=1e-12)
    assert found.p == pytest.approx(math.erfc(abs(found.difference / found.error) / 2**0.5))


def test_what_two_scores_share_cancels_in_their_difference() -> None:
    label, a, b = drawn(5, 1_500)
    paired = bootstrap_difference(label, a, b, seed=1, times=400)
    apart = math.hypot(auc_with_error(label, a).error, auc_with_error(label, b).error)
    assert paired.value == auc(label, b) - auc(label, a)
    assert paired.error < 0.9 * apart
    assert paired.error == pytest.approx(delong(label, a, b).error, rel=0.12)


def test_a_score_does_not_differ_from_itself() -> None:
    label, a, _ = drawn(6)
    same = delong(label, a, 2 * a + 1)
    assert (same.difference, same.error, same.z, same.p) == (0.0, 0.0, 0.0, 1.0)
    perfect = delong(np.array([0, 0, 1, 1]), np.array([3.0, 4, 1, 2]), np.array([1.0, 2, 3, 4]))
    assert (perfect.difference, perfect.error, perfect.z, perfect.p) == (1.0, 0.0, None, 0.0)
    assert bootstrap_difference(label, a, a, seed=1, times=20)[:2] == (0.0, 0.0)


def test_under_no_difference_one_test_in_twenty_says_there_is_one() -> None:
    hits = 0
    for seed in range(400):
        generator = np.random.Generator(np.random.PCG64(seed))
        label = (generator.random(200) < 0.4).astype(np.uint8)
        a, b = label + generator.normal(size=(2, 200)) * 1.5
        hits += delong(label, a, b).p < 0.05
    assert 8 <= hits <= 34  # 20 expected; four standard deviations would be 17


def test_resamples_without_both_kinds_are_left_out_and_too_many_are_an_error() -> None:
    label = np.array([1] + [0] * 9, dtype=np.uint8)
    found = bootstrap(label, np.arange(10.0), seed=1, times=200)  # a third has no bad row
    assert math.isfinite(found.error)
    with pytest.raises(MeasureUndefined, match="resamples"):
        bootstrap(np.array([0, 1]), np.array([0.0, 1.0]), _sometimes, seed=1, times=20)


def _sometimes(label: Label, score: Score) -> float:
    if label.tolist() == [0, 1]:
        return auc(label, score)
    raise MeasureUndefined("not for these rows")


def test_bounds_are_kept() -> None:
    label, a, _ = drawn(7, 20)
    for times, level, seed in ((1, 0.95, 0), (100_001, 0.95, 0), (10, 1.0, 0), (10, 0.9, -1)):
        with pytest.raises(MeasureInvalid):
            bootstrap(label, a, seed=seed, times=times, level=level)
    with pytest.raises(MeasureInvalid, match="probability"):
        bootstrap(label, a * 10, brier, seed=1, times=10)
    with pytest.raises(MeasureUndefined, match="two rows"):
        delong(np.array([0, 0, 1]), np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.0]))
