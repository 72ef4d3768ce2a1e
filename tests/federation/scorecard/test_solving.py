"""Weighted least squares from moments."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.scorecard import DataInvalid
from federation.scorecard.solving import solve

pytestmark = pytest.mark.feature("D3")


def _problem(seed: int, size: int) -> tuple[list[list[float]], list[float], list[float]]:
    draw = np.random.default_rng(seed)
    rows = draw.normal(size=(size + 5, size))
    return (rows.T @ rows).tolist(), draw.normal(size=size).tolist(), draw.random(size).tolist()


@given(st.integers(0, 2**32), st.integers(1, 12))
def test_weights_and_errors_are_those_of_the_inverse(seed: int, size: int) -> None:
    matrix, vector, ridge = _problem(seed, size)
    found = solve(matrix, vector, ridge, [False] * size)
    inverse = np.linalg.inv(np.array(matrix) + np.diag(ridge))
    assert np.allclose(found.weights, inverse @ vector, rtol=1e-6, atol=1e-8)
    assert np.allclose(found.errors, np.sqrt(np.diag(inverse)), rtol=1e-6)
    assert all(found.kept)


@given(st.integers(0, 2**32), st.integers(1, 10))
def test_what_is_kept_is_positive_and_solves_what_is_left(seed: int, size: int) -> None:
    matrix, vector, ridge = _problem(seed, size)
    found = solve(matrix, vector, ridge, [True] * (size - 1) + [False])
    kept = np.flatnonzero(found.kept)
    assert found.kept[-1]
    assert all(
        weight > 0 for weight, keep in zip(found.weights[:-1], found.kept, strict=False) if keep
    )
    assert all(
        weight == error == 0
        for weight, error, keep in zip(found.weights, found.errors, found.kept, strict=True)
        if not keep
    )
    rest = (np.array(matrix) + np.diag(ridge))[np.ix_(kept, kept)]
    wanted = np.linalg.solve(rest, np.array(vector)[kept])
    assert np.allclose(np.array(found.weights)[kept], wanted, rtol=1e-6, atol=1e-8)


def test_a_column_that_repeats_another_is_told_unless_it_has_a_ridge() -> None:
    matrix, vector = [[2.0, 2.0], [2.0, 2.0]], [1.0, 1.0]
    with pytest.raises(DataInvalid, match="column 1 repeats"):
        solve(matrix, vector, [0.0, 0.0], [False, False])
    found = solve(matrix, vector, [1.0, 1.0], [False, False])
    assert found.weights == pytest.approx((0.2, 0.2))
