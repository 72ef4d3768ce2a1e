"""From contributions to shares of a whole."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from federation.contribution.errors import GameInvalid

WHOLE_BP = 10_000


def shares_bp(contributions: Mapping[str, Fraction]) -> dict[str, int]:
    """Hundredths of a percent in proportion to contributions, together exactly 10,000.

    The rule `negative-nothing/1`: who takes away gets nothing and pays nothing; the others share
    in proportion to what they add. Where nobody adds anything, all share alike. What rounding
    down leaves goes, one hundredth each, to the largest remainders, among equal ones in the order
    of the ids.
    """
    if not contributions:
        raise GameInvalid("there is nobody to share among")
    added = {party: max(Fraction(0), value) for party, value in contributions.items()}
    whole = sum(added.values())
    if not whole:
        added, whole = dict.fromkeys(added, Fraction(1)), Fraction(len(added))
    exact = {party: WHOLE_BP * value / whole for party, value in added.items()}
    shares = {party: int(value) for party, value in exact.items()}
    left = WHOLE_BP - sum(shares.values())
    for party in sorted(exact, key=lambda party: (shares[party] - exact[party], party))[:left]:
        shares[party] += 1
    return shares
