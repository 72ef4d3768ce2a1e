"""Whole-number gradients: right, the same everywhere, and within their bounds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.trees import DataInvalid, TreeSettings
from federation.trees.gradients import (
    Code,
    base_margin,
    gradients,
    random_order,
    sample_rows,
    sigmoid,
)

pytestmark = pytest.mark.feature("D3")


@given(st.lists(st.floats(-40, 40), min_size=1, max_size=50))
def test_the_sigmoid_is_the_librarys_to_the_last_bits(margins: list[float]) -> None:
    wanted = [1 / (1 + math.exp(-one)) for one in margins]
    assert sigmoid(np.array(margins)) == pytest.approx(wanted, rel=1e-15, abs=0)


def test_the_sigmoid_is_the_same_in_any_company() -> None:
    """Vector units work in groups of four or eight: what a row gets must not hang on the others."""
    margins = np.linspace(-45, 45, 1001)
    together = sigmoid(margins)
    assert [float(sigmoid(margins[n : n + 1])[0]) for n in range(1001)] == together.tolist()
    assert (np.diff(together) >= 0).all()
    assert sigmoid(np.array([0.0, 1e300, -1e300])).tolist() == pytest.approx([0.5, 1, 0])


def test_gradients_are_those_of_the_logistic_loss() -> None:
    label = np.array([1, 0, 1], dtype=np.uint8)
    margins = np.array([0.0, math.log(3), 2.0])
    g, h = gradients(label, margins, np.array([1.0, 1.0, 4.0]), 24)
    p = 1 / (1 + math.exp(-2.0))
    assert (g / 2**24).tolist() == pytest.approx([-0.5, 0.75, 4 * (p - 1)], abs=2**-24)
    assert (h / 2**24).tolist() == pytest.approx([0.25, 0.1875, 4 * p * (1 - p)], abs=2**-24)


def test_the_base_is_the_log_odds() -> None:
    assert base_margin(np.array([1, 0, 0, 0], dtype=np.uint8)) == pytest.approx(
        -math.log(3), abs=1e-6
    )
    with pytest.raises(DataInvalid):
        base_margin(np.zeros(5, dtype=np.uint8))


@given(st.integers(1, 2**20), st.floats(1, 16), st.integers(8, 24))
def test_totals_at_the_edge_of_the_bound_come_out(rows: int, weight: float, scale: int) -> None:
    """Every row at its utmost, of either sign: the bound in `Code` is the sum of these."""
    code = Code.of(rows, weight, scale)
    g_max, h_max = math.ceil(weight * 2**scale), math.ceil(weight * 2**scale / 4)
    for g in (rows * g_max, 0, -rows * g_max):
        for h in (rows * h_max, 0):
            (total,) = code.join(np.array([g]), np.array([h]))
            assert abs(total) <= 2 ** (code.bits - 1) - 1
            found_g, found_h = code.split([total])
            assert (found_g.tolist(), found_h.tolist()) == ([g], [h])


@given(st.lists(st.tuples(st.integers(-(2**24), 2**24), st.integers(0, 2**22)), min_size=1))
def test_the_sum_of_joined_numbers_is_the_joined_sums(rows: list[tuple[int, int]]) -> None:
    code = Code.of(len(rows), 1.0, 24)
    g, h = (np.array(one, dtype=np.int64) for one in zip(*rows, strict=True))
    found_g, found_h = code.split([sum(code.join(g, h))])
    assert (int(found_g[0]), int(found_h[0])) == (int(g.sum()), int(h.sum()))


class TestSample:
    ROWS = np.arange(0, 2000, 2)
    G = np.arange(1000) * np.where(np.arange(1000) % 2, 1, -1)

    def settings(self, top: int, other: int) -> TreeSettings:
        return TreeSettings(top_bp=top, other_bp=other)

    def test_all_rows_unless_told(self) -> None:
        sample = sample_rows(self.ROWS, self.G, TreeSettings(), 1, 0)
        assert sample.rows is self.ROWS
        assert (sample.weights == 1).all()

    def test_the_top_rows_and_some_of_the_others_weighted_up(self) -> None:
        sample = sample_rows(self.ROWS, self.G, self.settings(2000, 1000), 1, 0)
        assert sample.rows.size == 300
        assert (np.diff(sample.rows) > 0).all()
        assert set(self.ROWS[800:]) <= set(sample.rows.tolist())
        assert sample.weights[sample.rows >= 1600].tolist() == [1.0] * 200
        assert sample.weights[sample.rows < 1600].tolist() == [8.0] * 100
        assert sample.weight_max == 8.0
        assert sample.weights.sum() == 1000

    def test_by_chance_alone_gradients_choose_nothing(self) -> None:
        one = sample_rows(self.ROWS, self.G, self.settings(0, 3000), 1, 0)
        other = sample_rows(self.ROWS, self.G[::-1], self.settings(0, 3000), 1, 0)
        assert one.rows.tolist() == other.rows.tolist()
        assert one.rows.size == 300

    def test_every_tree_draws_anew_and_every_seed_otherwise(self) -> None:
        drawn = {
            tuple(sample_rows(self.ROWS, self.G, self.settings(0, 1000), seed, tree).rows.tolist())
            for seed in (1, 2)
            for tree in (0, 1)
        }
        assert len(drawn) == 4


def test_an_order_drawn_from_a_seed_never_changes() -> None:
    """Releases are grown again from their seed: this must be so for ever."""
    assert random_order(8, "sample", 7, 3).tolist() == [5, 6, 0, 2, 7, 1, 4, 3]
    assert sorted(random_order(1000, "validation", 1).tolist()) == list(range(1000))
