"""What releases cost, held against dp-accounting; and a budget that refuses."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import dp_accounting
import pytest
from dp_accounting import rdp
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.privacy import (
    Budget,
    BudgetExceeded,
    Noise,
    PrivacyInvalid,
    Spend,
    StepSpent,
    epsilon_of,
    noise_for,
    rho_of,
)

pytestmark = pytest.mark.feature("D4")

DELTA = 10**13  # 10^-5 in units of 10^-18
ORDERS = [1 + 2.0 ** (n / 8) for n in range(-40, 120)]


@pytest.mark.parametrize("rho", [1e-4, 0.003, 0.03, 0.5, 4.0])
@pytest.mark.parametrize("delta", [1e-5, 1e-9])
def test_epsilon_is_that_of_dp_accounting(rho, delta):
    accountant = rdp.RdpAccountant(orders=ORDERS)
    accountant.compose(dp_accounting.GaussianDpEvent(1 / math.sqrt(2 * rho)))
    theirs = accountant.get_epsilon(delta)
    ours = epsilon_of(rho, delta)
    assert ours <= theirs + 1e-9  # they try fewer orders
    assert ours == pytest.approx(theirs, rel=2e-3)


def test_several_releases_cost_what_dp_accounting_says_together():
    accountant = rdp.RdpAccountant(orders=ORDERS)
    total = 0.0
    for sigma in (5.0, 9.0, 30.0, 30.0):
        accountant.compose(dp_accounting.GaussianDpEvent(sigma))
        total += 1 / (2 * sigma * sigma)
    assert epsilon_of(total, 1e-5) == pytest.approx(accountant.get_epsilon(1e-5), rel=2e-3)


@settings(max_examples=25)
@given(st.floats(0.01, 20), st.floats(1e-12, 0.01))
def test_rho_and_epsilon_are_inverse(epsilon, delta):
    rho = rho_of(epsilon, delta)
    assert epsilon_of(rho, delta) == pytest.approx(epsilon, rel=1e-6)
    assert epsilon_of(rho, delta) <= epsilon


@given(st.floats(1e-6, 2), st.floats(1e-6, 2))
def test_more_costs_more(one, more):
    assert epsilon_of(one + more, 1e-5) > epsilon_of(one, 1e-5)


@given(st.integers(1, 10_000), st.floats(1e-4, 1.0), st.integers(1, 20), st.integers(1, 10_000))
def test_noise_is_enough_and_hardly_more(sensitivity, rho, parties, length):
    noise = noise_for(sensitivity, rho, parties=parties, length=length)
    assert noise.rho(sensitivity) <= rho
    if noise.variance > 4:
        wasteful = Noise(noise.variance * Fraction(99, 100) - 1, parties, length)
        assert wasteful.variance < 4 or wasteful.rho(sensitivity) > rho


def test_shares_of_several_parties_add_up_to_the_noise_of_one():
    one = noise_for(100, 0.01, parties=1, length=10)
    five = noise_for(100, 0.01, parties=5, length=10)
    assert float(five.variance * 5) == pytest.approx(float(one.variance), rel=1e-3)
    # Theorem 1 of Kairouz, Liu and Steinke: small shares together are not quite a Gaussian.
    small = Noise(Fraction(1, 4), 5, 10)
    assert small.rho(1) > 1.5 / (2 * 5 * 0.25)


@pytest.mark.parametrize(
    "call",
    [
        lambda: epsilon_of(-1, 1e-5),
        lambda: epsilon_of(1, 0),
        lambda: epsilon_of(1, 1),
        lambda: rho_of(0, 1e-5),
        lambda: rho_of(1, 1e-20),
        lambda: noise_for(0, 0.1, parties=1, length=1),
        lambda: noise_for(1, 0.0, parties=1, length=1),
        lambda: noise_for(1, 0.1, parties=0, length=1),
        lambda: Budget(0, DELTA),
        lambda: Budget(1, 0),
        lambda: Budget(1_000_000, DELTA).spend("step", 0.0),
        lambda: Budget(1_000_000, DELTA).spend("", 0.001),
    ],
)
def test_what_is_no_parameter_is_refused(call):
    with pytest.raises(PrivacyInvalid):
        call()


class TestBudget:
    """Written down before it is released, or not released."""

    def test_spends_add_up_until_nothing_is_left(self):
        budget = Budget(1_000_000, DELTA)
        quarter = rho_of(1.0, 1e-5) / 4 * (1 - 1e-9)
        for number in range(4):
            spend = budget.spend(f"{number}/cells", quarter)
            assert spend.epsilon_millionths == budget.spent_millionths
        assert 999_990 <= budget.spent_millionths <= 1_000_000
        with pytest.raises(BudgetExceeded, match=r"'5/more'.*1000000 are agreed") as caught:
            budget.spend("5/more", 1e-4)
        assert caught.value.would_be > 1_000_000
        assert len(budget.spends) == 4

    def test_a_step_is_paid_once(self):
        budget = Budget(1_000_000, DELTA)
        budget.spend("1/cells", 0.001)
        with pytest.raises(StepSpent, match="1/cells"):
            budget.spend("1/cells", 0.001)

    def test_it_is_taken_up_from_its_records(self):
        budget = Budget(1_000_000, DELTA)
        for number in range(3):
            budget.spend(f"{number}", 0.004)
        again = Budget(1_000_000, DELTA, budget.spends)
        assert again.spends == budget.spends
        assert again.spent_millionths == budget.spent_millionths
        with pytest.raises(BudgetExceeded):
            Budget(200_000, DELTA, budget.spends)

    def test_a_record_is_canonical(self):
        spend = Spend("2/woe", "discrete-gaussian", 10**10, 123_456)
        assert spend.to_json() == (
            b'{"epsilon":123456,"mechanism":"discrete-gaussian","rho":10000000000,"step":"2/woe"}'
        )
        assert json.loads(spend.to_json())["epsilon"] == 123_456
        assert len(spend.digest) == 32

    @given(st.lists(st.floats(1e-6, 0.02), max_size=30))
    def test_whatever_is_asked_it_never_goes_beyond(self, costs):
        budget = Budget(500_000, DELTA)
        for number, cost in enumerate(costs):
            before = budget.spends
            try:
                budget.spend(str(number), cost)
            except BudgetExceeded:
                assert budget.spends == before
        total = sum(spend.rho_units for spend in budget.spends) / 10**12
        assert epsilon_of(total, 1e-5) <= 0.5
