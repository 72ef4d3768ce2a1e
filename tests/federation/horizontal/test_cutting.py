"""Bins from counts over a grid are those of the rows themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.horizontal import Cutting, DocumentInvalid, Field, Scorecard, ScorecardSettings
from federation.horizontal.cutting import bins_of, count_cells, first_grid, refined
from federation.horizontal.documents import Knowledge
from federation.horizontal.preparing import find_bins

pytestmark = pytest.mark.feature("D3")

values = st.lists(st.floats(-5, 5, allow_subnormal=False), min_size=1, max_size=200)


@settings(max_examples=40)
@given(values, st.integers(2, 12))
def test_with_a_cell_a_value_edges_are_the_quantiles(listed, bins):
    column = np.array(listed) + 0.0
    distinct, counts = np.unique(column, return_counts=True)
    edges = bins_of(distinct[:-1], counts, bins).edges
    ordered = np.sort(column)
    wanted = {ordered[-(-len(ordered) * part // bins) - 1] for part in range(1, bins)}
    assert set(edges.tolist()) == wanted - {distinct[-1]}


@settings(max_examples=40)
@given(values, st.integers(2, 40))
def test_every_value_is_counted_once_and_where_it_lies(listed, cells):
    column = np.array([*listed, np.nan, 99.0, -99.0])
    edges = first_grid(Field("x", -2.0, 3.0), cells)
    counts = count_cells(column, edges)
    assert counts.size == cells + 1
    assert counts.sum() == column.size
    assert counts[-1] == 1
    for cell, edge in enumerate(edges):
        assert counts[: cell + 1].sum() == (column <= edge).sum()


@settings(max_examples=40)
@given(values, st.integers(2, 6), st.integers(4, 40), st.integers(2, 20))
def test_a_finer_grid_brings_edges_nearer_to_the_quantiles(listed, bins, cells, parts):
    field = Field("x", -5.0, 5.0)
    column = np.array(listed)
    coarse = first_grid(field, cells)
    first = bins_of(coarse, count_cells(column, coarse)[:-1], bins)
    fine = refined(field, coarse, first, parts)
    assert set(coarse) <= set(fine)
    second = bins_of(fine, count_cells(column, fine)[:-1], bins)
    ordered = np.sort(column)
    for part in range(1, bins):
        exact = ordered[-(-len(ordered) * part // bins) - 1]
        above = second.edges[second.edges >= exact]
        if above.size:
            assert above[0] - exact <= 10 / cells / parts + 1e-9 or above[0] - exact <= 10 / cells
            last = first.edges.size and exact <= first.edges[-1]
            if last:
                assert above[0] - exact <= 10 / cells / parts + 1e-9


def test_codes_have_a_cell_each_and_are_not_cut_finer():
    field = Field("late", 0.0, 3.0, (0.0, 1.0, 3.0))
    edges = first_grid(field, 100)
    assert edges.tolist() == [0.0, 1.0]
    assert count_cells(np.array([0.0, 1.0, 1.0, 3.0, np.nan]), edges).tolist() == [1, 2, 1, 1]
    assert refined(field, edges, bins_of(edges, np.array([1, 2, 1]), 3), 8) is edges


def test_no_rows_and_one_value_make_one_bin():
    assert bins_of(np.array([1.0, 2.0]), np.array([0, 0, 0]), 4).edges.size <= 1
    assert bins_of(np.array([1.0, 2.0]), np.array([0, 0, 9]), 4).edges.size == 0


def test_noise_makes_no_bins_of_its_own():
    """Nine thousand rows of one value, and noise of a hundred in each of 63 empty cells."""
    edges = first_grid(Field("x", 0.0, 64.0), 64)
    draw = np.random.default_rng(3)
    for _ in range(50):
        counts = np.rint(draw.normal(0, 30, 64)).astype(np.int64)
        counts[31] += 9_000
        found = bins_of(edges, counts, 5)
        assert found.edges.size == 1
        assert found.edges[0] == 32.0


def test_what_is_known_is_not_asked_again():
    class Nobody:
        def ask(self, *_given, **_more):
            raise AssertionError("asked")

    settings = ScorecardSettings((Field("x", 0.0, 1.0),), Cutting(bins=2))
    known = Knowledge(edges=[[0.5]], step=2)
    assert find_bins(Nobody(), settings, known, noisy=False) is known


CARD = Scorecard(
    fields=["x"], knowledge=Knowledge(edges=[[0.5]], woe=[[0.1, -0.1, 0.0]], weights=[0.0, -1.0])
)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"edges":[[0.5]]', b'"edges":[[0.5,0.5]]'),
        (b'"edges":[[0.5]]', b'"edges":[]'),
        (b"[[0.1,-0.1,0]]", b"[[0.1,-0.1]]"),
        (b"[[0.1,-0.1,0]]", b"[[0.1,-0.1,5.0]]"),
        (b'"weights":[0,-1]', b'"weights":[-1]'),
        (b'"weights":[0,-1]', b'"weights":[0,"-1"]'),
        (b'"fields":["x"]', b'"fields":["x","y"]'),
        (b'"fields":["x"]', b'"fields":[""]'),
    ],
)
def test_a_scorecard_that_is_none_is_refused(old, new):
    data = CARD.to_json()
    assert Scorecard.from_json(data) == CARD
    assert old in data
    with pytest.raises(DocumentInvalid):
        Scorecard.from_json(data.replace(old, new))
