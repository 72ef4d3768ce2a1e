"""Prices: the contract computes what the model computes."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.financing import (
    PRICING_ADDRESS,
    Contribution,
    Mode,
    NoTierError,
    PointsRecorded,
    RateTable,
    Tier,
    contributed_calldata,
    decode_contributed,
    decode_log,
    decode_tiered,
    discount,
    publish_calldata,
    record_points_calldata,
    tiered_calldata,
    tiered_rate,
)
from ledger.types import Hash32
from tests.contracts.financing.loans import CONTRIBUTION, DAY, KEYS, TIERS, Loans, hash_of

pytestmark = pytest.mark.feature("F9")

AMOUNTS: Final = st.integers(1, (1 << 128) - 1)
TERM: Final = st.integers(1, (1 << 16) - 1)
RATES: Final = st.integers(0, 10_000)
KINDS: Final = st.sampled_from(["receipts", "receivables"])
ROWS: Final = st.lists(
    st.builds(Tier, AMOUNTS, TERM, RATES, kind=st.none() | KINDS), min_size=1, max_size=8
)
CONTRIBUTIONS: Final = st.builds(
    Contribution, st.integers(0, 50), st.integers(0, 10_000), st.integers(0, 10_000)
)

_WORLD: Final[list[Loans]] = []


def shared_world() -> Loans:
    """Tables and points only add up, so that examples can share a chain."""
    if not _WORLD:
        _WORLD.append(Loans.opened())
        _WORLD[0].tables = []  # the chain alone
    return _WORLD[0]


@settings(max_examples=60, deadline=None)
@given(ROWS, CONTRIBUTIONS, KINDS, st.data())
def test_the_contract_prices_as_the_model_does(
    tiers: list[Tier], contribution: Contribution, kind: str, data: st.DataObject
) -> None:
    world = shared_world()
    document = hash_of("conditions")
    (log,) = world.act(
        "bank", PRICING_ADDRESS, publish_calldata("EUR", tiers, contribution, document)
    )
    table = decode_log(log)
    assert isinstance(table, RateTable)
    assert (table.bank, table.currency, table.tiers) == ("bank", "EUR", tuple(tiers))
    assert (table.contribution, table.document) == (contribution, document)
    change = data.draw(st.integers(-2_000, 20_000).filter(bool), "points")
    points = _record(world, change)
    # Mostly near the bounds of a tier, where a mistake would show.
    near = [row.amount_max + offset for row in tiers for offset in (-1, 0, 1)]
    amount = data.draw(st.sampled_from([a for a in near if 0 < a < 1 << 128]) | AMOUNTS)
    days = data.draw(st.sampled_from([row.term_days_max for row in tiers]) | TERM)
    call = tiered_calldata("bank", "EUR", table.version, kind, amount, days)
    try:
        rate = tiered_rate(table, kind, amount, days)
    except NoTierError:
        assert world.refused("farm", PRICING_ADDRESS, call) == "NoTier"
        return
    assert decode_tiered(world.read(PRICING_ADDRESS, call)) == rate
    call = contributed_calldata("bank", "EUR", table.version, "farm", rate)
    found = decode_contributed(world.read(PRICING_ADDRESS, call))
    assert found == discount(table, points, rate)
    assert 0 <= found <= min(rate, contribution.discount_bp_max)


_POINTS: Final = {"farm": 0, "count": 0}


def _record(world: Loans, change: int) -> int:
    """Points of the farm after a change, where it is possible."""
    _POINTS["count"] += 1
    call = record_points_calldata("farm", change, hash_of(f"points {_POINTS['count']}"))
    if _POINTS["farm"] + change < 0:
        assert world.refused("bank", PRICING_ADDRESS, call) == "InvalidPoints"
        return _POINTS["farm"]
    (log,) = world.act("bank", PRICING_ADDRESS, call)
    event = decode_log(log)
    assert isinstance(event, PointsRecorded)
    _POINTS["farm"] += change
    assert (event.change, event.points) == (change, _POINTS["farm"])
    return event.points


def test_an_application_is_priced_by_the_version_it_names() -> None:
    world = Loans.opened()
    id_ = world.applied()
    dearer = [Tier(row.amount_max, row.term_days_max, row.rate_bp + 100) for row in TIERS]
    world.act("bank", PRICING_ADDRESS, publish_calldata("CNY", dearer, CONTRIBUTION, hash_of("2")))
    world.approved(id_)
    assert world.offer(id_, "bank").rate_bp == 450
    assert world.offer(id_, "bank").table_version == 1


def test_points_lower_the_rate_within_their_bounds_where_the_mode_says_so() -> None:
    world = Loans.opened()
    asset = world.issue()
    world.act("bank", PRICING_ADDRESS, record_points_calldata("farm", 2_050, hash_of("a")))
    plain = world.applied(world.request(asset))
    world.approved(plain)
    assert (world.offer(plain, "bank").rate_bp, world.offer(plain, "bank").discount_bp) == (450, 0)
    by_points = world.applied(world.request(asset, mode=Mode.CONTRIBUTION))
    world.approved(by_points)
    offer = world.offer(by_points, "bank")
    assert (offer.rate_bp, offer.discount_bp) == (430, 20)
    world.act("bank", PRICING_ADDRESS, record_points_calldata("farm", 100_000, hash_of("b")))
    floor = world.applied(world.request(asset, mode=Mode.CONTRIBUTION))
    world.approved(floor)
    assert world.offer(floor, "bank").rate_bp == 400
    other = world.applied(world.request(asset, mode=Mode.CONTRIBUTION))
    world.approved(other, "other-bank")
    assert world.offer(other, "other-bank").discount_bp == 0  # points count with one bank


def test_a_table_without_a_tier_for_the_loan_gives_no_price() -> None:
    world = Loans.opened()
    id_ = world.applied(world.request(amount=6_000_000_00))
    from contracts.financing import approve_calldata

    data = approve_calldata(id_, 0, 6_000_000_00, world.chain.time + DAY, hash_of("terms"))
    assert world.no_application("bank", data) == "NoTier"


def test_points_are_booked_once_by_banks_for_members() -> None:
    world = Loans.opened()
    call = record_points_calldata("farm", 10, hash_of("a"))
    world.act("bank", PRICING_ADDRESS, call)
    assert world.refused("bank", PRICING_ADDRESS, call) == "ReferenceUsed"
    assert world.refused("mill", PRICING_ADDRESS, call) == "NotBank"
    for data, error in (
        (record_points_calldata("farm", 0, hash_of("b")), "InvalidPoints"),
        (record_points_calldata("farm", -11, hash_of("b")), "InvalidPoints"),
        (record_points_calldata("farm", (1 << 63) - 1, hash_of("b")), "InvalidPoints"),
        (record_points_calldata("farm", 1, Hash32(bytes(32))), "HashMissing"),
        (record_points_calldata("nobody", 1, hash_of("b")), "PartyNotActive"),
    ):
        assert world.refused("bank", PRICING_ADDRESS, data) == error
    world.act("other-bank", PRICING_ADDRESS, call)  # another bank's references are its own


@pytest.mark.parametrize(
    ("tiers", "contribution", "error"),
    [
        ([], Contribution(), "InvalidTable"),
        ([Tier(1, 1, 1)] * 65, Contribution(), "InvalidTable"),
        ([Tier(0, 1, 1)], Contribution(), "InvalidTable"),
        ([Tier(1, 0, 1)], Contribution(), "InvalidTable"),
        ([Tier(1, 1, 10_001)], Contribution(), "InvalidTable"),
        ([Tier(1, 1, 1, kind="pools")], Contribution(), "InvalidTable"),
        ([Tier(1, 1, 1)], Contribution(1, 10_001, 0), "InvalidContribution"),
        ([Tier(1, 1, 1)], Contribution(1, 1, 10_001), "InvalidContribution"),
    ],
)
def test_tables_that_cannot_be_are_refused(
    tiers: list[Tier], contribution: Contribution, error: str
) -> None:
    world = shared_world()
    data = publish_calldata("CNY", tiers, contribution, hash_of("conditions"))
    assert world.refused("bank", PRICING_ADDRESS, data) == error
    assert world.refused("farm", PRICING_ADDRESS, data) == "NotBank"
    assert KEYS["farm"].address != KEYS["bank"].address
