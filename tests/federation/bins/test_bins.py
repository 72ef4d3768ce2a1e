"""Bins: where values fall, whatever the column looks like."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from federation.bins import BINS_MAX, Bins, BinsInvalid, quantile_bins

pytestmark = pytest.mark.feature("D3")

numbers = st.one_of(
    st.floats(allow_infinity=False), st.integers(-3, 3).map(float), st.just(float("nan"))
)


def column(*values: float) -> NDArray[np.float64]:
    return np.array(values, dtype=np.float64)


def test_a_value_on_an_edge_belongs_to_the_bin_below() -> None:
    bins = Bins(column(1.0, 2.0))
    assert bins.count == 4
    found = bins.index(column(0.5, 1.0, 1.5, 2.0, 2.5, np.nan, -np.inf, np.inf))
    assert found.tolist() == [0, 0, 1, 1, 2, 3, 0, 2]
    assert found.dtype == np.uint8


def test_few_distinct_values_have_a_bin_each_if_they_are_not_rare() -> None:
    bins = quantile_bins(column(3, 1, 1, 2, 3, 3, np.nan), 32)
    assert bins.edges.tolist() == [1.0, 2.0]
    assert bins.index(column(1, 2, 3, np.nan)).tolist() == [0, 1, 2, 3]


def test_rare_values_share_a_bin() -> None:
    values = np.repeat(np.arange(6, dtype=np.float64), [500, 2, 1, 400, 1, 96])
    assert quantile_bins(values, 32).edges.tolist() == [0.0, 2.0, 3.0, 4.0]
    assert quantile_bins(values[:-97], 32).edges.tolist() == [0.0, 2.0]


@pytest.mark.parametrize("values", [column(), column(np.nan, np.nan), column(7, 7, 7)])
def test_a_column_that_tells_nothing_has_one_bin_and_that_of_missing(
    values: NDArray[np.float64],
) -> None:
    bins = quantile_bins(values, 10)
    assert (bins.count, bins.missing, bins.edges.size) == (2, 1, 0)


def test_bins_of_an_even_column_hold_equally_many() -> None:
    values = np.arange(1000, dtype=np.float64)
    counts = np.bincount(quantile_bins(values, 10).index(values))
    assert counts.tolist() == [100] * 10


def test_a_value_most_rows_have_is_alone() -> None:
    values = np.concatenate([np.zeros(9000), np.arange(-500, 501)])
    bins = quantile_bins(values, 100)
    counts = np.bincount(bins.index(values), minlength=bins.count)
    assert counts[int(bins.index(column(0.0))[0])] == 9001
    assert bins.index(column(-1.0))[0] < bins.index(column(0.0))[0] < bins.index(column(1.0))[0]


@pytest.mark.parametrize("count", [2, 3, 5, 8])
def test_many_heavy_values_leave_no_bin_empty(count: int) -> None:
    values = np.repeat(np.arange(20, dtype=np.float64), [100, 1] * 10)
    bins = quantile_bins(values, count)
    held = np.bincount(bins.index(values), minlength=bins.count)[:-1]
    assert len(held) == count
    assert held.min() > 0


@given(st.lists(numbers, max_size=200), st.integers(1, 40))
def test_bins_are_few_enough_used_and_unmoved_by_the_order(values: list[float], count: int) -> None:
    bins = quantile_bins(column(*values), count)
    assert bins == quantile_bins(column(*reversed(values)), count)
    assert 2 <= bins.count <= count + 1
    present = column(*(one for one in values if one == one))
    held = np.bincount(bins.index(present), minlength=bins.count)
    assert held[-1] == 0
    if present.size:
        assert (held[:-1] > 0).all()
        # No bin is more than two fair shares, unless of one value.
        for n in range(held.size - 1):
            inside = present[bins.index(present) == n]
            assert held[n] < 3 * present.size / count or np.unique(inside).size == 1


@given(st.lists(numbers, max_size=60), st.integers(1, 20))
def test_a_bin_is_as_its_edges_say(values: list[float], count: int) -> None:
    bins = quantile_bins(column(*values), count)
    edges = [-np.inf, *bins.edges.tolist(), np.inf]
    for value, found in zip(values, bins.index(column(*values)).tolist(), strict=True):
        if value != value:
            assert found == bins.missing
        else:
            assert edges[found] < value <= edges[found + 1]


def test_the_sign_of_zero_is_not_seen() -> None:
    one, other = quantile_bins(column(-0.0, 1, 2), 2), quantile_bins(column(0.0, 1, 2), 2)
    assert one.edges.tobytes() == other.edges.tobytes()


@pytest.mark.parametrize("count", [0, -1, BINS_MAX])
def test_a_number_of_bins_that_a_byte_cannot_number_is_refused(count: int) -> None:
    with pytest.raises(BinsInvalid, match="bins"):
        quantile_bins(column(1, 2), count)


def test_the_most_bins_fit_a_byte() -> None:
    values = np.arange(2550, dtype=np.float64)
    bins = quantile_bins(values, BINS_MAX - 1)
    assert bins.count == BINS_MAX
    assert bins.index(column(np.nan)).tolist() == [255]


@pytest.mark.parametrize("edges", [[1, 1], [2, 1], [np.nan], [np.inf], list(range(255))])
def test_edges_that_cannot_be_are_refused(edges: list[float]) -> None:
    with pytest.raises(BinsInvalid, match="edges"):
        Bins(column(*edges))


def test_infinities_are_refused_where_bins_are_made() -> None:
    with pytest.raises(BinsInvalid, match="infinite"):
        quantile_bins(column(1, np.inf), 4)
