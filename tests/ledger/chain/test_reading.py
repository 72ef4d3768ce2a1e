"""Reading: the log as tiles and entries, followers, calls, past states, unknown places."""

from __future__ import annotations

import threading
import time

import pytest

from ledger.chain import BlockUnknown, Ledger
from ledger.chain.cache import WeighedCache
from ledger.evm import CallFailed, CallRequest, decode_transaction
from ledger.tlog import decode_entries, leaf_hash, root_of
from ledger.types import Address, CommittedBlock, Hash32, Transaction
from tests.ledger.chain.support import ECHO, sender


def _grow(ledger: Ledger, blocks: int, calls: int) -> None:
    alice = sender(1)
    for number in range(1, blocks + 1):
        raws = [alice.call(number * 1_000 + call) for call in range(calls)]
        ledger.append_block([decode_transaction(raw) for raw in raws], 0x65000000 + number)


@pytest.mark.feature("L4")
def test_tiles_and_entries_are_those_of_the_tree_at_every_width(open_ledger: Ledger) -> None:
    log = open_ledger.log
    assert (log.size, log.tile(0, 0), log.entries(0)) == (0, None, None)
    _grow(open_ledger, 3, 99)
    assert log.size == 300
    hashes = [leaf_hash(log.entry(index)) for index in range(300)]
    assert log.root == root_of(hashes)
    assert log.tile(0, 0) == b"".join(hashes[:256])
    assert log.tile(0, 1) == b"".join(hashes[256:])
    assert log.tile(0, 1, 44) == b"".join(hashes[256:])
    assert log.tile(0, 1, 7) == b"".join(hashes[256:263])
    assert log.tile(1, 0) == root_of(hashes[:256])
    for place in ((0, 1, 45), (0, 1, 0), (0, 2, None), (1, 0, 2), (2, 0, None), (-1, 0, None)):
        assert log.tile(*place) is None
    bundle = log.entries(1, 5)
    assert bundle is not None
    assert decode_entries(bundle) == tuple(log.entry(index) for index in range(256, 261))
    assert len(decode_entries(log.entries(0) or b"")) == 256
    assert log.entries(1, 45) is None
    for index in (-1, 300):
        with pytest.raises(IndexError):
            log.entry(index)
    with pytest.raises(IndexError):
        log.inclusion_proof(0, 301)
    with pytest.raises(IndexError):
        log.consistency_proof(1, 301)
    for block, event in ((0, None), (4, None), (1, 99), (1, -1)):
        with pytest.raises(IndexError):
            log.leaf_index(block, event)


def test_unknown_places_are_none_or_say_so(open_ledger: Ledger) -> None:
    assert open_ledger.block(1) is None
    assert open_ledger.block(-1) is None
    assert open_ledger.header(1) is None
    assert open_ledger.block(Hash32(bytes(32))) is None
    assert open_ledger.transaction(Hash32(bytes(32))) is None
    assert open_ledger.receipt(Hash32(bytes(32))) is None
    assert open_ledger.block(open_ledger.head().hash) == open_ledger.head()
    for read in (open_ledger.receipts, open_ledger.logs, open_ledger.committed):
        with pytest.raises(BlockUnknown):
            read(1)
    with pytest.raises(BlockUnknown), open_ledger.state(1):
        pass
    with pytest.raises(BlockUnknown):
        open_ledger.call(CallRequest(sender(1).address, ECHO, 0, b"", 100_000), 1)


def test_calls_run_in_the_state_asked_for_and_leave_no_trace(open_ledger: Ledger) -> None:
    _grow(open_ledger, 1, 1)
    root = open_ledger.head().header.state_root
    request = CallRequest(Address(bytes(20)), ECHO, 0, bytes(31) + b"\x07", 1_000_000)
    assert not open_ledger.call(request).reverted
    assert open_ledger.call(CallRequest(Address(bytes(20)), ECHO, 0, b"", 100_000)).reverted
    assert open_ledger.estimate_gas(request) > 43_000
    stored = (1_000).to_bytes(32, "big")
    again = CallRequest(Address(bytes(20)), ECHO, 0, stored, 1_000_000)
    assert open_ledger.estimate_gas(again) < open_ledger.estimate_gas(again, 0)
    with open_ledger.state() as state:
        assert (state.root, state.storage(ECHO, 7)) == (root, 0)


def test_calls_run_in_a_block_or_in_the_one_that_comes_next(open_ledger: Ledger) -> None:
    _grow(open_ledger, 1, 1)
    head = open_ledger.head()
    # Returns NUMBER and the hash of the block before.
    code = bytes.fromhex("435f52600143034060205260405ff3")
    request = CallRequest(Address(bytes(20)), None, 0, code, 1_000_000)

    def words(number: int, parent: bytes) -> bytes:
        return number.to_bytes(32, "big") + parent

    number = head.header.number
    assert open_ledger.call(request).output == words(number, head.header.parent_hash)
    assert open_ledger.call_next(request).output == words(number + 1, head.hash)


