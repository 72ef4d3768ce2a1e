"""The mempool: nonce order, fair turns, bounds, and what leaves it."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from ledger.evm import decode_transaction
from ledger.evm.errors import NonceTooLow, SenderIsContract, TransactionRefused
from ledger.mempool import (
    AlreadyKnown,
    ChainRules,
    Expired,
    Mempool,
    MempoolFull,
    MempoolLimits,
    NonceGapTooLarge,
    SenderQuotaReached,
    SenderState,
    SubmissionPaused,
)
from ledger.types import Address, Hash32, Transaction
from tests.ledger.chain.support import CHAIN_ID, sender

pytestmark = pytest.mark.feature("L1")

RULES = ChainRules(CHAIN_ID, 30_000_000, 1 << 20)
TEMPLATE = decode_transaction(sender(1).sign())


class Heads:
    """A chain's head whose nonces the test sets; each block gives a new view of it."""

    def __init__(self) -> None:
        self.nonces: dict[Address, int] = {}
        self.contracts: set[Address] = set()
        self.view = View(self)

    def mine(self, chosen: list[Transaction]) -> None:
        for one in chosen:
            self.nonces[one.sender] = one.nonce + 1
        self.view = View(self)


class View:
    def __init__(self, heads: Heads) -> None:
        self.nonces = dict(heads.nonces)
        self.contracts = heads.contracts

    def sender(self, address: Address) -> SenderState:
        nonce = self.nonces.get(address, 0)
        return SenderState(nonce, 0, address in self.contracts, None)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def transaction(who: int, nonce: int, size: int = 100, salt: int = 0) -> Transaction:
    raw = bytes([who, salt]) + nonce.to_bytes(8, "big") + bytes(size - 10)
    return replace(
        TEMPLATE,
        raw=raw,
        hash=Hash32(raw[:10].ljust(32, b"\0")),
        sender=Address(bytes([who] * 20)),
        nonce=nonce,
    )


def make(limits: MempoolLimits | None = None, clock: Clock | None = None) -> tuple[Mempool, Heads]:
    heads = Heads()
    return Mempool(RULES, lambda: heads.view, limits, clock=clock or Clock()), heads


def mine(pool: Mempool, heads: Heads, chosen: list[Transaction]) -> None:
    heads.mine(chosen)
    pool.settle(chosen)


def names(chosen: list[Transaction]) -> list[tuple[int, int]]:
    return [(one.sender[0], one.nonce) for one in chosen]


def everything(pool: Mempool) -> list[Transaction]:
    return pool.select(transactions_max=1_000, size_bytes_max=1 << 30)


def test_nonces_of_a_sender_come_out_in_order_whatever_order_they_came_in() -> None:
    pool, _ = make()
    for nonce in (3, 1, 0, 5, 2):
        pool.add(transaction(1, nonce))
    assert names(everything(pool)) == [(1, 0), (1, 1), (1, 2), (1, 3)]
    assert pool.next_nonce(Address(bytes([1] * 20))) == 4
    assert (pool.status().pending, pool.status().queued) == (4, 1)
    pool.add(transaction(1, 4))
    assert pool.next_nonce(Address(bytes([1] * 20))) == 6


def test_senders_take_turns() -> None:
    pool, heads = make()
    for nonce in range(100):
        pool.add(transaction(1, nonce))
    for who in (2, 3):
        for nonce in range(2):
            pool.add(transaction(who, nonce))
    chosen = pool.select(transactions_max=6, size_bytes_max=1 << 20)
    assert names(chosen) == [(1, 0), (2, 0), (3, 0), (1, 1), (2, 1), (3, 1)]
    mine(pool, heads, chosen[:1])
    assert names(everything(pool))[:3] == [(2, 0), (3, 0), (1, 1)]


def test_a_large_transaction_is_not_starved_by_small_ones() -> None:
    pool, _ = make()
    pool.add(transaction(9, 0, size=900))
    for nonce in range(50):
        pool.add(transaction(1, nonce))
    first = pool.select(transactions_max=100, size_bytes_max=1_000)
    assert (9, 0) in names(first)
    assert sum(len(one.raw) for one in first) <= 1_000


def test_bounds_of_the_pool_and_of_a_sender() -> None:
    pool, _ = make(MempoolLimits(transactions_max=5, sender_transactions_max=3, size_bytes_max=900))
    for nonce in range(3):
        pool.add(transaction(1, nonce))
    with pytest.raises(SenderQuotaReached):
        pool.add(transaction(1, 3))
    with pytest.raises(MempoolFull):
        pool.add(transaction(2, 0, size=700))
    pool.add(transaction(2, 0))
    pool.add(transaction(3, 0))
    with pytest.raises(MempoolFull):
        pool.add(transaction(4, 0))
    assert len(pool) == 5
    pool, _ = make(MempoolLimits(sender_size_bytes_max=250))
    pool.add(transaction(1, 0))
    pool.add(transaction(1, 1))
    with pytest.raises(SenderQuotaReached):
        pool.add(transaction(1, 2))


def test_gaps_are_held_up_to_a_bound_and_for_a_time() -> None:
    clock, dropped = Clock(), []
    heads = Heads()
    pool = Mempool(
        RULES,
        lambda: heads.view,
        MempoolLimits(nonce_gap_max=10, queued_lifetime_s=60),
        dropped=lambda one, reason: dropped.append((one.nonce, type(reason))),
        clock=clock,
    )
    with pytest.raises(NonceGapTooLarge):
        pool.add(transaction(1, 11))
    pool.add(transaction(1, 10))
    clock.now = 50
    pool.add(transaction(1, 0))
    mine(pool, heads, everything(pool))
    assert len(pool) == 1
    clock.now = 61
    pool.settle([])
    assert len(pool) == 0
    assert dropped == [(10, Expired)]


