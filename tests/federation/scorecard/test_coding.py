"""A feature as groups of bins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.scorecard.coding import coded, codings_of, counted
from federation.tables import Table

pytestmark = pytest.mark.feature("D3")

VALUES = st.one_of(st.sampled_from((0.0, 1.0, 2.5, float("nan"))), st.floats(-5, 5))


def _table(values: list[float]) -> Table:
    return Table(tuple(f"id{n}" for n in range(len(values))), {"x": np.array(values)})


@given(st.lists(VALUES, min_size=1, max_size=120), st.integers(2, 12), st.integers(1, 40))
def test_no_group_that_is_learned_from_has_too_few_rows(
    values: list[float], bins: int, rows_min: int
) -> None:
    table = _table(values)
    (coding,) = codings = codings_of(table, bins, rows_min)
    groups = coded(codings, table)
    (rows,) = counted(codings, groups)
    assert sum(rows) == table.rows
    assert len(rows) == coding.count + 1
    several = [count for count in rows[:-1] if count] if coding.count > 1 else []
    assert all(count >= rows_min for count in several)
    assert int(groups.max()) <= coding.count
    assert sorted(set(coding.groups) | {coding.count}) == list(range(coding.count + 1))


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=80))
def test_groups_rise_with_the_values(values: list[float]) -> None:
    table = _table(sorted(values))
    groups = coded(codings_of(table, 6, 5), table)[0]
    assert (np.diff(groups.astype(int)) >= 0).all()


def test_missing_values_are_a_group_of_their_own_where_there_are_enough() -> None:
    values = [float(n) for n in range(60)]
    few = _table([*values, *[float("nan")] * 9])
    many = _table([*values, *[float("nan")] * 10])
    (seldom,), (often,) = codings_of(few, 3, 10), codings_of(many, 3, 10)
    assert (seldom.count, often.count) == (3, 4)
    assert coded([seldom], few)[0, -1] == 3  # the group without evidence
    assert coded([often], many)[0, -1] == 3
    assert counted([often], coded([often], many)) == [[20, 20, 20, 10, 0]]
