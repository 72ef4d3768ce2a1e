"""The population stability index."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.measures import MeasureInvalid, psi, psi_of_counts

pytestmark = pytest.mark.feature("D7")


def normal(seed: int, rows: int, mean: float = 0.0) -> np.ndarray:
    return np.random.Generator(np.random.PCG64(seed)).normal(mean, size=rows)


counts = st.lists(st.integers(0, 500), min_size=2, max_size=12)


@settings(max_examples=60)
@given(counts, st.randoms(use_true_random=False))
def test_it_is_never_negative_the_same_both_ways_and_nothing_for_the_same(
    one: list[int], random: object
) -> None:
    one[0] += 1
    other = list(one)
    random.shuffle(other)  # type: ignore[attr-defined]
    assert psi_of_counts(one, one).psi == 0.0
    there, back = psi_of_counts(one, other), psi_of_counts(other, one)
    assert there.psi >= 0.0
    assert there.psi == pytest.approx(back.psi, abs=1e-12)


def test_it_is_the_textbook_sum() -> None:
    found = psi_of_counts([4_000, 6_000], [5_000, 5_000])
    by_hand = 0.1 * math.log(0.5 / 0.4) + -0.1 * math.log(0.5 / 0.6)
    assert found.psi == pytest.approx(by_hand, rel=1e-3)
    assert found.expected == pytest.approx(2e-4)
    assert (found.reference, found.current) == ((0.4, 0.6), (0.5, 0.5))


def test_a_bin_that_is_empty_in_both_does_not_count() -> None:
    found = psi_of_counts([40, 60, 0, 0], [50, 50, 0, 0])
    assert (found.psi, found.expected) == (
        psi_of_counts([40, 60], [50, 50]).psi,
        psi_of_counts([40, 60], [50, 50]).expected,
    )
    assert psi_of_counts([40, 60, 0], [50, 49, 1]).psi > found.psi


def test_samples_of_one_distribution_move_as_much_as_is_expected_of_chance() -> None:
    found = [psi(normal(n, 2_000), normal(n + 1_000, 1_000)) for n in range(40)]
    assert np.mean([one.psi for one in found]) == pytest.approx(found[0].expected, rel=0.3)
    assert {one.verdict for one in found} == {"stable"}


@pytest.mark.parametrize(("mean", "verdict"), [(0.2, "stable"), (0.4, "watch"), (0.8, "shifted")])
def test_a_move_is_judged_by_its_size(mean: float, verdict: str) -> None:
    assert psi(normal(1, 20_000), normal(2, 20_000, mean)).verdict == verdict


def test_values_that_go_missing_are_a_move_of_their_own() -> None:
    before = normal(1, 5_000)
    after = before.copy()
    after[::2] = np.nan
    found = psi(before, after)
    assert found.verdict == "shifted"
    assert (found.reference[-1], found.current[-1]) == (0.0, 0.5)


def test_few_values_with_many_rows_each_make_bins_of_their_own() -> None:
    found = psi(np.repeat([0.0, 1.0], 50), np.repeat([0.0, 1.0], [80, 20]))
    assert found.reference[:2] == (0.5, 0.5)
    assert found.current[:2] == (0.8, 0.2)


def test_all_missing_on_one_side_still_gives_a_number() -> None:
    gone = np.full(100, np.nan)
    assert psi(gone, gone).psi == 0.0
    assert psi(normal(1, 100), gone).verdict == "shifted"
    assert psi(gone, normal(1, 100)).verdict == "shifted"


def test_what_cannot_be_compared_is_refused() -> None:
    for call in (
        lambda: psi(np.empty(0), np.zeros(1)),
        lambda: psi(np.array([np.inf]), np.zeros(1)),
        lambda: psi(np.zeros(1), np.zeros(1), bins=1),
        lambda: psi_of_counts([1], [1, 2]),
        lambda: psi_of_counts([1, -1], [1, 2]),
        lambda: psi_of_counts([0, 0], [1, 2]),
    ):
        with pytest.raises(MeasureInvalid):
            call()
