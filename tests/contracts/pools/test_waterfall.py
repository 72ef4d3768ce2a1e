"""The waterfall: the Python model against the contract, and what must hold for any money."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from contracts.pools import binding
from contracts.pools.errors import WaterfallError
from contracts.pools.types import Day, Fee, Open, PaymentKind, PoolDraft, TrancheDraft
from contracts.pools.waterfall import Dues, distribute, flows, share, split
from tests.contracts.pools.scene import (
    FIRST,
    PoolScene,
    collection,
    day,
    draft,
    outcome_in,
    payments_in,
    standing,
)

pytestmark = pytest.mark.feature("F7")
AMOUNT = st.integers(0, 10**9)


@given(st.integers(0, 10**30), st.lists(st.integers(0, 10**15), min_size=1, max_size=16))
def test_parts_are_exactly_the_whole_and_none_is_further_than_one_from_its_share(
    amount: int, weights: list[int]
) -> None:
    parts = split(amount, weights)
    total = sum(weights)
    assert sum(parts) == (amount if total else 0)
    for part, weight in zip(parts, weights, strict=True):
        assert not total or abs(part * total - amount * weight) < total


@given(
    AMOUNT,
    st.lists(AMOUNT, max_size=4),
    st.lists(st.tuples(st.integers(1, 3), AMOUNT, AMOUNT), min_size=1, max_size=8),
    AMOUNT,
    st.booleans(),
)
def test_what_comes_in_goes_out_and_nobody_gets_more_than_is_due(
    available: int,
    fees: list[int],
    tranches: list[tuple[int, int, int]],
    principal: int,
    sequential: bool,
) -> None:
    ranks, interest, outstanding = zip(*sorted(tranches), strict=True)
    dues = Dues(available, tuple(fees), ranks, interest, outstanding, principal, sequential)
    shares = share(dues)
    paid = (*shares.fees, *shares.interest, *shares.principal, shares.residual)
    assert sum(paid) == available
    assert min(paid) >= 0
    assert all(p <= d for p, d in zip(shares.fees, fees, strict=True))
    assert all(p <= d for p, d in zip(shares.interest, interest, strict=True))
    assert all(p <= d for p, d in zip(shares.principal, outstanding, strict=True))
    if sum(shares.interest) < sum(interest):
        assert sum(shares.principal) == shares.residual == 0
    if sequential:
        for i, rank in enumerate(ranks):
            later = [p for r, p in zip(ranks, shares.principal, strict=True) if r > rank]
            assert shares.principal[i] == outstanding[i] or not sum(later)


@st.composite
def months(draw: st.DrawFn) -> list[tuple[int, int, Day]]:
    """Principal, income and state of some months."""
    found = []
    for _ in range(draw(st.integers(1, 3))):
        bad = draw(st.integers(0, 200_000_00))
        defaulted = draw(st.integers(0, bad))
        state = day(performing=950_000_00, overdue=bad - defaulted, defaulted=defaulted)
        principal = draw(st.integers(0, 400_000_00))
        found.append((principal, draw(st.integers(0, 30_000_00)), state))
    return found


# Making an example smaller costs minutes on the EVM; the numbers of a failing one say enough.
@settings(max_examples=8, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    months(),
    st.lists(st.tuples(st.integers(1, 2), st.integers(0, 10_000)), min_size=1, max_size=4),
    st.sampled_from([360, 365]),
    st.integers(0, 10_001),
)
def test_the_model_and_the_contract_agree_to_the_hundredth(
    money: list[tuple[int, int, Day]],
    ranks: list[tuple[int, int]],
    basis: int,
    sequential_bp: int,
) -> None:
    plan = draft()
    holders = (("north-fund", 333_333_33), ("south-fund", 1), ("east-fund", 77_777_77))
    tranches = tuple(
        TrancheDraft(f"T{number}", rank, rate, holders[: 1 + number % 3])
        for number, (rank, rate) in enumerate(sorted(ranks))
    )
    limits = replace(plan.terms, basis=basis, sequential_bp=sequential_bp, turbo_bp=2_000)
    plan = replace(plan, tranches=tranches, terms=limits)
    _compare(plan, money)


def _compare(plan: PoolDraft, money: list[tuple[int, int, Day]]) -> None:
    scene, expected = PoolScene(), standing(plan)
    id_ = scene.active(plan)
    for number, (principal, income, state) in enumerate(money, 1):
        on = FIRST + timedelta(days=number)
        changed = replace(state, root=state.root, changed=state.count)
        assert scene.commit(id_, on, changed).status == 1
        if principal + income:
            receipt = scene.collect(id_, collection(f"{number}", principal, income, number))
            assert receipt.status == 1
        collected = scene.open(id_, number)
        outcome = distribute(expected, collected, state, on)
        events, _ = scene.distribute(id_, number, on)
        assert outcome_in(events).distribution == outcome.distribution
        assert payments_in(events) == list(outcome.payments)
        assert sum(payment.amount for payment in outcome.payments) == principal + income
        told = outcome_in(events)
        assert (told.tranches, told.fees) == (
            outcome.standing.tranches_owed,
            outcome.standing.fees_owed,
        )
        collections = scene.account(id_).collections
        expected = replace(
            outcome.standing, account=replace(outcome.standing.account, collections=collections)
        )
        assert scene.account(id_) == expected.account == told.account
        assert scene.owed(id_) == (expected.tranches_owed, expected.fees_owed)


def test_a_normal_month_pays_everybody_and_leaves_the_rest_to_the_originator() -> None:
    outcome = distribute(standing(draft()), Open(40_000_00, 9_000_00, 1), day(), date(2027, 1, 31))
    found = outcome.distribution
    assert not found.sequential
    assert not found.turbo
    assert found.principal == 40_000_00
    # 800,000.01 at 3.10 %, 100,000 at 5.20 % and 50,007 at 9.00 %, for 31 days of 365
    assert found.interest == 2106_30 + 441_64 + 382_24
    # 2 bp and 50 bp of 950,007.01, and 100.00, a year
    assert found.fees == 16_13 + 8_49 + 1 + 403_42
    assert found.residual == 9_000_00 - found.interest - found.fees
    assert outcome.payments[-1].kind is PaymentKind.RESIDUAL


def test_too_many_defaults_stop_the_residual_and_pay_the_senior_tranche_first() -> None:
    state = day(performing=850_000_00, overdue=0, defaulted=100_000_00)
    outcome = distribute(standing(draft()), Open(40_000_00, 9_000_00, 1), state, date(2027, 1, 31))
    found = outcome.distribution
    assert found.sequential
    assert found.turbo
    assert found.residual == 0
    repaid = [owed.repaid for owed in outcome.standing.tranches_owed]
    assert repaid[0] == found.principal
    assert repaid[1:] == [0, 0]
    # The default is due to the investors and carried, as far as it could not be paid.
    assert outcome.standing.account.shortfall == 140_000_00 - found.principal


def test_a_shortfall_of_interest_is_carried_and_paid_first_next_time() -> None:
    first = distribute(standing(draft()), Open(0, 1_000_00, 1), day(), date(2027, 1, 31))
    missing = [owed.carried for owed in first.standing.tranches_owed]
    assert missing[0] > 0
    assert missing[2] == 382_24
    second = distribute(first.standing, Open(0, 20_000_00, 1), day(), date(2027, 2, 28))
    assert [owed.carried for owed in second.standing.tranches_owed] == [0, 0, 0]
    assert second.distribution.interest > sum(missing)


@pytest.mark.parametrize("lengths", [[1] * 365, [365], [7, 300, 58]])
def test_a_year_of_fees_is_the_same_however_often_it_is_shared_out(lengths: list[int]) -> None:
    """A trustee who shares out every day does not get his fixed fee every day."""
    fees = (Fee("trust-house", 0, 100_00), Fee("loan-service", 2, 1))
    last, now, paid = draft().terms.start, standing(replace(draft(), fees=fees)), [0, 0]
    for length in lengths:
        last += timedelta(days=length)
        outcome = distribute(now, Open(0, 1_000_00, 1), day(), last)
        now = outcome.standing
        for payment in outcome.payments:
            if payment.kind is PaymentKind.FEE:
                paid[payment.index] += payment.amount
    assert paid == [100_00, 190_00 + 1]  # 2 bp of 950,007.01
    assert [owed.carried for owed in now.fees_owed] == [0, 0]


def test_a_period_ends_after_the_one_before() -> None:
    first = distribute(standing(draft()), Open(0, 1_000_00, 1), day(), date(2027, 1, 31))
    with pytest.raises(WaterfallError, match="not after"):
        distribute(first.standing, Open(0, 1_000_00, 1), day(), date(2027, 1, 31))


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=12), st.data())
def test_each_hundredth_paid_out_is_traced_to_one_that_came_in(
    collected: list[int], data: st.DataObject
) -> None:
    total, paid = sum(collected), []
    while total:
        paid.append(data.draw(st.integers(1, total)))
        total -= paid[-1]
    found = flows(list(enumerate(collected, 1)), list(enumerate(paid, 1)))
    for number, amount in enumerate(collected, 1):
        assert sum(flow.amount for flow in found if flow.collection == number) == amount
    for number, amount in enumerate(paid, 1):
        assert sum(flow.amount for flow in found if flow.payment == number) == amount
    assert len(found) < len(collected) + len(paid)


def test_sums_that_differ_are_not_traced() -> None:
    with pytest.raises(WaterfallError):
        flows([(1, 10)], [(1, 9)])


def test_a_distribution_names_what_the_trustee_has_seen() -> None:
    scene = PoolScene()
    id_ = scene.active()
    scene.commit(id_, FIRST, day())
    seen = scene.open(id_, 1)
    scene.collect(id_, collection("p1", 1_00, 0))
    data = binding.distribute_calldata(id_, 1, FIRST, seen.revision)
    assert scene.cash("trust-house", data).status == 0
    assert outcome_in(scene.distribute(id_, 1, FIRST)[0]).distribution.collected == 1_00
