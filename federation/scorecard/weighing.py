"""Totals times known whole numbers, added up unread."""

from __future__ import annotations

from collections.abc import Sequence

from gmpy2 import mpz

from federation.sums import Adder


def weigh(adder: Adder, totals: Sequence[mpz], factors: Sequence[int]) -> mpz:
    """The sealed sum of `factor * total`. Requires at least one of each, as many of one as of the
    other."""
    above = _weigh(adder, totals, [max(0, factor) for factor in factors])
    below = _weigh(adder, totals, [max(0, -factor) for factor in factors])
    if above is None:
        above = adder.subtract(([totals[0]],), ([totals[0]],))[0][0]
    return above if below is None else adder.subtract(([above],), ([below],))[0][0]


def _weigh(adder: Adder, totals: Sequence[mpz], factors: Sequence[int]) -> mpz | None:
    """None where all factors are zero. Bit by bit of all factors at once (Straus 1964)."""
    found: mpz | None = None
    for bit in reversed(range(max(factors).bit_length())):
        if found is not None:
            found = adder.add(found, found)
        for total, factor in zip(totals, factors, strict=True):
            if factor >> bit & 1:
                found = total if found is None else adder.add(found, total)
    return found
