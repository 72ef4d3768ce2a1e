"""Every call of PoolBook and Pools × every role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import pytest

from contracts.genesis import (
    DEPOSITS_ADDRESS,
    POOL_BOOK_ADDRESS,
    POOLS_ADDRESS,
    RECEIPTS_ADDRESS,
)
from contracts.pools import binding
from contracts.pools.genesis import POOL_BOOK_ARTIFACT, POOLS_ARTIFACT
from contracts.pools.types import Fee, Office, PoolDraft, TrancheDraft
from contracts.settlement import choose_home_calldata, issue_calldata
from ledger.types import Hash32
from tests.contracts.financing.loans import Loans
from tests.contracts.pools.scene import FIRST, RULES, collection, day, digest, terms
from tests.contracts.roles import SUSPENDED, Call, check, opened, read_table
from tests.contracts.scene import CHAIN_ID

pytestmark = pytest.mark.feature("F7")
TABLE: Final = read_table(__file__)


def draft(number: str) -> PoolDraft:
    """The other bank's pool: the farm holds all units of its one tranche."""
    offices = replace(terms(), trustee="bank", servicer="operator", residual="other-bank")
    tranche = TrancheDraft("A", 1, 310, (("farm", 500_000_00),))
    return PoolDraft(number, offices, (Fee("bank", 2, 100_00),), (tranche,), RULES.document)


@dataclass
class Pools:
    """Pools by how far they are."""

    world: Loans

    def book(self, who: str, data: bytes) -> None:
        self.world.act(who, POOL_BOOK_ADDRESS, data)

    def cash(self, who: str, data: bytes) -> None:
        self.world.act(who, POOLS_ADDRESS, data)

    def proposed(self, number: str) -> Hash32:
        self.book("other-bank", binding.create_calldata(draft(number)))
        return binding.pool_id(CHAIN_ID, POOL_BOOK_ADDRESS, "other-bank", number)

    def active(self, number: str) -> Hash32:
        id_ = self.proposed(number)
        for office, who in ((Office.TRUSTEE, "bank"), (Office.SERVICER, "operator")):
            self.book(who, binding.accept_calldata(id_, office))
        self.book("operator", binding.commit_calldata(id_, FIRST, day()))
        return id_

    def collected(self, number: str) -> Hash32:
        id_ = self.active(number)
        content = collection(number, 100_000_00, 20_000_00)
        self.cash("operator", binding.collect_calldata(id_, content))
        return id_

    def distributed(self, number: str) -> Hash32:
        id_ = self.collected(number)
        self.cash("bank", binding.distribute_calldata(id_, 1, FIRST, 1))
        return id_

    def repaid(self, number: str) -> Hash32:
        """All principal is back, and everything paid out."""
        id_ = self.active(number)
        content = collection(number, 500_000_00, 20_000_00)
        self.cash("operator", binding.collect_calldata(id_, content))
        self.cash("bank", binding.distribute_calldata(id_, 1, FIRST, 1))
        for payment in (1, 2, 3):  # the fee, the holder, the rest
            done = binding.confirm_calldata(id_, payment, digest(f"{number} {payment}"))
            self.cash("bank", done)
        return id_


def calls(pools: Pools) -> Mapping[str, Call]:
    world = pools.world
    proposed, active, collected = pools.proposed("P"), pools.active("A"), pools.collected("C")
    due = pools.distributed("D")
    held, admitted = (world.issue(holder="bank", owner="bank") for _ in range(2))
    pools.book("operator", binding.admit_calldata(active, RECEIPTS_ADDRESS, [admitted]))
    world.act("farm", DEPOSITS_ADDRESS, choose_home_calldata("bank", "CNY"))
    world.act("bank", DEPOSITS_ADDRESS, issue_calldata("farm", "CNY", 5, "home"))
    next_day = FIRST + timedelta(days=1)
    state = day(changed=0)
    return {
        "PoolBook.create": binding.create_calldata(draft("NEW")),
        "PoolBook.accept": binding.accept_calldata(proposed, Office.TRUSTEE),
        "PoolBook.withdraw": binding.withdraw_calldata(proposed),
        "PoolBook.appoint": binding.appoint_calldata(active, Office.SERVICER, "weighers"),
        "PoolBook.assign": binding.assign_calldata(active, 0, "trader", 100_000_00),
        "PoolBook.close": binding.close_calldata(pools.repaid("E")),
        "PoolBook.commit": binding.commit_calldata(active, next_day, state),
        "PoolBook.correct": binding.correct_calldata(active, FIRST, day(), "a wrong balance"),
        "PoolBook.admit": binding.admit_calldata(active, RECEIPTS_ADDRESS, [held]),
        "PoolBook.dismiss": binding.dismiss_calldata(active, RECEIPTS_ADDRESS, [admitted], "sold"),
        "Pools.collect": binding.collect_calldata(active, collection("p", 5, 5)),
        "Pools.voidCollection": binding.void_collection_calldata(collected, 1, "a mistake"),
        "Pools.distribute": binding.distribute_calldata(collected, 1, FIRST, 1),
        "Pools.pay": binding.pay_calldata(due, [2], "bank"),
        "Pools.confirm": binding.confirm_calldata(due, 1, digest("by wire")),
    }


def test_every_call_of_pools_answers_every_role_as_the_table_says() -> None:
    pools = Pools(opened())
    asked = calls(pools)
    pools.world.suspend(SUSPENDED)
    artifacts = {POOL_BOOK_ADDRESS: POOL_BOOK_ARTIFACT, POOLS_ADDRESS: POOLS_ARTIFACT}
    check(pools.world, TABLE, artifacts, asked)
