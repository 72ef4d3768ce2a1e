"""From a signed transaction to a proof that verifies without the ledger."""

from __future__ import annotations

import threading

import pytest

from ledger.chain import Ledger
from ledger.tlog import (
    BlockLeaf,
    EventLeaf,
    NoteVerifier,
    decode_leaf,
    leaf_hash,
    open_checkpoint,
    verify_consistency,
    verify_inclusion,
)
from ledger.types import CommittedBlock
from tests.ledger.chain.support import ECHO, ECHO_TOPIC, sender


@pytest.mark.feature("L1")
def test_a_submitted_call_becomes_a_block_with_receipt_log_and_state(solo_ledger: Ledger) -> None:
    alice = sender(1)
    tx_hash = solo_ledger.submit(alice.call(7))
    mined, receipt = solo_ledger.wait_for(tx_hash, 10)
    assert (mined.block_number, mined.index, receipt.status) == (1, 0, 1)
    head = solo_ledger.head()
    assert head.hash == mined.block_hash
    assert head.transactions[0].hash == tx_hash
    assert receipt.logs[0].address == ECHO
    assert receipt.logs[0].topics == (ECHO_TOPIC,)
    with solo_ledger.state() as state:
        assert state.storage(ECHO, 7) == 7
        assert state.root == head.header.state_root
    with solo_ledger.state(0) as state:
        assert state.storage(ECHO, 7) == 0


@pytest.mark.feature("L4")
def test_every_event_and_block_is_a_leaf_that_verifies_against_the_checkpoint(
    solo_ledger: Ledger,
) -> None:
    alice, bob = sender(1), sender(2)
    hashes = [solo_ledger.submit(who.call(n)) for n in range(40) for who in (alice, bob)]
    for one in hashes:
        solo_ledger.wait_for(one, 30)
    log, verifier = solo_ledger.log, NoteVerifier.parse(solo_ledger.vkey)
    checkpoint = open_checkpoint(log.checkpoint(), [verifier], 1, solo_ledger.origin)
    head = solo_ledger.head().header.number
    assert (checkpoint.size, checkpoint.root) == (log.size, log.root)
    assert log.size == 80 + head
    leaf = 0
    for number in range(1, head + 1):
        committed = solo_ledger.committed(number)
        before = committed.block.header.extra_data
        if leaf:
            verify_consistency(
                leaf, log.size, log.consistency_proof(leaf, log.size), before, log.root
            )
        for placed in committed.logs:
            assert placed.leaf_index == leaf
            assert log.leaf_index(number, placed.log_index) == leaf
            event = decode_leaf(log.entry(leaf))
            assert isinstance(event, EventLeaf)
            assert (event.address, event.topics, event.data) == (
                placed.log.address,
                placed.log.topics,
                placed.log.data,
            )
            _verify(solo_ledger, leaf, checkpoint.size, checkpoint.root)
            leaf += 1
        block_leaf = decode_leaf(log.entry(leaf))
        assert isinstance(block_leaf, BlockLeaf)
        assert block_leaf.block_hash == committed.block.hash
        assert log.leaf_index(number) == leaf
        _verify(solo_ledger, leaf, checkpoint.size, checkpoint.root)
        leaf += 1
    assert leaf == log.size


def _verify(ledger: Ledger, index: int, size: int, root: bytes) -> None:
    path = ledger.log.inclusion_proof(index, size)
    verify_inclusion(leaf_hash(ledger.log.entry(index)), index, size, path, root)


@pytest.mark.feature("L1")
def test_followers_see_every_block_once_and_in_order(solo_ledger: Ledger) -> None:
    seen: list[int] = []
    done = threading.Event()

    def follow(block: CommittedBlock) -> None:
        seen.append(block.block.header.number)
        if block.block.header.number == 5:
            done.set()

    def broken(_block: CommittedBlock) -> None:
        raise ValueError("a follower of no use")

    solo_ledger.subscribe(broken)
    unsubscribe = solo_ledger.subscribe(follow)
    alice = sender(1)
    for number in range(5):
        solo_ledger.wait_for(solo_ledger.submit(alice.call(number)), 10)
    assert done.wait(10)
    unsubscribe()
    solo_ledger.wait_for(solo_ledger.submit(alice.call(9)), 10)
    assert seen == [1, 2, 3, 4, 5]
