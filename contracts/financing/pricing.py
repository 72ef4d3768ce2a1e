"""Prices of loans, in integers: what Pricing and Applications compute, exactly."""

from __future__ import annotations

from collections.abc import Iterable

from contracts.financing.errors import NoTierError
from contracts.financing.types import RateTable, SealedQuote


def tiered_rate(table: RateTable, kind: str, amount: int, term_days: int) -> int:
    """Rate (bp) of the first tier that is for the instrument, amount and term.

    Raises `NoTierError`.
    """
    for tier in table.tiers:
        if (
            tier.kind in (None, kind)
            and amount <= tier.amount_max
            and term_days <= tier.term_days_max
        ):
            return tier.rate_bp
    raise NoTierError(f"no tier of {table.bank} for {kind}, {amount / 100:.2f}, {term_days} days")


def discount(table: RateTable, points: int, rate_bp: int) -> int:
    """What contribution points take off a rate (bp), within what the table allows."""
    terms = table.contribution
    if terms.points_per_bp == 0 or rate_bp <= terms.floor_bp:
        return 0
    return min(points // terms.points_per_bp, terms.discount_bp_max, rate_bp - terms.floor_bp)


def best_quote(quotes: Iterable[SealedQuote]) -> SealedQuote | None:
    """The winner among opened quotes: the lowest rate, of equal ones that handed in first."""
    return min(quotes, key=lambda quote: (quote.rate_bp, quote.order), default=None)