def test_the_block_that_comes_next_is_of_now_however_old_the_last_one_is(
    open_ledger: Ledger,
) -> None:
    _grow(open_ledger, 1, 1)
    request = CallRequest(Address(bytes(20)), None, 0, bytes.fromhex("425f5260205ff3"), 1_000_000)
    before = int(time.time())
    told = int.from_bytes(open_ledger.call_next(request).output, "big")
    assert before <= told <= int(time.time())
    last = open_ledger.head().header.timestamp
    assert last < before
    assert int.from_bytes(open_ledger.call(request).output, "big") == last


def test_gas_is_estimated_for_the_block_that_comes_next(open_ledger: Ledger) -> None:
    """Where a transaction would be: contracts may take one change a block."""
    _grow(open_ledger, 1, 1)
    head = open_ledger.head().header.number

    def only_in(block: int) -> CallRequest:
        code = bytes.fromhex(f"4360{block:02x}14600a575f5ffd5b00")  # NUMBER EQ JUMPI or REVERT
        return CallRequest(Address(bytes(20)), None, 0, code, 1_000_000)

    assert open_ledger.estimate_gas(only_in(head + 1)) > 53_000
    assert open_ledger.estimate_gas(only_in(head), head) > 53_000
    with pytest.raises(CallFailed):
        open_ledger.estimate_gas(only_in(head))


def test_nonces_count_what_is_pending(open_ledger: Ledger) -> None:
    alice = sender(1)
    assert open_ledger.pending_nonce(alice.address) == 0
    hashes = [open_ledger.submit(alice.call(n)) for n in range(3)]
    assert open_ledger.pending_nonce(alice.address) == 3
    assert [one.hash for one in open_ledger.pending()] == hashes
    found = open_ledger.pending_transaction(hashes[1])
    assert found is not None
    assert found.nonce == 1
    open_ledger.append_block(open_ledger.pending(), 0x65000001)
    assert open_ledger.pending_nonce(alice.address) == 3
    assert open_ledger.pending_transaction(hashes[1]) is None


def test_a_slow_follower_holds_up_neither_the_chain_nor_the_others(solo_ledger: Ledger) -> None:
    release, swift, slow = threading.Event(), threading.Event(), list[int]()

    def wait(block: CommittedBlock) -> None:
        release.wait(20)
        slow.append(block.block.header.number)
        if len(slow) == 5:
            done.set()

    done = threading.Event()
    solo_ledger.subscribe(wait)
    solo_ledger.subscribe(lambda b: swift.set() if b.block.header.number == 5 else None)
    alice = sender(1)
    for number in range(5):
        solo_ledger.wait_for(solo_ledger.submit(alice.call(number)), 10)
    assert swift.wait(10)
    assert not slow
    release.set()
    assert done.wait(10)
    assert slow == [1, 2, 3, 4, 5]


def test_followers_of_pending_transactions_hear_of_each_admission(open_ledger: Ledger) -> None:
    seen: list[Hash32] = []
    heard = threading.Semaphore(0)

    def broken(_transaction: Transaction) -> None:
        raise ValueError("a follower of no use")

    def follow(transaction: Transaction) -> None:
        seen.append(transaction.hash)
        heard.release()

    open_ledger.subscribe_pending(broken)
    stop = open_ledger.subscribe_pending(follow)
    alice = sender(1)
    hashes = [open_ledger.submit(alice.call(n)) for n in range(3)]
    for _ in range(3):
        assert heard.acquire(timeout=10)
    assert seen == hashes
    stop()
    open_ledger.submit(alice.call(9))
    assert not heard.acquire(timeout=0.1)


def test_readers_see_whole_blocks_while_the_writer_writes(solo_ledger: Ledger) -> None:
    faults: list[str] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            head = solo_ledger.log.head()
            number = solo_ledger.head().header.number
            committed = solo_ledger.committed(number) if number else None
            if committed and len(committed.receipts) != len(committed.block.transactions):
                faults.append(f"block {number} is torn")
            if head.size:
                solo_ledger.log.inclusion_proof(head.size - 1, head.size)
            with solo_ledger.state(number) as state:
                found = solo_ledger.header(number)
                if found is None or state.root != found.state_root:
                    faults.append(f"state {number} is torn")

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    alice = sender(1)
    hashes = [solo_ledger.submit(alice.call(n)) for n in range(300)]
    solo_ledger.wait_for(hashes[-1], 60)
    stop.set()
    for thread in threads:
        thread.join(10)
    assert not faults


def test_the_cache_keeps_to_its_weight() -> None:
    cache: WeighedCache[int, str] = WeighedCache(10)
    for key in range(5):
        cache.put(key, str(key), 3)
    assert [cache.get(key) for key in range(5)] == [None, None, "2", "3", "4"]
    cache.get(2)
    cache.put(9, "9", 4)
    assert [cache.get(key) for key in (2, 3, 4, 9)] == ["2", None, "4", "9"]
    cache.put(2, "too heavy", 11)
    assert cache.get(2) is None
