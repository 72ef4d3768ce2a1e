"""Noise is distributed as it should be, and comes from whole numbers only."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from federation.privacy import (
    PrivacyInvalid,
    clip_rows,
    discrete_gaussian,
    discrete_laplace,
    gaussian_noise,
    whole_sensitivity,
)

pytestmark = pytest.mark.feature("D4")


def expected(weights, low: int, high: int, count: int) -> np.ndarray:
    masses = np.array([weights(x) for x in range(low, high + 1)])
    return masses / sum(weights(x) for x in range(-400, 401)) * count


@pytest.mark.parametrize("variance", [Fraction(1, 2), Fraction(4), Fraction(77, 3)])
def test_the_gaussian_has_exactly_the_masses_of_its_definition(variance):
    seeded = random.Random(int(variance * 6))
    count = 6_000
    drawn = np.array([discrete_gaussian(variance, seeded.randrange) for _ in range(count)])
    wide = int(2 * math.sqrt(variance)) + 1
    wanted = expected(lambda x: math.exp(-x * x / (2 * float(variance))), -wide, wide, count)
    seen = np.array([(drawn == x).sum() for x in range(-wide, wide + 1)])
    rest = (count - seen.sum(), count - wanted.sum())
    assert stats.chisquare([*seen, rest[0]], [*wanted, rest[1]]).pvalue > 1e-4
    assert drawn.var() <= float(variance) * 1.1


@pytest.mark.parametrize("scale", [1, 5])
def test_the_laplace_has_exactly_the_masses_of_its_definition(scale):
    seeded = random.Random(scale)
    count = 6_000
    drawn = np.array([discrete_laplace(scale, seeded.randrange) for _ in range(count)])
    wide = 3 * scale
    wanted = expected(lambda x: math.exp(-abs(x) / scale), -wide, wide, count)
    seen = np.array([(drawn == x).sum() for x in range(-wide, wide + 1)])
    rest = (count - seen.sum(), count - wanted.sum())
    assert stats.chisquare([*seen, rest[0]], [*wanted, rest[1]]).pvalue > 1e-4


def test_noise_is_drawn_anew_and_as_wide_as_asked():
    one, other = (gaussian_noise(2_000, Fraction(10_000)) for _ in range(2))
    assert not np.array_equal(one, other)
    for drawn in (one, other):
        assert abs(drawn.std() / 100 - 1) < 0.1
        assert abs(drawn.mean()) < 12


@pytest.mark.parametrize("variance", [Fraction(0), Fraction(-1), Fraction(1 << 101)])
def test_a_variance_that_is_none_is_refused(variance):
    with pytest.raises(PrivacyInvalid):
        discrete_gaussian(variance)


def test_too_many_or_too_wide_samples_are_refused():
    for length, variance in (
        (0, Fraction(1)),
        ((1 << 22) + 1, Fraction(1)),
        (1, Fraction(1 << 91)),
    ):
        with pytest.raises(PrivacyInvalid):
            gaussian_noise(length, variance)


def test_no_row_is_longer_than_the_bound_and_short_ones_stay():
    rows = np.random.default_rng(3).normal(0, 2, (500, 7))
    clipped = clip_rows(rows, 3.0)
    lengths = np.linalg.norm(rows, axis=1)
    assert (np.linalg.norm(clipped, axis=1) <= 3.0).all()
    assert np.array_equal(clipped[lengths <= 3.0], rows[lengths <= 3.0])
    long = lengths > 3.0
    assert np.allclose(clipped[long] / 3.0, rows[long] / lengths[long, None])
    for norm in (0.0, -1.0, math.inf):
        with pytest.raises(PrivacyInvalid):
            clip_rows(rows, norm)
    with pytest.raises(PrivacyInvalid):
        clip_rows(np.array([[math.nan]]), 1.0)


def test_one_row_moves_a_rounded_sum_by_no_more_than_the_sensitivity():
    draw = np.random.default_rng(4)
    for _ in range(300):
        rows = clip_rows(draw.normal(0, 1, (30, 9)), 1.5)
        whole = [np.rint(part.sum(axis=0) * 2.0**4) for part in (rows, rows[1:])]
        assert np.linalg.norm(whole[0] - whole[1]) <= whole_sensitivity(1.5, 4, 9)
