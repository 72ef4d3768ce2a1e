"""The waterfall: the same arithmetic as `libraries/Waterfall.sol` and `Pools.distribute`.

Who wants to know what a distribution will bring, or whether one was right, computes it here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import accumulate, groupby, pairwise

from contracts.pools.errors import WaterfallError
from contracts.pools.types import (
    Account,
    Day,
    Distribution,
    Fee,
    Open,
    Owed,
    Payment,
    PaymentKind,
    Terms,
    Tranche,
    days_of,
)

_BP = 10_000
Holdings = tuple[tuple[str, int], ...]
"""Holders of a tranche with their units, in the contract's order."""


@dataclass(frozen=True, slots=True)
class Dues:
    """What came in and what is due. Ranks ascend; all lists of tranches are of one length."""

    available: int
    fees: tuple[int, ...]
    ranks: tuple[int, ...]
    interest: tuple[int, ...]
    outstanding: tuple[int, ...]
    principal: int
    """What is to be repaid in this period."""
    sequential: bool


@dataclass(frozen=True, slots=True)
class Shares:
    """Who gets what; together exactly what was available."""

    fees: tuple[int, ...]
    interest: tuple[int, ...]
    principal: tuple[int, ...]
    residual: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A pool before a distribution."""

    terms: Terms
    tranches: tuple[Tranche, ...]
    fees: tuple[Fee, ...]
    holdings: tuple[Holdings, ...]
    """Of each tranche."""
    tranches_owed: tuple[Owed, ...]
    fees_owed: tuple[Owed, ...]
    account: Account


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a distribution makes of it."""

    distribution: Distribution
    payments: tuple[Payment, ...]
    standing: Standing
    """Afterwards."""


