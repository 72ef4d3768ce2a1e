"""The laws that make Shapley values the one fair way: they hold for every game."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.contribution import (
    Coalition,
    Contribution,
    Value,
    measure_contribution,
    shares_bp,
)
from federation.contribution.shapley import all_coalitions

pytestmark = pytest.mark.feature("D6")

NAMES = ("bank", "maker", "platform", "utility", "works", "yard")
EXAMPLES = settings(max_examples=25)

Game = dict[Coalition, float]


def game_of(names: tuple[str, ...]) -> st.SearchStrategy[Game]:
    coalitions = all_coalitions(names)
    # Multiples of 1/1024: what is added below stays exact in doubles.
    values = st.integers(-1_000, 1_000).map(lambda n: n / 1024)
    return st.lists(values, min_size=len(coalitions), max_size=len(coalitions)).map(
        lambda found: dict(zip(coalitions, found, strict=True))
    )


games = st.integers(1, 6).flatmap(lambda n: game_of(NAMES[:n]))


def members(game: Game) -> Coalition:
    return max(game, key=len)


def measured(game: Game, value: Value | None = None) -> Contribution:
    return measure_contribution(members(game), value or game.__getitem__, seed=1, pairs=3)


def shapley(found: Contribution) -> dict[str, float]:
    return {one.party: one.shapley for one in found.parties}


@EXAMPLES
@given(games)
def test_efficiency_all_parts_together_are_the_value_of_all(game: Game) -> None:
    gained = game[members(game)] - game[frozenset()]
    assert sum(shapley(measured(game)).values()) == pytest.approx(gained, abs=1e-12)


@EXAMPLES
@given(st.integers(2, 4).flatmap(lambda n: game_of(NAMES[:n])))
def test_symmetry_who_cannot_be_told_apart_gets_the_same(game: Game) -> None:
    one, other = sorted(members(game))[:2]
    swap = {one: other, other: one}

    def value(coalition: Coalition) -> float:
        swapped = frozenset(swap.get(name, name) for name in coalition)
        return game[coalition] + game[swapped]

    found = shapley(measured(game, value))
    assert found[one] == pytest.approx(found[other], abs=1e-12)


@EXAMPLES
@given(games)
def test_null_player_who_adds_nothing_to_anybody_gets_nothing(game: Game) -> None:
    nobody = sorted(members(game))[0]
    found = measured(game, lambda coalition: game[coalition - {nobody}])
    null = found.parties[0]
    assert (null.party, null.shapley, null.error, null.first, null.last) == (nobody, 0, 0, 0, 0)


@EXAMPLES
@given(games, st.data(), st.integers(-8, 8))
def test_linearity_the_parts_of_a_sum_are_the_sums_of_parts(
    game: Game, data: st.DataObject, factor: int
) -> None:
    other = data.draw(game_of(tuple(sorted(members(game)))))
    both = shapley(measured(game, lambda c: game[c] + factor * other[c]))
    one, two = shapley(measured(game)), shapley(measured(game, other.__getitem__))
    for party, value in both.items():
        assert value == pytest.approx(one[party] + factor * two[party], abs=1e-10)


@EXAMPLES
@given(st.integers(1, 4).flatmap(lambda n: game_of(NAMES[:n])))
def test_exact_values_are_the_mean_gain_over_all_orders(game: Game) -> None:
    orders = list(permutations(sorted(members(game))))
    mean = dict.fromkeys(members(game), Fraction(0))
    for order in orders:
        for place, party in enumerate(order):
            with_it, without = frozenset(order[: place + 1]), frozenset(order[:place])
            mean[party] += (Fraction(game[with_it]) - Fraction(game[without])) / len(orders)
    assert shapley(measured(game)) == {party: float(value) for party, value in mean.items()}


@EXAMPLES
@given(st.dictionaries(st.text(min_size=1, max_size=3), st.integers(-50, 1_000), min_size=1))
def test_shares_are_whole_sum_to_all_and_are_off_by_less_than_one(
    contributions: dict[str, int],
) -> None:
    shares = shares_bp({party: Fraction(value) for party, value in contributions.items()})
    assert sum(shares.values()) == 10_000
    added = {party: max(0, value) for party, value in contributions.items()}
    whole = sum(added.values())
    for party, share in shares.items():
        exact = 10_000 * added[party] / whole if whole else 10_000 / len(shares)
        assert abs(share - exact) < 1 + 1e-9
        assert share >= 0
        assert share == 0 or contributions[party] > 0 or whole == 0


@EXAMPLES
@given(games)
def test_who_adds_more_never_has_a_smaller_share(game: Game) -> None:
    found = sorted(measured(game).parties, key=lambda one: one.shapley)
    if found[-1].shapley > 0:
        shares = [one.share_bp for one in found if one.shapley > 0]
        assert shares == sorted(shares) or max(shares) - min(shares) <= 1


def test_remainders_go_to_the_largest_then_by_id() -> None:
    thirds = {name: Fraction(1) for name in ("c", "a", "b")}
    assert shares_bp(thirds) == {"a": 3_334, "b": 3_333, "c": 3_333}
    assert shares_bp({"a": Fraction(1), "b": Fraction(2)}) == {"a": 3_333, "b": 6_667}
    assert shares_bp({"a": Fraction(-5), "b": Fraction(1)}) == {"a": 0, "b": 10_000}
    assert shares_bp({"a": Fraction(-5), "b": Fraction(0)}) == {"a": 5_000, "b": 5_000}
