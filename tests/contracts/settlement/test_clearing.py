"""Net positions of a day: conserved, deterministic, and the same from the tables."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.instruments.places import ChainPlace
from contracts.instruments.viewer import Viewer
from contracts.settlement import (
    InterbankMovement,
    Payment,
    Position,
    PositionKind,
    confirm_settlement_calldata,
    pay_calldata,
)
from contracts.settlement.clearing import Clearing, Transfer, clear, clear_day
from ledger.types import Hash32
from tests.contracts.settlement.market import CNY, EVERYTHING, Market, opened

pytestmark = pytest.mark.feature("F10")
NAMES = ("alpha", "beta", "gamma", "delta")
PLACE = ChainPlace(1, 1, Hash32(bytes(32)), 0, 0)


def claimed(creditor: str, debtor: str, amount: int, currency: str = CNY) -> InterbankMovement:
    kind, position = PositionKind.CLAIMED, Position(0, 0)
    return InterbankMovement(
        creditor, debtor, currency, None, kind, amount, position, None, "", PLACE
    )


def test_three_banks_settle_by_two_payments() -> None:
    found = clear(
        {(CNY, ("alpha", "beta")): 5},
        [
            claimed("alpha", "beta", 100),
            claimed("beta", "alpha", 30),
            claimed("beta", "gamma", 50),
            claimed("gamma", "alpha", 20),
        ],
        0,
        1,
    )
    pair = found.bilateral[0]
    assert (pair.first, pair.second, pair.day_net, pair.net) == ("alpha", "beta", 70, 75)
    assert [(one.bank, one.day_net, one.net) for one in found.multilateral] == [
        ("alpha", 50, 55),
        ("beta", -20, -25),
        ("gamma", -30, -30),
    ]
    assert found.transfers == (
        Transfer(CNY, "gamma", "alpha", 30),
        Transfer(CNY, "beta", "alpha", 25),
    )


_movements = st.lists(
    st.tuples(st.permutations(NAMES), st.integers(1, 10**15), st.sampled_from((CNY, "USD"))).map(
        lambda drawn: claimed(drawn[0][0], drawn[0][1], drawn[1], drawn[2])
    ),
    max_size=30,
)


@settings(deadline=None)
@given(_movements, st.randoms())
def test_nets_are_conserved_and_transfers_settle_them(
    movements: list[InterbankMovement], random: object
) -> None:
    found = clear({}, movements, 0, 1)
    for currency in (CNY, "USD"):
        nets = {one.bank: one.net for one in found.multilateral if one.currency == currency}
        assert sum(nets.values()) == 0
        gross = sum(one.amount for one in movements if one.currency == currency)
        received = [one.received for one in found.multilateral if one.currency == currency]
        assert sum(received) == gross
        transfers = [one for one in found.transfers if one.currency == currency]
        assert len(transfers) < max(1, len([net for net in nets.values() if net]))
        for one in transfers:
            assert one.amount > 0
            nets[one.payer] += one.amount
            nets[one.payee] -= one.amount
        assert set(nets.values()) <= {0}
    assert clear({}, sorted(movements, key=lambda one: one.amount), 0, 1) == found


@pytest.fixture
def market() -> Market:
    market = opened()
    market.limit("second-bank", "first-bank", 50_000)
    market.limit("first-bank", "second-bank", 50_000)
    return market


def pay(market: Market, by: str, amount: int) -> None:
    payer = (
        ("first-bank", "mill", "second-bank")
        if by == "trader"
        else (
            "second-bank",
            "farm",
            "first-bank",
        )
    )
    payment = Payment(payer[0], payer[1], CNY, amount, market.number(), payer[2])
    market.deposits(by, pay_calldata(payment))


def day_of(market: Market, viewer: Viewer, days: int = 0) -> Clearing:
    today = datetime.fromtimestamp(market.chain.time, UTC).date() + timedelta(days)
    with market.tables.engine.connect() as connection:
        return clear_day(connection, viewer, today)


def test_a_day_from_the_tables(market: Market) -> None:
    pay(market, "trader", 9_000)
    pay(market, "mill", 2_500)
    data = confirm_settlement_calldata("first-bank", CNY, 1_000, market.number())
    market.deposits("second-bank", data)
    found = day_of(market, EVERYTHING)
    (pair,) = found.bilateral
    assert (pair.claimed_first, pair.claimed_second, pair.payments) == (2_500, 9_000, 2)
    assert (pair.set_off, pair.settled_first, pair.settled_second) == (2_500, 0, 1_000)
    assert pair.closing_second == market.position("second-bank", "first-bank").claim == 5_500
    assert pair.closing_first == market.position("first-bank", "second-bank").claim == 0
    assert found.transfers == (Transfer(CNY, "first-bank", "second-bank", 5_500),)
    assert day_of(market, Viewer.of("first-bank")).bilateral == found.bilateral
    assert day_of(market, Viewer.of("first-bank")).transfers == ()
    assert day_of(market, Viewer.of("trader")).bilateral == ()


def test_the_next_day_begins_with_what_was_left(market: Market) -> None:
    pay(market, "trader", 9_000)
    market.chain.number += 86_400
    pay(market, "mill", 2_500)
    (pair,) = day_of(market, EVERYTHING).bilateral
    assert (pair.opening_second, pair.claimed_second, pair.claimed_first) == (9_000, 0, 2_500)
    assert (pair.set_off, pair.closing_second, pair.net) == (2_500, 6_500, -6_500)
    (before,) = day_of(market, EVERYTHING, -1).bilateral
    assert (before.opening_second, before.closing_second) == (0, 9_000)
    assert day_of(market, EVERYTHING, -2).bilateral == ()


def test_a_past_day_is_found_again_whatever_came_after_it(market: Market) -> None:
    pay(market, "trader", 9_000)
    settled = confirm_settlement_calldata("first-bank", CNY, 4_000, market.number())
    for change in (
        lambda: market.deposits("second-bank", settled),
        lambda: market.limit("second-bank", "first-bank", 70_000),
        lambda: pay(market, "trader", 500),
    ):
        market.chain.number += 86_400
        change()
    closings = []
    for days in (-3, -2, -1, 0):
        found = day_of(market, EVERYTHING, days)
        (pair,) = found.bilateral
        closings.append((pair.opening_second, pair.closing_second))
        assert day_of(market, Viewer.of("first-bank"), days).bilateral == found.bilateral
    assert closings == [(0, 9_000), (9_000, 5_000), (5_000, 5_000), (5_000, 5_500)]


def test_a_day_begins_at_midnight_of_its_zone(market: Market) -> None:
    zone = timezone(timedelta(hours=8))
    with market.tables.engine.connect() as connection:
        found = clear_day(connection, EVERYTHING, date(2027, 1, 15), zone=zone)
    assert datetime.fromtimestamp(found.since, UTC) == datetime(2027, 1, 14, 16, tzinfo=UTC)
    assert found.until - found.since == 86_400
