"""Transactions of a block that is not agreed on yet end at the deadline they are given."""

from __future__ import annotations

import time

import pytest

from ledger.evm import TimeLimitExceeded
from tests.ledger.evm.test_reference_loop import (
    CONTRACTS,
    OURS,
    SENDER,
    MemoryState,
    environment,
    transaction,
)

pytestmark = pytest.mark.feature("L1")

LOOPS = {
    "calls": "5b5f5f5f5f60045afa505f56",
    "cheap instructions": "5b" * 12_000 + "5f56",
    "conditional jumps": "5b60015f57",
    "slow instructions": "5b" + "5f4950" * 4_000 + "5f56",
    "creations": "5b5f5f5ff0505f56",
    "itself": "5f5f5f5f305afa505f5f5f5f305afa00",
}
"""Each runs for 30 ms or more with the gas of a block, most for seconds."""


@pytest.mark.parametrize("name", LOOPS)
def test_whatever_runs_too_long_is_ended_and_leaves_nothing(name: str) -> None:
    state = MemoryState()
    state.put(SENDER, b"", nonce=0)
    state.put(CONTRACTS[0], bytes.fromhex(LOOPS[name]))
    state.put(CONTRACTS[1], bytes.fromhex("600160015500"))
    execution = OURS.begin(state, environment())
    worked = time.thread_time()  # what other processes do meanwhile does not count
    deadline = time.monotonic() + 0.004
    with pytest.raises(TimeLimitExceeded):
        execution.apply(transaction(0, CONTRACTS[0], b"", 29_000_000), deadline)
    assert time.thread_time() - worked < 1.5
    # The same nonce is free still, and the block goes on as if nothing had been.
    receipt = execution.apply(transaction(0, CONTRACTS[1], b"", 100_000))
    assert receipt.status == 1
    alone = OURS.begin(state, environment())
    alone.apply(transaction(0, CONTRACTS[1], b"", 100_000))
    assert execution.seal().root == alone.seal().root


def test_what_fails_for_want_of_gas_is_not_late() -> None:
    """A pairing over 100 kB would take minutes; with 50,000 gas it fails before it begins."""
    state = MemoryState()
    state.put(SENDER, b"", nonce=0)
    state.put(CONTRACTS[0], bytes.fromhex("5f5f620186a05f600861c350fa00"))
    execution = OURS.begin(state, environment())
    receipt = execution.apply(transaction(0, CONTRACTS[0], b"", 1_000_000), time.monotonic() + 20)
    assert receipt.status == 1


def test_a_deadline_of_one_transaction_is_not_that_of_the_next() -> None:
    state = MemoryState()
    state.put(SENDER, b"", nonce=0)
    state.put(CONTRACTS[0], bytes.fromhex("61ffff5b600190038060035700"))
    execution = OURS.begin(state, environment())
    with pytest.raises(TimeLimitExceeded):
        execution.apply(transaction(0, CONTRACTS[0], b"", 5_000_000), time.monotonic() - 1)
    assert execution.apply(transaction(0, CONTRACTS[0], b"", 5_000_000)).status == 1


def test_what_ends_in_time_costs_the_same_gas_with_a_deadline() -> None:
    used = []
    for deadline in (None, time.monotonic() + 600):
        state = MemoryState()
        state.put(SENDER, b"", nonce=0)
        state.put(CONTRACTS[0], bytes.fromhex("61ffff5b600190038060035700"))
        execution = OURS.begin(state, environment())
        used.append(execution.apply(transaction(0, CONTRACTS[0], b"", 5_000_000), deadline))
    assert used[0] == used[1]
