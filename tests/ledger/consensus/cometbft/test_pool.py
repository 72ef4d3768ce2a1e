"""The engine's mempool: what it may hold, what it is offered, who gets a second chance."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.consensus.cometbft import pool as pool_module
from ledger.consensus.cometbft.pool import CODE_REFUSED, CODE_WAITS
from ledger.mempool import MempoolLimits
from tests.ledger.chain.support import sender
from tests.ledger.consensus.cometbft.rig import Rig
from tests.ledger.consensus.cometbft.support import account_slot, store

pytestmark = pytest.mark.feature("L2")

EVERYTHING = {"count_max": 1_000, "size_bytes_max": 1 << 26}


def test_a_peers_transaction_becomes_pending_here(rig: Rig) -> None:
    raw = sender(1).call(1)
    answer = rig.check(raw)
    assert (answer.code, answer.gas_wanted) == (0, 200_000)
    assert [one.raw for one in rig.ledger.pending()] == [raw]


def test_a_transaction_of_our_own_is_known_already(rig: Rig) -> None:
    raw = sender(1).call(1)
    rig.ledger.submit(raw)
    assert rig.check(raw).code == 0
    assert rig.check(raw).code == 0


def test_what_peers_send_is_not_relayed_again(rig: Rig) -> None:
    relayed: list[bytes] = []
    rig.ledger.relay(lambda transaction: relayed.append(transaction.raw))
    rig.check(sender(1).call(1))
    own = sender(2).call(1)
    rig.ledger.submit(own)
    assert relayed == [own]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty"),
        (b"nonsense", "unknown"),
        (sender(9).sign(), "not an account"),
        (sender(1).sign(chainId=5), "chain 5"),
    ],
)
def test_a_refused_transaction_is_told_why(rig: Rig, raw: bytes, reason: str) -> None:
    answer = rig.check(raw)
    assert answer.code == CODE_REFUSED
    assert reason in answer.log
    assert not rig.ledger.pending()


def test_a_fault_in_checking_refuses_and_stops_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_raw: bytes) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr(rig.ledger, "receive", broken)
    assert rig.check(sender(1).call(1)).code == CODE_REFUSED


def test_what_waits_for_lower_nonces_is_held_here_but_not_by_the_engine(rig: Rig) -> None:
    alice = sender(1)
    first, second = alice.call(1), alice.call(2)
    assert rig.check(second).code == CODE_WAITS
    woken = rig.woken
    assert rig.check(first).code == 0
    assert rig.woken == woken + 1
    assert [one.raw for one in rig.pool.unoffered(**EVERYTHING)] == [second]
    assert rig.check(second).code == 0
    assert rig.pool.unoffered(**EVERYTHING) == []


def test_recheck_keeps_what_is_pending_and_ready(rig: Rig) -> None:
    alice, bob = sender(1), sender(2)
    mined, kept, held = alice.call(1), alice.call(2), bob.call(3)
    for raw in (mined, kept, held):
        assert rig.check(raw).code == 0
    rig.block([mined])
    rig.ledger.mempool.hold(bob.address, 60)
    assert [rig.check(raw, recheck=True).code for raw in (mined, kept, held)] == [1, 0, 1]


def test_recheck_recovers_no_sender(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = sender(1).call(1)
    rig.check(raw)
    monkeypatch.setattr(rig.ledger, "receive", None)
    assert rig.check(raw, recheck=True).code == 0
    assert rig.check(raw).code == 0
    assert rig.check(sender(2).call(1), recheck=True).code == CODE_REFUSED


def test_what_the_engine_lost_is_offered_again(rig: Rig) -> None:
    raw = sender(1).call(1)
    rig.ledger.submit(raw)
    assert len(rig.pool.unoffered(**EVERYTHING)) == 1
    rig.check(raw)
    assert rig.pool.unoffered(**EVERYTHING) == []
    rig.pool.restarted()
    assert [one.raw for one in rig.pool.unoffered(**EVERYTHING)] == [raw]


def test_what_the_engine_did_not_recheck_it_has_no_more(rig: Rig) -> None:
    alice, bob = sender(1).call(1), sender(2).call(1)
    for raw in (alice, bob):
        rig.check(raw)
    for _ in range(3):
        rig.block([])
        assert rig.check(alice, recheck=True).code == 0
    assert [one.raw for one in rig.pool.unoffered(**EVERYTHING)] == [bob]


def test_who_was_unknown_one_block_ago_gets_a_second_chance(rig: Rig) -> None:
    newcomer, alice = sender(9), sender(1)
    raw = newcomer.call(1)
    assert rig.check(raw).code == CODE_REFUSED
    place = account_slot(newcomer.address)
    organisation = int.from_bytes(b"acme".ljust(32, b"\0"), "big")
    rig.block([store(alice, {place - 1: organisation, place: 1})])
    rig.pool.try_again()
    assert [one.raw for one in rig.ledger.pending()] == [raw]
    assert [one.raw for one in rig.pool.unoffered(**EVERYTHING)] == [raw]


def test_second_chances_are_few_and_bounded(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "AGAIN_MAX", 3)
    stranger = sender(9)
    for number in range(5):
        rig.check(stranger.call(number))
    assert len(rig.pool._again) == 3
    for _ in range(pool_module.AGAIN_TRIES):
        assert rig.pool._again
        rig.pool.try_again()
    assert not rig.pool._again
    assert rig.pool._again_size_bytes == 0
    rig.check(b"nonsense")
    assert not rig.pool._again, "what can never be taken gets no second chance"


def test_second_chances_are_bounded_in_bytes(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    raws = [sender(9).sign(nonce=number) for number in range(4)]
    monkeypatch.setattr(pool_module, "AGAIN_SIZE_BYTES_MAX", 2 * max(map(len, raws)))
    for raw in raws:
        rig.check(raw)
    assert len(rig.pool._again) == 2
    assert rig.pool._again_size_bytes <= 2 * max(map(len, raws))


def test_a_full_mempool_refuses_for_now(tmp_path: Path) -> None:
    with Rig(tmp_path / "l") as rig:
        rig.ledger.mempool._limits = MempoolLimits(transactions_max=1)
        assert rig.check(sender(1).call(1)).code == 0
        late = sender(2).call(1)
        assert "pending" in rig.check(late).log
        rig.block([rig.ledger.pending()[0].raw])
        rig.pool.try_again()
        assert [one.raw for one in rig.ledger.pending()] == [late]


def test_a_closed_ledger_refuses(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "l")
    rig.close()
    assert "closed" in rig.check(sender(1).call(1)).log