def test_expired_ones_make_room() -> None:
    clock = Clock()
    pool, _ = make(MempoolLimits(transactions_max=1, queued_lifetime_s=60), clock)
    pool.add(transaction(1, 5))
    with pytest.raises(MempoolFull):
        pool.add(transaction(2, 0))
    clock.now = 61
    pool.add(transaction(2, 0))
    assert names(everything(pool)) == [(2, 0)]


def test_a_block_with_another_transaction_of_the_same_nonce_pushes_ours_out() -> None:
    dropped: list[tuple[int, type[Exception]]] = []
    heads = Heads()
    pool = Mempool(
        RULES, lambda: heads.view, dropped=lambda one, why: dropped.append((one.nonce, type(why)))
    )
    for nonce in range(3):
        pool.add(transaction(1, nonce))
    mine(pool, heads, [transaction(1, 1, salt=7)])
    assert sorted(dropped) == [(0, NonceTooLow), (1, NonceTooLow)]
    assert names(everything(pool)) == [(1, 2)]


def test_dropping_one_queues_those_after_it() -> None:
    pool, _ = make()
    for nonce in range(3):
        pool.add(transaction(1, nonce))
    pool.drop(transaction(1, 1), ValueError())
    assert names(everything(pool)) == [(1, 0)]
    pool.add(transaction(1, 1, salt=1))
    assert names(everything(pool)) == [(1, 0), (1, 1), (1, 2)]
    pool.drop(transaction(8, 0), ValueError())


def test_a_held_sender_is_passed_over_until_the_time_is_up() -> None:
    clock = Clock()
    pool, _ = make(clock=clock)
    pool.add(transaction(1, 0))
    pool.add(transaction(2, 0))
    pool.hold(transaction(1, 0).sender, 30)
    assert names(everything(pool)) == [(2, 0)]
    clock.now = 31
    assert names(everything(pool)) == [(1, 0), (2, 0)]


def test_a_hold_outlasts_what_was_pending_and_is_never_shortened() -> None:
    clock = Clock()
    pool, _ = make(clock=clock)
    pool.add(transaction(1, 0))
    pool.hold(transaction(1, 0).sender, 30)
    pool.hold(transaction(1, 0).sender, 5)
    pool.drop(transaction(1, 0), ValueError())
    pool.add(transaction(1, 0, salt=1))
    clock.now = 29
    assert everything(pool) == []
    assert not pool.is_ready(transaction(1, 0, salt=1).hash)
    clock.now = 31
    assert names(everything(pool)) == [(1, 0)]


def test_a_sender_that_is_held_before_it_sends_is_held() -> None:
    clock = Clock()
    pool, _ = make(clock=clock)
    pool.hold(transaction(1, 0).sender, 30)
    pool.add(transaction(1, 0))
    assert everything(pool) == []


def test_a_paused_pool_refuses_and_keeps() -> None:
    pool, _ = make()
    pool.add(transaction(1, 0))
    pool.pause("disk full")
    with pytest.raises(SubmissionPaused, match="disk full"):
        pool.add(transaction(1, 1))
    assert len(pool) == 1
    pool.resume()
    pool.add(transaction(1, 1))


def test_a_contract_is_no_sender() -> None:
    pool, heads = make()
    heads.contracts.add(transaction(1, 0).sender)
    with pytest.raises(SenderIsContract):
        pool.add(transaction(1, 0))


def test_waiting_ends_when_something_comes_or_the_pool_is_woken_or_closed() -> None:
    heads = Heads()
    pool = Mempool(RULES, lambda: heads.view)
    assert not pool.wait_ready(0.01)
    threading.Timer(0.05, lambda: pool.add(transaction(1, 0))).start()
    assert pool.wait_ready(10)
    mine(pool, heads, everything(pool))
    threading.Timer(0.05, pool.wake).start()
    began = time.monotonic()
    assert not pool.wait_ready(10)
    assert time.monotonic() - began < 8
    assert not pool.wait_ready(0.01)
    threading.Timer(0.05, pool.close).start()
    assert not pool.wait_ready(10)
    assert time.monotonic() - began < 8


def test_many_threads_submitting_lose_and_double_nothing() -> None:
    pool, heads = make()
    mined: list[Transaction] = []
    refused: list[TransactionRefused] = []
    stop = threading.Event()

    def submit(who: int) -> None:
        for nonce in range(200):
            for _ in range(2):
                try:
                    pool.add(transaction(who, nonce))
                except (AlreadyKnown, NonceTooLow) as error:
                    refused.append(error)

    def build() -> None:
        while not stop.is_set() or len(pool):
            chosen = pool.select(transactions_max=17, size_bytes_max=1 << 20)
            mined.extend(chosen)
            mine(pool, heads, chosen)

    builder = threading.Thread(target=build)
    builder.start()
    threads = [threading.Thread(target=submit, args=(who,)) for who in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    builder.join(30)
    assert not builder.is_alive()
    assert len(refused) == 800
    for who in range(1, 5):
        assert [one.nonce for one in mined if one.sender[0] == who] == list(range(200))
