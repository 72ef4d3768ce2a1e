"""Interest by days, in integers: what the Financing contract computes, exactly.

Simple interest by calendar days in UTC: the day of payout counts, the day of payment does not; the
year has 360 or 365 days (ISDA 2006 definitions §4.16 (d) and (e)). What has accrued is kept as a
numerator (principal · bp · days), so that nothing is rounded between payments; what is asked for is
whole hundredths of the currency, rounded down. Solidity: `libraries/Interest.sol`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from contracts.financing.errors import PaymentError

DAY_SECONDS: Final = 86_400
BP: Final = 10_000


def accrual(principal: int, rate_bp: int, penalty_bp: int, begin: int, due: int, end: int) -> int:
    """Numerator of what accrues between two times; days after the due date bear the penalty too."""
    first, last, due_day = begin // DAY_SECONDS, end // DAY_SECONDS, due // DAY_SECONDS
    days = max(0, last - first)
    late = max(0, last - max(first, due_day)) if days else 0
    return principal * (days * rate_bp + late * penalty_bp)


@dataclass(frozen=True, slots=True)
class Balance:
    """What of a loan is unpaid, with the terms by which it grows."""

    principal: int
    accrued: int
    """Numerator of the interest unpaid at `accrued_at`."""
    accrued_at: int
    due: int
    rate_bp: int
    penalty_bp: int
    year_days: int

    def at(self, time: int) -> Balance:
        """The same at a later time."""
        added = accrual(
            self.principal, self.rate_bp, self.penalty_bp, self.accrued_at, self.due, time
        )
        return replace(self, accrued=self.accrued + added, accrued_at=time)

    @property
    def interest(self) -> int:
        """Interest owed at `accrued_at`, in hundredths."""
        return self.accrued // (BP * self.year_days)

    @property
    def outstanding(self) -> int:
        """All that is owed at `accrued_at`, in hundredths."""
        return self.principal + self.interest

    def paid(self, time: int, amount: int | None) -> tuple[Balance, int, int]:
        """The balance after a payment (None: of all), and what of it was interest and principal.

        Raises `PaymentError` for nothing or more than is owed.
        """
        now = self.at(time)
        value = now.outstanding if amount is None else amount
        if not 0 < value <= now.outstanding:
            raise PaymentError(f"{value} is not between 1 and the {now.outstanding} owed")
        interest = min(now.interest, value)
        left = replace(
            now,
            accrued=now.accrued - interest * BP * self.year_days,
            principal=now.principal - (value - interest),
        )
        if left.outstanding == 0:
            left = replace(left, accrued=0)  # less than a hundredth
        return left, interest, value - interest
