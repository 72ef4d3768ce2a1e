"""Interest: the contract computes what the model computes, payment by payment."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from contracts.financing import (
    ALL,
    PRICING_ADDRESS,
    Balance,
    Contribution,
    Paid,
    PaymentError,
    Tier,
    accept_calldata,
    accrual,
    apply_calldata,
    decode_log,
    draw_down_calldata,
    loan_id,
    publish_calldata,
    repay_calldata,
)
from ledger.types import Hash32
from tests.contracts.financing.loans import DAY, Loans, hash_of
from tests.contracts.scene import CHAIN_ID

pytestmark = pytest.mark.feature("F8")

_SHARED: Final[list[Loans]] = []


def shared_world() -> Loans:
    if not _SHARED:
        _SHARED.append(Loans.opened())
        _SHARED[0].tables = []  # the chain alone
        _SHARED[0].fund((1 << 127) - 1)
    return _SHARED[0]


def a_loan(
    world: Loans, amount: int, rate_bp: int, penalty_bp: int, year_days: int, term_days: int
) -> tuple[Hash32, Balance]:
    """A loan at that rate, and the model of it."""
    world.count(world.lot, 1_000_000)
    table = publish_calldata("CNY", [Tier(amount, term_days, rate_bp)], Contribution(), hash_of(""))
    version = world.act("bank", PRICING_ADDRESS, table)[0].topics[3]
    request = world.request(
        world.issue(1),
        amount=amount,
        amount_min=amount,
        penalty_bp=penalty_bp,
        year_days=year_days,
        term_days=term_days,
    )
    world.apply_("farm", apply_calldata(request, [("bank", int.from_bytes(version, "big"))]))
    id_ = loan_id(CHAIN_ID, "farm", request.number)
    world.apply_("farm", accept_calldata(id_, 0, "bank", world.approved(id_, amount=amount)))
    world.finance("bank", draw_down_calldata(id_, 0))
    drawn, due = world.chain.time, world.chain.time + term_days * DAY
    return id_, Balance(amount, 0, drawn, due, rate_bp, penalty_bp, year_days)


PAYMENTS: Final = st.lists(
    st.tuples(st.integers(0, 40 * DAY), st.fractions(0, 1).map(lambda f: f.limit_denominator(97))),
    max_size=4,
)


@settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(
    st.integers(1, 10**12) | st.integers(1, (1 << 120) - 1),
    st.integers(0, 10_000),
    st.integers(0, 10_000),
    st.sampled_from([360, 365]),
    st.integers(1, 60),
    PAYMENTS,
)
def test_every_payment_is_allocated_as_the_model_says(
    amount: int, rate: int, penalty: int, year: int, term: int, payments: list[tuple[int, object]]
) -> None:
    world = shared_world()
    id_, balance = a_loan(world, amount, rate, penalty, year, term)
    asset = world.loan(id_).asset
    for wait, share in payments:
        world.wait(wait)
        now = world.chain.time + 1
        ahead = balance.at(now)
        assert world.owed(id_, now) == (ahead.principal, ahead.interest)
        part = int(ahead.outstanding * share)  # type: ignore[operator]
        if part == 0 or part == ahead.outstanding:
            continue
        over = repay_calldata(id_, 0, ahead.outstanding + 1 + 10 * amount)
        assert world.no_finance("farm", over) == "Overpaid"
        logs = [decode_log(log) for log in world.finance("farm", repay_calldata(id_, 0, part))]
        balance, interest, principal = balance.paid(world.chain.time, part)
        (paid,) = (event for event in logs if isinstance(event, Paid))
        assert (paid.interest, paid.principal) == (interest, principal)
        debt = world.loan(id_).debt
        assert (debt.principal, debt.accrued) == (balance.principal, balance.accrued)
    before = world.deposit()
    world.repaid(id_, ALL, [asset])
    last = balance.at(world.chain.time).outstanding
    assert before - world.deposit() == last
    assert world.state(id_) == "repaid"
    world.fund(amount)  # the next loan is repaid too
    assert world.owed(id_) == (0, 0)


@given(
    st.integers(0, 1 << 120),
    st.integers(0, 10_000),
    st.integers(0, 10_000),
    st.lists(st.integers(0, 1 << 34), min_size=3, max_size=3).map(sorted),
    st.integers(0, 1 << 34),
)
def test_nothing_is_lost_or_gained_by_looking_in_between(
    principal: int, rate: int, penalty: int, times: list[int], due: int
) -> None:
    first, second, third = times
    whole = accrual(principal, rate, penalty, first, due, third)
    parts = accrual(principal, rate, penalty, first, due, second)
    parts += accrual(principal, rate, penalty, second, due, third)
    assert whole == parts


def test_figures_that_anybody_can_check_by_hand() -> None:
    day = 20_000 * DAY
    balance = Balance(100_000_00, 0, day + 5, day + 30 * DAY, 450, 300, 360)
    assert balance.at(day + 23 * 3_600).interest == 0  # the same day
    assert balance.at(day + 30 * DAY).interest == 375_00  # 100,000 · 4.5 % · 30/360
    assert balance.at(day + 40 * DAY).interest == 375_00 + 125_00 + 83_33  # + 3 % for ten days
    year = Balance(100_000_00, 0, day, day + 400 * DAY, 365, 0, 365)
    assert year.at(day + 365 * DAY).interest == 3_650_00
    left, interest, principal = balance.paid(day + 30 * DAY, 1_000_00)
    assert (interest, principal, left.principal) == (375_00, 625_00, 99_375_00)
    done, interest, principal = left.paid(day + 30 * DAY, None)
    assert (done.outstanding, interest, principal) == (0, 0, 99_375_00)
    for wrong in (0, -1, 100_375_01):
        with pytest.raises(PaymentError, match="is not between 1 and"):
            balance.paid(day + 30 * DAY, wrong)