def split(amount: int, weights: Sequence[int]) -> tuple[int, ...]:
    """An amount in proportion to weights, exactly: differences of rounded sums."""
    total = sum(weights)
    if not total:
        return tuple(0 for _ in weights)
    upto = [0, *(amount * part // total for part in accumulate(weights))]
    return tuple(after - before for before, after in pairwise(upto))


def share(dues: Dues) -> Shares:
    """Fees in their order, interest by rank, principal by rank or pro rata, the rest."""
    left = dues.available
    fees = []
    for due in dues.fees:
        fees.append(min(left, due))
        left -= fees[-1]
    interest, left = _by_rank(left, dues.ranks, dues.interest)
    repaid = min(left, dues.principal)
    ranks = dues.ranks if dues.sequential else tuple(0 for _ in dues.ranks)
    principal, over = _by_rank(repaid, ranks, dues.outstanding)
    return Shares(tuple(fees), interest, principal, left - repaid + over)


def _by_rank(amount: int, ranks: Sequence[int], dues: Sequence[int]) -> tuple[tuple[int, ...], int]:
    paid: list[int] = []
    for _, group in groupby(zip(ranks, dues, strict=True), key=lambda pair: pair[0]):
        wanted = [due for _, due in group]
        given = min(amount, sum(wanted))
        paid += split(given, wanted)
        amount -= given
    return tuple(paid), amount


def accrue(principal: int, rate_bp: int, days: int, basis: int, remainder: int) -> tuple[int, int]:
    """Whole hundredths that accrue, and the remainder in 1 / (10,000 x basis) of them."""
    return divmod(principal * rate_bp * days + remainder, _BP * basis)


def distribute(
    standing: Standing, collected: Open, day: Day, end: date, revision: int = 1
) -> Outcome:
    """What `Pools.distribute` does with what was collected, by the state `day` of the date `end`.

    Raises `WaterfallError` where the period does not end after the last one.
    """
    account, terms = standing.account, standing.terms
    begin = account.period_end if account.periods else days_of(terms.start)
    days = days_of(end) - begin
    if days <= 0:
        raise WaterfallError(f"{end} is not after the end of the last period")
    dues, accrued = _dues(standing, days, collected)
    owed = sum(dues.outstanding)
    bad, whole = day.overdue + day.defaulted, day.performing + day.overdue + day.defaulted
    sequential = bad * _BP >= whole * terms.sequential_bp
    turbo = bad * _BP >= whole * terms.turbo_bp
    lost = max(0, day.defaulted - account.defaulted_peak)
    base = min(account.shortfall + collected.principal + lost, owed)
    shares = share(replace(dues, principal=owed if turbo else base, sequential=sequential))
    payments = tuple(_payments(standing, shares, account.periods + 1))
    repaid = sum(shares.principal)
    distribution = Distribution(
        end=end,
        revision=revision,
        sequential=sequential,
        turbo=turbo,
        first_payment=account.payments + 1,
        payments=len(payments),
        collected=dues.available,
        fees=sum(shares.fees),
        interest=sum(shares.interest),
        principal=repaid,
        residual=shares.residual,
    )
    after = replace(
        account,
        periods=account.periods + 1,
        period_end=days_of(end),
        payments=account.payments + len(payments),
        unconfirmed=account.unconfirmed + len(payments),
        shortfall=max(0, base - repaid),
        defaulted_peak=max(account.defaulted_peak, day.defaulted),
    )
    later = _carried(replace(accrued, account=after), dues, shares)
    return Outcome(distribution, payments, later)


def _dues(standing: Standing, days: int, collected: Open) -> tuple[Dues, Standing]:
    """What is due, and the standing with the new remainders."""
    basis = standing.terms.basis
    outstanding, interest, tranches = [], [], []
    for tranche, owed in zip(standing.tranches, standing.tranches_owed, strict=True):
        left = tranche.principal - owed.repaid
        amount, rest = accrue(left, tranche.rate_bp, days, basis, owed.remainder)
        outstanding.append(left)
        interest.append(amount + owed.carried)
        tranches.append(replace(owed, remainder=rest))
    wanted, fees = [], []
    for fee, owed in zip(standing.fees, standing.fees_owed, strict=True):
        yearly = sum(outstanding) * fee.rate_bp + fee.fixed_amount * _BP
        amount, rest = accrue(yearly, 1, days, basis, owed.remainder)
        wanted.append(amount + owed.carried)
        fees.append(replace(owed, remainder=rest))
    dues = Dues(
        available=collected.principal + collected.income,
        fees=tuple(wanted),
        ranks=tuple(tranche.seniority for tranche in standing.tranches),
        interest=tuple(interest),
        outstanding=tuple(outstanding),
        principal=0,
        sequential=True,
    )
    return dues, replace(standing, tranches_owed=tuple(tranches), fees_owed=tuple(fees))


def _carried(accrued: Standing, dues: Dues, shares: Shares) -> Standing:
    """With what is carried over to the next period."""
    tranches = zip(
        accrued.tranches_owed, dues.interest, shares.interest, shares.principal, strict=True
    )
    fees = zip(accrued.fees_owed, dues.fees, shares.fees, strict=True)
    return replace(
        accrued,
        tranches_owed=tuple(
            replace(owed, carried=due - paid, repaid=owed.repaid + repaid)
            for owed, due, paid, repaid in tranches
        ),
        fees_owed=tuple(replace(owed, carried=due - paid) for owed, due, paid in fees),
    )


def _payments(standing: Standing, shares: Shares, period: int) -> Iterator[Payment]:
    for index, (fee, amount) in enumerate(zip(standing.fees, shares.fees, strict=True)):
        if amount:
            yield Payment(fee.payee, period, PaymentKind.FEE, index, amount, 0)
    for index, holdings in enumerate(standing.holdings):
        units = [held for _, held in holdings]
        interest = split(shares.interest[index], units)
        principal = split(shares.principal[index], units)
        for (holder, _), part, repaid in zip(holdings, interest, principal, strict=True):
            if part + repaid:
                kind = PaymentKind.TRANCHE
                yield Payment(holder, period, kind, index, part + repaid, repaid)
    if shares.residual:
        kind = PaymentKind.RESIDUAL
        yield Payment(standing.terms.residual, period, kind, 0, shares.residual, 0)


@dataclass(frozen=True, slots=True)
class Flow:
    """A part of a collection that has gone into a payment."""

    collection: int
    """Number of the collection."""
    payment: int
    """Number of the payment."""
    amount: int


def flows(
    collections: Sequence[tuple[int, int]], payments: Sequence[tuple[int, int]]
) -> tuple[Flow, ...]:
    """Which collection has paid for which payment: first in, first out, to the hundredth.

    Both are (number, amount) of one period, in their order. Money has no names; this rule gives it
    some that everybody computes alike. Raises `WaterfallError` where the sums differ.
    """
    if sum(amount for _, amount in collections) != sum(amount for _, amount in payments):
        raise WaterfallError("what was collected is not what was paid out")
    found: list[Flow] = []
    sources = iter(collections)
    number, left = 0, 0
    for payment, wanted in payments:
        while wanted:
            while not left:
                number, left = next(sources)
            part = min(wanted, left)
            found.append(Flow(number, payment, part))
            wanted, left = wanted - part, left - part
    return tuple(found)
