"""Every call of Pledges × every role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pytest

from contracts.genesis import PLEDGES_ADDRESS, RECEIPTS_ADDRESS
from contracts.pledges import (
    PLEDGES_ARTIFACT,
    accept_calldata,
    annul_calldata,
    cure_calldata,
    declare_default_calldata,
    decline_calldata,
    enforce_calldata,
    pledge_key,
    propose_calldata,
    release_calldata,
    withdraw_calldata,
)
from contracts.receipts import freeze_calldata
from ledger.types import Hash32
from tests.contracts.financing.loans import Loans
from tests.contracts.pledges.calls import DECISION, made, secure_calldata
from tests.contracts.receipts.world import DAY, hash_of
from tests.contracts.roles import SUSPENDED, Call, check, opened, read_table

pytestmark = pytest.mark.feature("F2")
TABLE: Final = read_table(__file__)


def proposed(world: Loans) -> tuple[bytes, Hash32]:
    """A proposal of the farm's to the bank, and its key."""
    receipt, terms = world.issue(), world.terms()
    what = (RECEIPTS_ADDRESS, receipt, world.get(receipt).revision)
    return propose_calldata(*what, "bank", terms), pledge_key(*what, "farm", "bank", terms)


def calls(world: Loans) -> Mapping[str, Call]:
    """Pledges in each state that an act needs."""
    late, overdue, contested, active = (world.issue() for _ in range(4))
    soon = world.terms(due_days=1)
    defaulted, due = world.pledged(late, terms=soon), world.pledged(overdue, terms=soon)
    loan = world.drawn()
    pledge, asset = world.loan(loan).pledge, world.loan(loan).asset
    world.wait(2 * DAY)
    world.pledges("bank", declare_default_calldata(defaulted))
    world.wait(60)  # its notice is over
    frozen = world.pledged(contested)
    for authority in ("court", "office"):
        world.receipts(authority, freeze_calldata(contested, 0, DECISION))
    key = world.pledged(active)
    proposal, proposal_key = proposed(world)
    world.pledges("farm", proposal)
    another, _ = proposed(world)
    fresh = world.issue()
    what = (RECEIPTS_ADDRESS, fresh, world.get(fresh).revision)
    secure = secure_calldata(*what, world.terms(), hash_of("loan"))
    world.suspend(SUSPENDED)
    return {
        "Pledges.propose": another,
        "Pledges.accept": accept_calldata(proposal_key),
        "Pledges.decline": decline_calldata(proposal_key),
        "Pledges.withdraw": withdraw_calldata(proposal_key),
        "Pledges.release": release_calldata(key, [active]),
        "Pledges.annul": annul_calldata(frozen, [contested], DECISION),
        "Pledges.declareDefault": declare_default_calldata(due),
        "Pledges.cure": cure_calldata(defaulted),
        "Pledges.enforce": enforce_calldata(defaulted, [late], "mill"),
        "Pledges.secure": secure,
        "Pledges.discharge": made("discharge", pledge, [asset]),
        "Pledges.succeeded": made("succeeded", active, [hash_of("part")]),
    }


def test_every_call_of_pledges_answers_every_role_as_the_table_says() -> None:
    world = opened()
    check(world, TABLE, {PLEDGES_ADDRESS: PLEDGES_ARTIFACT}, calls(world))
