"""One keeper of nonces: none twice, none left out."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ledger.sending import Nonces
from ledger.types import Address

pytestmark = pytest.mark.feature("A1")

ALICE, BOB = Address(b"\1" * 20), Address(b"\2" * 20)


class Chain:
    """Counts as the ledger does: the first nonce that no contiguous transaction has."""

    def __init__(self, next_nonce: int = 0) -> None:
        self.next_nonce = next_nonce
        self.queued: set[int] = set()

    def submit(self, nonce: int) -> None:
        self.queued.add(nonce)
        while self.next_nonce in self.queued:
            self.queued.remove(self.next_nonce)
            self.next_nonce += 1

    def pending_nonce(self, address: Address) -> int:
        return self.next_nonce


def nonces_with(start: int, *held: int) -> Nonces:
    nonces = Nonces(Chain(start))
    for nonce in held:
        nonces.hold(ALICE, nonce)
    return nonces


def test_the_next_nonce_is_the_lowest_that_nobody_has() -> None:
    for start, held, expected in ((7, (), 7), (7, (7, 8), 9), (7, (7, 9), 8), (9, (7, 8), 9)):
        nonces = nonces_with(start, *held)
        assert nonces.next(ALICE) == expected
        assert nonces.reserve(ALICE) == expected
        assert nonces.next(ALICE) != expected


def test_a_gap_is_seen_only_below_what_waits() -> None:
    assert nonces_with(3).fill(ALICE) is None
    assert nonces_with(3, 3, 4).fill(ALICE) is None
    assert nonces_with(3, 1).fill(ALICE) is None
    gapped = nonces_with(3, 4)
    assert gapped.fill(ALICE) == 3
    assert gapped.fill(ALICE) is None, "the gap is being filled by somebody"
    assert gapped.reserve(ALICE) == 5


def test_accounts_have_nothing_to_do_with_each_other() -> None:
    nonces = nonces_with(5, 5, 6)
    assert nonces.reserve(BOB) == 5
    assert nonces.reserve(ALICE) == 7
    assert (nonces.held(ALICE), nonces.held(BOB)) == (3, 1)


def test_what_was_given_up_is_given_again_first() -> None:
    nonces = Nonces(Chain())
    assert [nonces.reserve(ALICE) for _ in range(3)] == [0, 1, 2]
    nonces.release(ALICE, 1)
    nonces.release(ALICE, 1)
    assert [nonces.reserve(ALICE) for _ in range(2)] == [1, 3]


def test_many_threads_get_each_nonce_once_and_leave_no_gap() -> None:
    chain = Chain()
    nonces, lock = Nonces(chain), threading.Lock()
    got: list[int] = []

    def one(number: int) -> None:
        nonce = nonces.reserve(ALICE)
        if number % 7 == 0:  # refused before it was sent
            nonces.release(ALICE, nonce)
            return
        with lock:
            got.append(nonce)
            chain.submit(nonce)
        nonces.release(ALICE, nonce)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(700)))
    while chain.queued:  # what was given up at the very end
        nonces.hold(ALICE, max(chain.queued))
        nonce = nonces.fill(ALICE)
        assert nonce is not None
        got.append(nonce)
        chain.submit(nonce)
    assert sorted(got) == list(range(len(got)))


class Keeper(RuleBasedStateMachine):
    """Reserve, submit, give up, fill, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.chain = Chain()
        self.nonces = Nonces(self.chain)
        self.mine: set[int] = set()
        self.sent: set[int] = set()

    @rule()
    def reserve(self) -> None:
        nonce = self.nonces.reserve(ALICE)
        assert nonce not in self.mine
        assert nonce not in self.sent
        self.mine.add(nonce)

    @precondition(lambda self: self.mine)
    @rule(data=st.data())
    def submit(self, data: st.DataObject) -> None:
        nonce = data.draw(st.sampled_from(sorted(self.mine)))
        self.mine.remove(nonce)
        self.sent.add(nonce)
        self.chain.submit(nonce)

    @precondition(lambda self: self.mine)
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        nonce = data.draw(st.sampled_from(sorted(self.mine)))
        self.mine.remove(nonce)
        self.nonces.release(ALICE, nonce)

    @rule()
    def mined(self) -> None:
        for nonce in [n for n in self.sent if n < self.chain.next_nonce]:
            self.nonces.release(ALICE, nonce)

    @rule()
    def fill(self) -> None:
        nonce = self.nonces.fill(ALICE)
        if nonce is not None:
            assert nonce not in self.mine | self.sent
            self.sent.add(nonce)
            self.chain.submit(nonce)

    @invariant()
    def everything_sent_can_run_once_gaps_are_filled(self) -> None:
        assert all(n < self.chain.next_nonce or n in self.chain.queued for n in self.sent)

    def teardown(self) -> None:
        for nonce in sorted(self.mine):
            self.chain.submit(nonce)
        while (nonce := self.nonces.fill(ALICE)) is not None:
            self.chain.submit(nonce)
        assert not self.chain.queued


TestKeeper = Keeper.TestCase
TestKeeper.settings = settings(max_examples=60, stateful_step_count=30)
