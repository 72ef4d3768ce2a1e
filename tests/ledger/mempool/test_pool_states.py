"""The mempool against a model that is too simple to be wrong."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ledger.evm.errors import NonceTooLow, TransactionRefused
from ledger.mempool import (
    AlreadyKnown,
    Mempool,
    MempoolFull,
    MempoolLimits,
    NonceGapTooLarge,
    NonceTaken,
    SenderQuotaReached,
)
from ledger.types import Address, Transaction
from tests.ledger.mempool.test_pool import RULES, Heads, transaction

LIMITS = MempoolLimits(
    transactions_max=12,
    size_bytes_max=1_000,
    sender_transactions_max=6,
    sender_size_bytes_max=700,
    nonce_gap_max=3,
)
WHO = st.integers(1, 3)


class PoolMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.heads = Heads()
        self.dropped: list[Transaction] = []
        self.pool = Mempool(
            RULES, lambda: self.heads.view, LIMITS, dropped=lambda one, _: self.dropped.append(one)
        )
        self.model: dict[tuple[int, int], Transaction] = {}

    def nonce(self, who: int) -> int:
        return self.heads.nonces.get(Address(bytes([who] * 20)), 0)

    def missing(self, who: int) -> int:
        nonce = self.nonce(who)
        while (who, nonce) in self.model:
            nonce += 1
        return nonce

    def expected(self, one: Transaction) -> type[TransactionRefused] | None:
        who = one.sender[0]
        mine = [other for (owner, _), other in self.model.items() if owner == who]
        size = sum(len(other.raw) for other in self.model.values())
        if one in self.model.values():
            return AlreadyKnown
        if one.nonce < self.nonce(who):
            return NonceTooLow
        if len(self.model) >= LIMITS.transactions_max or size + len(one.raw) > 1_000:
            return MempoolFull
        if len(mine) >= 6 or sum(len(x.raw) for x in mine) + len(one.raw) > 700:
            return SenderQuotaReached
        if (who, one.nonce) in self.model:
            return NonceTaken
        if one.nonce - self.missing(who) > LIMITS.nonce_gap_max:
            return NonceGapTooLarge
        return None

    @rule(who=WHO, nonce=st.integers(0, 12), size=st.integers(50, 300), salt=st.integers(0, 1))
    def add(self, who: int, nonce: int, size: int, salt: int) -> None:
        one = transaction(who, nonce, size, salt)
        # Same hash means same bytes on a real chain; the test's hashes leave out the size.
        known = self.model.get((who, nonce))
        if known is not None and known.hash == one.hash:
            one = known
        reason = self.expected(one)
        if reason is None:
            self.pool.add(one)
            self.model[who, nonce] = one
        else:
            with pytest.raises(reason):
                self.pool.add(one)

    @rule(count=st.integers(1, 8), size=st.integers(300, 900), share=st.floats(0, 1))
    def make_block(self, count: int, size: int, share: float) -> None:
        chosen = self.pool.select(transactions_max=count, size_bytes_max=size)
        assert len(chosen) <= count
        assert sum(len(one.raw) for one in chosen) <= size
        expected = {who: self.nonce(who) for who in (1, 2, 3)}
        for one in chosen:
            assert one.nonce == expected[one.sender[0]]
            assert self.model[one.sender[0], one.nonce] == one
            expected[one.sender[0]] += 1
        self.settle(chosen[: int(len(chosen) * share)])

    @rule(who=WHO)
    def foreign_block(self, who: int) -> None:
        self.settle([transaction(who, self.nonce(who), salt=9)])

    def settle(self, mined: list[Transaction]) -> None:
        self.heads.mine(mined)
        self.pool.settle(mined)
        for one in mined:
            self.model.pop((one.sender[0], one.nonce), None)

    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        if self.model:
            place = data.draw(st.sampled_from(sorted(self.model)))
            one = self.model.pop(place)
            self.pool.drop(one, ValueError("dropped"))
            assert self.dropped[-1] is one

    @invariant()
    def agrees_with_the_model(self) -> None:
        status = self.pool.status()
        ready = {
            (who, nonce) for who in (1, 2, 3) for nonce in range(self.nonce(who), self.missing(who))
        }
        assert status.pending == len(ready)
        assert status.queued == len(self.model) - len(ready)
        assert status.size_bytes == sum(len(one.raw) for one in self.model.values())
        assert {(one.sender[0], one.nonce) for one in self.pool.pending()} == ready
        for who in (1, 2, 3):
            assert self.pool.next_nonce(Address(bytes([who] * 20))) == self.missing(who)
        for one in self.model.values():
            assert self.pool.get(one.hash) is one


PoolMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestPoolStates = PoolMachine.TestCase
TestPoolStates.pytestmark = [pytest.mark.feature("L1")]
