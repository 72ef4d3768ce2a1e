"""Every act in every state by every party: possible exactly where the table says so."""

from __future__ import annotations

from copy import deepcopy
from typing import Final

import pytest

from contracts.financing import (
    ACTS,
    ALL,
    APPLICATIONS_ADDRESS,
    FINANCING_ADDRESS,
    MACHINE,
    accept_calldata,
    advise_calldata,
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
    repay_calldata,
    report_calldata,
    reveal_calldata,
    sign_calldata,
    warn_calldata,
    withdraw_calldata,
)
from contracts.instruments import Act
from contracts.pledges import declare_default_calldata as default_pledge
from contracts.pledges import enforce_calldata
from ledger.types import Address, Hash32
from tests.contracts.financing.loans import DAY, KEYS, SALT, TERMS, Loans
from tests.contracts.scene import error_of

pytestmark = pytest.mark.feature("F8")

WHO: Final = {
    "farm": {"anybody", "borrower"},
    "bank": {"anybody", "invited", "bank"},
    "other-bank": {"anybody", "invited"},
    "operator": {"anybody", "operator"},
    "mill": {"anybody"},
    "court": {"anybody"},
}
TABLE_REFUSALS: Final = {"NotEntitled", "WrongState"}
BEFORE: Final = {"applied", "withdrawn", "lapsed", "accepted"}


def calls(id_: Hash32) -> dict[str, tuple[Address, bytes]]:
    """Each act as anybody could try it; what it says may be wrong, that comes after the table."""
    before, after = APPLICATIONS_ADDRESS, FINANCING_ADDRESS
    return {
        "check": (before, check_calldata(id_, 0)),
        "advise": (before, advise_calldata(id_, 0, score=1, limit=1, rate_bp=1, text=TERMS)),
        "approve": (before, approve_calldata(id_, 0, 1, 1, TERMS)),
        "decline": (before, decline_calldata(id_, 0, TERMS)),
        "commit": (before, commit_calldata(id_, 0, TERMS)),
        "reveal": (before, reveal_calldata(id_, 0, amount=1, rate_bp=1, text=TERMS, salt=SALT)),
        "accept": (before, accept_calldata(id_, 0, "bank", TERMS)),
        "withdraw": (before, withdraw_calldata(id_, 0)),
        "lapse": (before, lapse_calldata(id_, 0)),
        "sign": (before, sign_calldata(id_, 0, TERMS)),
        "draw-down": (after, draw_down_calldata(id_, 0)),
        "repay": (after, repay_calldata(id_, 0, ALL)),
        "credit": (after, credit_calldata(id_, 0, ALL, TERMS)),
        "fall-overdue": (after, fall_overdue_calldata(id_, 0)),
        "warn": (after, warn_calldata(id_, 0, 1, TERMS)),
        "report": (after, report_calldata(id_, 0, TERMS)),
        "declare-default": (after, declare_default_calldata(id_, 0)),
        "cure": (after, cure_calldata(id_, 0)),
        "exhaust": (after, exhaust_calldata(id_, 0)),
    }


def loan_in(world: Loans, state: str) -> Hash32:
    """A loan that has come to a state."""
    if state == "applied":
        return world.applied()
    if state == "accepted":
        return world.accepted()
    if state in ("withdrawn", "lapsed"):
        id_ = world.applied()
        if state == "lapsed":
            world.wait(21 * DAY)
        end = withdraw_calldata(id_, 0) if state == "withdrawn" else lapse_calldata(id_, 0)
        world.apply_("farm", end)
        return id_
    id_ = world.drawn()
    asset, key = world.loan(id_).asset, world.loan(id_).pledge
    assert key is not None
    if state == "repaid":
        world.repaid(id_, ALL, [asset])
    if state in ("overdue", "defaulted", "enforced"):
        world.wait(64 * DAY)
        world.finance("mill", fall_overdue_calldata(id_, 0))
    if state in ("defaulted", "enforced"):
        world.pledges("bank", default_pledge(key))
        world.finance("bank", declare_default_calldata(id_, 0))
    if state == "enforced":
        world.wait(11 * DAY)
        world.pledges("bank", enforce_calldata(key, [asset], "mill"))
        world.finance("mill", exhaust_calldata(id_, 0))
    return id_


def tried(world: Loans, who: str, to: Address, data: bytes) -> str | None:
    """Name of the refusal, None where it went through; the chain stays as it was."""
    answer = world.chain.call(KEYS[who].address, to, data)
    return error_of(answer)


@pytest.mark.parametrize("state", [state for state in MACHINE.states if state != "none"])
def test_the_table_is_what_the_contracts_do(state: str) -> None:
    world = Loans.opened()
    world.tables = []
    id_ = loan_in(world, state)
    assert world.state(id_) == state
    words = deepcopy(world.chain.words(FINANCING_ADDRESS))
    for name, (to, data) in calls(id_).items():
        act = MACHINE.act(name)
        for who, parties in WHO.items():
            answer = tried(world, who, to, data)
            _judge(act, state, who, parties, to, answer)
    assert world.chain.words(FINANCING_ADDRESS) == words


def _judge(
    act: Act, state: str, who: str, parties: set[str], to: Address, answer: str | None
) -> None:
    where = f"{act.name} by {who} while {state}: {answer}"
    if to == FINANCING_ADDRESS and state in BEFORE and act.name != "draw-down":
        assert answer == "UnknownLoan", where  # not paid out
        return
    # Before an offer is accepted no bank is the lender.
    is_lender = state not in ("applied", "withdrawn", "lapsed")
    mine = parties if is_lender else parties - {"bank"}
    entitled = bool(mine & set(act.by))
    if not entitled:
        assert answer == "NotEntitled", where
    elif state not in act.states:  # an application is over once it is paid out
        assert answer == "WrongState", where
    else:
        assert answer not in TABLE_REFUSALS, where


def test_all_acts_are_tried() -> None:
    assert set(calls(TERMS)) == set(ACTS[10:]) - {"apply", "close"}
