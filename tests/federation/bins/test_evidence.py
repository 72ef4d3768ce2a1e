"""Weight of evidence and information value."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.bins import CountsInvalid, information_value, woe

pytestmark = pytest.mark.feature("D3")

counts = st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=1, max_size=30)


def test_the_evidence_of_a_bin_as_worked_by_hand() -> None:
    bads, goods = np.array([10, 30]), np.array([60, 40])
    found = woe(bads, goods, smoothing=1e-12)
    assert found == pytest.approx([math.log(0.6 / 0.25), math.log(0.4 / 0.75)])
    value = (0.6 - 0.25) * math.log(0.6 / 0.25) + (0.4 - 0.75) * math.log(0.4 / 0.75)
    assert information_value(bads, goods, smoothing=1e-12) == pytest.approx(value)


def test_a_bin_with_fewer_bads_weighs_more() -> None:
    found = woe(np.array([1, 5, 20]), np.array([50, 50, 50]))
    assert found[0] > found[1] > found[2]


def test_a_bin_without_bads_or_rows_is_finite() -> None:
    assert np.isfinite(woe(np.array([0, 5, 0]), np.array([7, 5, 0]))).all()


@given(counts)
def test_information_is_never_negative_and_none_where_the_shares_are_alike(
    pairs: list[tuple[int, int]],
) -> None:
    bads, goods = np.array([one for one, _ in pairs]), np.array([one for _, one in pairs])
    assert information_value(bads, goods) >= 0
    assert information_value(bads, bads) == 0


@pytest.mark.parametrize(
    ("bads", "goods", "smoothing"),
    [
        ([1], [1, 2], 0.5),
        ([], [], 0.5),
        ([-1], [1], 0.5),
        ([math.nan], [1], 0.5),
        ([1], [1], 0.0),
        ([1], [1], math.inf),
    ],
)
def test_counts_that_cannot_be_are_refused(
    bads: list[float], goods: list[float], smoothing: float
) -> None:
    with pytest.raises(CountsInvalid):
        woe(np.array(bads, dtype=float), np.array(goods, dtype=float), smoothing)
