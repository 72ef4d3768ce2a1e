"""Shapley values (Shapley, A value for n-person games, 1953), exact and sampled.

Values are doubles, and doubles are rational numbers: all arithmetic is in fractions, so that the
same values give the same shares on every machine, whoever computes them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from hashlib import sha256
from itertools import combinations

from federation.contribution.types import Coalition

Values = Mapping[Coalition, Fraction]


def all_coalitions(parties: Iterable[str]) -> list[Coalition]:
    """Every coalition of the parties, the empty one first, by size and then by members."""
    ordered = sorted(parties)
    return [
        frozenset(members)
        for size in range(len(ordered) + 1)
        for members in combinations(ordered, size)
    ]


def exact_values(parties: tuple[str, ...], values: Values) -> dict[str, Fraction]:
    """Shapley values from the values of all coalitions of the parties."""
    count = len(parties)
    found = dict.fromkeys(parties, Fraction(0))
    for coalition in all_coalitions(parties):
        size = len(coalition)
        for party in parties:
            if party in coalition:
                # How likely it is that just these others came before it.
                orders = math.factorial(size - 1) * math.factorial(count - size)
                weight = Fraction(orders, math.factorial(count))
                found[party] += weight * (values[coalition] - values[coalition - {party}])
    return found


def sampled_values(
    parties: tuple[str, ...], values: Values, *, seed: int, pairs: int
) -> tuple[dict[str, Fraction], dict[str, float]]:
    """Mean gain over seeded orders, each walked forward and backward (antithetic), and its
    standard error over the pairs (of the order of the truth from some twenty pairs on)."""
    sums = dict.fromkeys(parties, Fraction(0))
    squares = dict.fromkeys(parties, Fraction(0))
    for order in orders(parties, seed=seed, pairs=pairs):
        forward, backward = _gains(order, values), _gains(order[::-1], values)
        for party in parties:
            gain = (forward[party] + backward[party]) / 2
            sums[party] += gain
            squares[party] += gain * gain
    means = {party: total / pairs for party, total in sums.items()}
    if pairs == 1:
        # One pair says nothing of how far the next would be off: all that can be said is "much".
        spread = {party: abs(float(mean)) for party, mean in means.items()}
        return means, spread
    return means, {
        party: math.sqrt((squares[party] / pairs - means[party] ** 2) / (pairs - 1))
        for party in parties
    }


def orders(parties: tuple[str, ...], *, seed: int, pairs: int) -> Iterator[tuple[str, ...]]:
    """The sampled orders, for anybody to repeat in any language: the n-th (from 0) has the parties
    ascending by the SHA-256 of the text `seed/n/party`."""
    for number in range(pairs):
        yield tuple(
            sorted(parties, key=lambda party: sha256(f"{seed}/{number}/{party}".encode()).digest())
        )


def coalitions_of_orders(parties: tuple[str, ...], *, seed: int, pairs: int) -> Iterator[Coalition]:
    """Every coalition that the sampled orders and their reverses pass through (repeatedly)."""
    for order in orders(parties, seed=seed, pairs=pairs):
        for size in range(len(order) + 1):
            yield frozenset(order[:size])
            yield frozenset(order[size:])


def _gains(order: tuple[str, ...], values: Values) -> dict[str, Fraction]:
    gains: dict[str, Fraction] = {}
    before: Coalition = frozenset()
    for party in order:
        after = before | {party}
        gains[party] = values[after] - values[before]
        before = after
    return gains
