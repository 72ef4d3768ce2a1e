"""Who sends what takes too long has to wait, and longer each time for what never ends."""

from __future__ import annotations

import time

import pytest

from ledger.chain import Ledger
from ledger.consensus import SoloDriver
from ledger.consensus.slowness import HOLD_S_MAX, HOLD_S_MIN, SlowSenders
from ledger.evm import TimeLimitExceeded, decode_transaction
from ledger.types import Address, Transaction
from tests.ledger.chain.support import sender

pytestmark = pytest.mark.feature("L2")

ENDLESS = bytes.fromhex("5b5f5f5f5f60045afa505f56")
"""As creation code: calls for as long as there is gas."""


class Pool:
    """What was held and dropped."""

    def __init__(self) -> None:
        self.holds: list[tuple[Address, float]] = []
        self.dropped: list[Transaction] = []

    def hold(self, address: Address, duration_s: float) -> None:
        self.holds.append((address, duration_s))

    def drop(self, transaction: Transaction, _reason: Exception) -> None:
        self.dropped.append(transaction)


def slow_senders(clock: list[float]) -> tuple[SlowSenders, Pool]:
    pool = Pool()
    return SlowSenders(pool, lambda: clock[0]), pool  # type: ignore[arg-type]


def test_a_sender_waits_twenty_times_as_long_as_its_slow_transaction_took() -> None:
    slow, pool = slow_senders([0.0])
    slow.took(sender(1).address, 0.29)
    slow.took(sender(1).address, 0.5)
    assert pool.holds == [(sender(1).address, 10.0)]


def test_what_never_ends_goes_and_its_sender_waits_twice_as_long_each_time() -> None:
    clock = [0.0]
    slow, pool = slow_senders(clock)
    one = decode_transaction(sender(1).call())
    waits = [slow.refuse(one, TimeLimitExceeded("late")) for _ in range(9)]
    assert waits[:3] == [HOLD_S_MIN, 2 * HOLD_S_MIN, 4 * HOLD_S_MIN]
    assert waits[-1] == HOLD_S_MAX
    assert pool.dropped == [one] * 9
    other = decode_transaction(sender(2).call())
    assert slow.refuse(other, TimeLimitExceeded("late")) == HOLD_S_MIN
    clock[0] += 3 * HOLD_S_MAX
    assert slow.refuse(one, TimeLimitExceeded("late")) == HOLD_S_MIN


def test_alone_a_node_drops_what_runs_too_long_and_goes_on(open_ledger: Ledger) -> None:
    alice, bob = sender(1), sender(2)
    endless = open_ledger.submit(alice.sign(to=None, data=ENDLESS, gas=29_000_000))
    alice.nonce += 1
    after = open_ledger.submit(alice.call(1))
    good = [open_ledger.submit(bob.call(n)) for n in range(3)]
    driver = SoloDriver(open_ledger, transaction_s_max=0.3)
    began = time.monotonic()
    driver.start()
    try:
        with pytest.raises(TimeLimitExceeded, match="divide it"):
            open_ledger.wait_for(endless, 20)
        open_ledger.wait_for(good[-1], 20)
    finally:
        driver.stop()
    assert time.monotonic() - began < 5
    assert open_ledger.receipt(after) is None
    assert open_ledger.pending_nonce(alice.address) == 0
