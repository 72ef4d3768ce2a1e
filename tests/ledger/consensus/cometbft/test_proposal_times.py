"""What time allows of a proposal: how long it runs, how old it is."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ledger.consensus.cometbft import ProposalRules
from ledger.consensus.cometbft import execution as execution_module
from ledger.evm import TimeLimitExceeded
from tests.ledger.chain.support import sender
from tests.ledger.consensus.cometbft.rig import Rig

pytestmark = pytest.mark.feature("L2")

HASTY = ProposalRules(
    execution_s_max=0.1, proposal_s_max=0.2, transaction_s_max=0.4, judgement_s_max=0.3
)
ENDLESS = bytes.fromhex("5b5f5f5f5f60045afa505f56")
"""As creation code: calls for as long as there is gas, half a minute for that of a block."""


@pytest.fixture
def all_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine does nothing else: all the time that passes is the processor's."""
    monkeypatch.setattr(execution_module.time, "thread_time", time.monotonic)


def counting_to(number: int) -> bytes:
    """Creation code: some 2 microseconds or more a turn, in an instruction that is py-evm's own."""
    return b"\x62" + number.to_bytes(3, "big") + bytes.fromhex("5b5f4950600190038060045700")


def test_what_runs_too_long_is_not_proposed_and_leaves_the_mempool(
    tmp_path: Path, all_work: None
) -> None:
    with Rig(tmp_path / "l", rules=HASTY) as rig:
        alice, bob = sender(1), sender(2)
        endless = rig.ledger.submit(alice.sign(to=None, data=ENDLESS, gas=29_000_000))
        good = bob.call(1)
        rig.ledger.submit(good)
        began = time.monotonic()
        assert rig.prepare() == []
        assert time.monotonic() - began < 2
        with pytest.raises(TimeLimitExceeded):
            rig.ledger.wait_for(endless, 5)
        assert rig.prepare() == [good], "the others do not wait for it"
        rig.ledger.submit(alice.call(1))
        assert rig.prepare() == [good], "its sender does"


def test_what_is_late_because_the_machine_is_busy_is_nobodys_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution_module.time, "thread_time", lambda: 1.0)
    with Rig(tmp_path / "l", rules=HASTY) as rig:
        late = rig.ledger.submit(sender(1).sign(to=None, data=ENDLESS, gas=29_000_000))
        assert rig.prepare() == []
        assert rig.ledger.pending_transaction(late) is not None
        good = sender(2).call(1)
        rig.ledger.submit(good)
        assert rig.prepare() == [good], "the others do not wait for it"


def test_what_takes_long_alone_costs_its_sender_turns(tmp_path: Path) -> None:
    patient = ProposalRules(transaction_s_max=30, judgement_s_max=30)
    slow = sender(1).sign(to=None, data=counting_to(800_000), gas=29_900_000)
    with Rig(tmp_path / "l", rules=patient) as rig:
        assert rig.process([slow])
        rig.block([slow])
        following = rig.ledger.submit(sender(1).sign(nonce=1))
        assert not rig.ledger.mempool.is_ready(following)
        assert rig.ledger.mempool.is_ready(rig.ledger.submit(sender(2).call(1)))


def test_what_does_not_end_beside_others_is_tried_as_the_first(
    tmp_path: Path, all_work: None
) -> None:
    with Rig(tmp_path / "l", rules=HASTY) as rig:
        bob, alice = sender(2), sender(1)
        good = [bob.call(1), bob.call(2)]
        rig.ledger.submit(good[0])
        endless = rig.ledger.submit(alice.sign(to=None, data=ENDLESS, gas=29_000_000))
        rig.ledger.submit(good[1])
        proposed = rig.prepare()
        assert proposed[0] == good[0]
        assert rig.ledger.pending_transaction(endless) is not None
        rig.block(proposed)
        rig.prepare()
        assert rig.ledger.pending_transaction(endless) is None


def test_a_proposal_that_takes_too_long_here_is_refused_and_the_next_time_has_longer(
    tmp_path: Path,
) -> None:
    slow = sender(1).sign(to=None, data=counting_to(400_000), gas=29_000_000)
    with Rig(tmp_path / "l", rules=HASTY) as rig:
        answers = []
        while not any(answers):
            answers.append(rig.process([slow]))
            assert len(answers) < 10, "a slow machine must come to accept what the others have"
        assert answers[0] is False
        rig.block([slow])
        assert rig.ledger.head().header.number == 1


def test_what_is_final_is_executed_however_long_it_takes(tmp_path: Path) -> None:
    slow = sender(1).sign(to=None, data=counting_to(400_000), gas=29_000_000)
    with Rig(tmp_path / "l", rules=HASTY) as rig:
        assert not rig.process([slow])
        assert rig.block([slow]).tx_results[0].code == 0


def test_after_an_idle_time_an_empty_block_brings_the_time_up_to_date(rig: Rig) -> None:
    rig.block([], at=rig.now)
    rig.now += 3_600
    rig.ledger.submit(sender(1).call(1))
    old = rig.now - 3_600
    assert rig.prepare(at=old + 1) == []
    rig.block([], at=old + 1)
    # Even if the time that the votes give is no younger, the next block is not held back.
    assert len(rig.prepare(at=old + 2)) == 1
    proposed = rig.prepare(at=rig.now)
    rig.block(proposed, at=rig.now)
    assert rig.ledger.head().header.timestamp == int(rig.now)


def test_the_first_block_of_all_has_no_time_of_genesis(rig: Rig) -> None:
    """The engine takes genesis time for height 1, and the votes of height 1 for height 2."""
    genesis_time = rig.now - 600
    rig.block([], at=genesis_time)
    rig.now += 300
    rig.ledger.submit(sender(1).call(1))
    assert rig.prepare(at=genesis_time + 1) == []
    rig.block([], at=genesis_time + 1)
    assert len(rig.prepare(at=rig.now)) == 1


def test_an_empty_block_counts_only_for_what_comes_right_after_it(rig: Rig) -> None:
    rig.block([], at=rig.now)
    rig.now += 600
    rig.block([], at=rig.now - 600)
    rig.now += 600
    rig.ledger.submit(sender(1).call(1))
    assert rig.prepare(at=rig.now - 600) == []


def test_a_busy_machine_does_not_bring_the_time_up_to_date_for_ever(rig: Rig) -> None:
    """Checking a full mempool anew may take long: only an empty height right before counts."""
    rig.block([], at=rig.now)
    rig.now += 600
    rig.block([], at=rig.now - 600)
    rig.now += 10
    rig.ledger.submit(sender(1).call(1))
    assert len(rig.prepare(at=rig.now - 10)) == 1


def test_others_do_not_accept_an_old_time_either_unless_they_must(rig: Rig) -> None:
    rig.block([], at=rig.now)
    rig.now += 600
    proposed = [sender(1).call(1)]
    assert not rig.process(proposed, at=rig.now - 600)
    assert rig.process([], at=rig.now - 600)
    assert rig.process(proposed, at=rig.now - 600), "what comes again others have accepted"
    rig.block([], at=rig.now - 600)
    assert rig.process(proposed, at=rig.now - 600), "no younger time is to be had"
