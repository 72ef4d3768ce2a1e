"""Every call of Applications, Financing and Pricing × every role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pytest

from contracts.abi import Function
from contracts.consortium import organisation_id_word
from contracts.financing import (
    accept_calldata,
    advise_calldata,
    apply_calldata,
    approve_calldata,
    check_calldata,
    commit_calldata,
    credit_calldata,
    cure_calldata,
    declare_default_calldata,
    decline_calldata,
    draw_down_calldata,
    exhaust_calldata,
    fall_overdue_calldata,
    lapse_calldata,
    publish_calldata,
    record_points_calldata,
    repay_calldata,
    report_calldata,
    reveal_calldata,
    sign_calldata,
    warn_calldata,
    withdraw_calldata,
)
from contracts.financing.genesis import (
    APPLICATIONS_ARTIFACT,
    FINANCING_ARTIFACT,
    PRICING_ARTIFACT,
)
from contracts.genesis import APPLICATIONS_ADDRESS, FINANCING_ADDRESS, PRICING_ADDRESS
from contracts.pledges import cure_calldata as cure_pledge
from contracts.pledges import declare_default_calldata as default_pledge
from contracts.pledges import enforce_calldata
from contracts.receipts import freeze_calldata
from ledger.types import Hash32
from tests.contracts.financing.loans import (
    CONTRIBUTION,
    CURRENCY,
    DAY,
    SALT,
    TERMS,
    TIERS,
    Loans,
    hash_of,
)
from tests.contracts.roles import SUSPENDED, Call, check, opened, read_table

pytestmark = pytest.mark.feature("F8")
TABLE: Final = read_table(__file__)
BANKS: Final = (("bank", 1), ("other-bank", 1))


def concluding(id_: Hash32) -> bytes:
    function = Function.of(APPLICATIONS_ARTIFACT, "conclude")
    return function.calldata(id_, 0, organisation_id_word("bank"))


def pricing_calls() -> Mapping[str, Call]:
    return {
        "publish": publish_calldata(CURRENCY, TIERS, CONTRIBUTION, hash_of("conditions")),
        "recordPoints": record_points_calldata("farm", 5, hash_of("a booking")),
    }


def troubled(world: Loans) -> Mapping[str, Call]:
    """Loans past their due date: overdue, in default and good again, enforced."""
    fresh, defaulted, cured, enforced = (world.drawn() for _ in range(4))
    keys = {loan: world.loan(loan).pledge for loan in (defaulted, cured, enforced)}
    world.wait(64 * DAY)
    for loan in (defaulted, cured, enforced):
        world.finance("mill", fall_overdue_calldata(loan, 0))
        key = keys[loan]
        assert key is not None
        world.pledges("bank", default_pledge(key))
        if loan == defaulted:
            continue
        world.finance("bank", declare_default_calldata(loan, 0))
        if loan == cured:
            world.pledges("bank", cure_pledge(key))
    world.wait(11 * DAY)
    key = keys[enforced]
    assert key is not None
    world.pledges("bank", enforce_calldata(key, [world.loan(enforced).asset], "mill"))
    world.count(world.lot, 1_000_000)
    return {
        "fallOverdue": fall_overdue_calldata(fresh, 0),
        "declareDefault": declare_default_calldata(defaulted, 0),
        "cure": cure_calldata(cured, 0),
        "exhaust": exhaust_calldata(enforced, 0),
    }


def running(world: Loans) -> Mapping[str, Call]:
    """Loans that are paid, and one whose security is frozen."""
    loan, contested, accepted = world.drawn(), world.drawn(), world.accepted()
    asset = world.loan(contested).asset
    world.receipts("court", freeze_calldata(asset, 0, hash_of("decision")))
    return {
        "drawDown": draw_down_calldata(accepted, 0),
        "repay": repay_calldata(loan, 0, 1_000),
        "credit": credit_calldata(loan, 0, 1_000, hash_of("transfer")),
        "warn": warn_calldata(loan, 0, 1, TERMS),
        "report": report_calldata(contested, 0, asset),
    }


def applying(world: Loans) -> Mapping[str, Call]:
    """Applications, one of them with sealed quotes of which one is handed in and opened."""
    market = world.applied(world.market())
    world.sealed(market, "bank", 500)
    world.wait(2 * DAY)
    lapsed = world.applied(world.request(expires=world.chain.time + DAY // 4))
    world.wait(DAY // 2)
    sealing, applied = world.applied(world.market()), world.applied()
    accepted, offered = world.accepted(), world.applied()
    offer = world.approved(offered)
    opening = {"amount": 80_000_00, "rate_bp": 500}
    until = world.chain.time + DAY
    return {
        "applyFor": apply_calldata(world.request(), BANKS),
        "check": check_calldata(applied, 0),
        "advise": advise_calldata(applied, 0, score=1, limit=1, rate_bp=1, text=TERMS),
        "approve": approve_calldata(applied, 0, 60_000_00, until, TERMS),
        "decline": decline_calldata(applied, 0, TERMS),
        "commit": commit_calldata(sealing, 0, hash_of("seal")),
        "reveal": reveal_calldata(market, 0, **opening, text=TERMS, salt=SALT),
        "accept": accept_calldata(offered, 0, "bank", offer),
        "withdraw": withdraw_calldata(applied, 0),
        "lapse": lapse_calldata(lapsed, 0),
        "sign": sign_calldata(accepted, 0, hash_of("agreement")),
        "conclude": concluding(accepted),
    }


def test_every_call_of_financing_answers_every_role_as_the_table_says() -> None:
    world = opened()
    world.fund(10_000_00)
    loans = dict(troubled(world))
    calls = {f"Financing.{name}": call for name, call in (loans | running(world)).items()}
    calls |= {f"Applications.{name}": call for name, call in applying(world).items()}
    calls |= {f"Pricing.{name}": call for name, call in pricing_calls().items()}
    world.suspend(SUSPENDED)
    artifacts = {
        APPLICATIONS_ADDRESS: APPLICATIONS_ARTIFACT,
        FINANCING_ADDRESS: FINANCING_ARTIFACT,
        PRICING_ADDRESS: PRICING_ARTIFACT,
    }
    check(world, TABLE, artifacts, calls)
