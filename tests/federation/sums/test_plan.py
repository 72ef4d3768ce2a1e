"""The order of additions: fewer of them, the same totals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.sums import SumsError, adder, plan_sums, sealer
from federation.sums.plan import Plan

pytestmark = pytest.mark.feature("D3")


def through_the_plan(plan: Plan, values: list[int]) -> list[list[int]]:
    """Add as the nodes say."""
    done: list[list[int]] = []
    for node in plan.nodes:
        cells = [0] * node.size
        above = values if node.parent < 0 else done[node.parent]
        assert len(above) == node.cells.size
        for value, cell in zip(above, node.cells.tolist(), strict=True):
            cells[cell] += value
        done.append(cells)
    return [done[place] for place in plan.features]


@given(st.integers(1, 20), st.integers(0, 80), st.integers(0, 2**32))
def test_totals_are_those_of_each_feature_by_itself(features: int, rows: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 9, features).tolist()
    bins = np.stack([rng.integers(0, count, rows) for count in counts]).astype(np.uint8)
    values = rng.integers(-100, 100, rows).tolist()
    plan = plan_sums(bins, counts)
    wanted = [[0] * count for count in counts]
    for feature in range(features):
        for value, place in zip(values, bins[feature].tolist(), strict=True):
            wanted[feature][place] += value
    assert through_the_plan(plan, values) == wanted
    for feature in range(features):
        found, count = plan.bins(feature)
        assert (found.tolist(), count) == (bins[feature].tolist(), counts[feature])
    some = np.flatnonzero(rng.integers(0, 2, rows))
    part = through_the_plan(plan.take(some), [values[row] for row in some.tolist()])
    assert [sum(one) for one in part] == [sum(values[row] for row in some.tolist())] * features


def test_features_that_go_together_share_additions() -> None:
    rng = np.random.default_rng(1)
    first = rng.integers(0, 8, 5000)
    bins = np.stack([first, first // 2, 7 - first, rng.integers(0, 3, 5000)]).astype(np.uint8)
    plan = plan_sums(bins, [8, 4, 8, 3])
    assert plan.additions() < 5200  # 20,000 feature by feature


def test_features_that_do_not_go_together_cost_no_more_than_by_themselves() -> None:
    rng = np.random.default_rng(1)
    bins = rng.integers(0, 250, (4, 3000)).astype(np.uint8)
    assert plan_sums(bins, [250] * 4).additions() <= 4 * 3000


def test_a_bin_beyond_its_count_is_refused() -> None:
    with pytest.raises(SumsError, match="feature 1 has a bin beyond its 3"):
        plan_sums(np.array([[0, 1], [0, 3]], dtype=np.uint8), [2, 3])
    with pytest.raises(SumsError, match="counts"):
        plan_sums(np.zeros((2, 2), dtype=np.uint8), [1])


def test_the_oracle_adds_feature_by_feature() -> None:
    sealing = sealer("plain")
    adding = adder(sealing.offer(), allow_plain=True)
    bins = np.array([[0, 1, 1], [2, 2, 0]], dtype=np.uint8)
    adding.load(sealing.seal([5, -7, 9]), plan_sums(bins, [2, 3]))
    (sums,) = adding.bin_sums([np.array([0, 1, 2])])
    assert [[int(one) for one in row] for row in sums] == [[5, 2], [9, 0, -2]]
