"""Between the commit and its publication: nothing is shown early, nothing is replaced."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.chain import BlockInvalid, ChainDamaged, Ledger, WaitTimeout
from ledger.chain.encoding import encode_block
from ledger.evm import decode_transaction, encode_header, instructions
from ledger.store import StoreError
from ledger.tlog import NoteSigner
from tests.ledger.chain.support import GAS, make_genesis, sender

TIME = 0x65000001


def append(ledger: Ledger, number: int, index: int = 1) -> Any:
    one = sender(index)
    one.nonce = ledger.pending_nonce(one.address)
    return ledger.append_block([decode_transaction(one.call(number))], TIME + number)


def after_commit(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, then: Callable[[], None]) -> None:
    """Have `then` run when a block is durable and not yet published."""
    commit = ledger._store.commit

    def commit_and_then(batch: Any) -> None:
        commit(batch)
        then()

    monkeypatch.setattr(ledger._store, "commit", commit_and_then)


@pytest.mark.feature("L1")
def test_a_commit_that_seems_to_fail_is_not_followed_by_another_block_in_its_place(
    tmp_path: Path, note_signer: NoteSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise StoreError("the disk answered too late")

    genesis = make_genesis()
    with Ledger.open(tmp_path / "l", genesis=genesis, signer=note_signer) as ledger:
        append(ledger, 1)
        shown = ledger.log.checkpoint()
        with monkeypatch.context() as patch:
            after_commit(ledger, patch, fail)
            with pytest.raises(StoreError, match="too late"):
                append(ledger, 2)
        with pytest.raises(ChainDamaged, match="not that after block 1"):
            append(ledger, 3, index=2)
        assert ledger.log.checkpoint() == shown
    with Ledger.open(tmp_path / "l", genesis=genesis, signer=note_signer) as ledger:
        assert ledger.head().header.number == 2
        append(ledger, 3, index=2)
        ledger.verify_integrity()


@pytest.mark.feature("L1")
def test_a_failure_after_the_commit_leaves_the_block_as_the_head(
    open_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(open_ledger._reader, "remember", fail)
        with pytest.raises(MemoryError):
            append(open_ledger, 1)
    assert open_ledger.head().header.number == 1
    append(open_ledger, 2, index=2)
    open_ledger.verify_integrity()


@pytest.mark.feature("L3")
def test_a_block_that_is_not_yet_published_has_its_right_leaves(
    open_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[int] = []

    def look() -> None:
        found.append(open_ledger.log.leaf_index(1, 0))
        found.append(open_ledger.log.leaf_index(1))

    after_commit(open_ledger, monkeypatch, look)
    committed = append(open_ledger, 1)
    assert found == [committed.logs[0].leaf_index, committed.logs[0].leaf_index + 1]


@pytest.mark.feature("L1")
def test_who_waits_is_answered_when_head_and_log_cover_the_transaction(
    open_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    transaction = decode_transaction(sender(1).call(1))
    early: list[bool] = []

    def look() -> None:
        assert open_ledger.receipt(transaction.hash) is not None
        with pytest.raises(WaitTimeout):
            open_ledger.wait_for(transaction.hash, 0.01)
        early.append(True)

    after_commit(open_ledger, monkeypatch, look)
    open_ledger.append_block([transaction], TIME)
    assert early == [True]
    assert open_ledger.wait_for(transaction.hash, 0)[0].block_number == 1


@pytest.mark.feature("L1")
def test_a_block_beyond_all_bounds_is_refused_before_it_is_read(open_ledger: Ledger) -> None:
    with pytest.raises(BlockInvalid, match="are possible"):
        open_ledger.validate_block(bytes(10 << 20))


@pytest.mark.feature("L1")
def test_py_evms_own_loop_finds_a_chain_that_a_wrong_loop_made(
    open_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check of decision D2, and that it is no check of our loop by itself."""
    monkeypatch.setattr(instructions, "_GAS_SET", instructions._GAS_SET - 1)
    append(open_ledger, 1)
    open_ledger.verify_integrity()
    with pytest.raises(ChainDamaged, match="block 1 is not as it was"):
        open_ledger.verify_integrity(reference=True)


@pytest.mark.feature("L1")
def test_py_evms_own_loop_makes_the_same_chain(open_ledger: Ledger) -> None:
    for number in range(1, 6):
        append(open_ledger, number, index=1 + number % 3)
    open_ledger.verify_integrity(reference=True)


@pytest.mark.feature("L1")
def test_genesis_bounds_elliptic_curve_work(tmp_path: Path, note_signer: NoteSigner) -> None:
    """A chain without any: the call fails, the transaction is mined."""
    document = dict(make_genesis().fields)
    document["tallystick"]["limits"] = {"curveWorkMax": 0}
    genesis = make_genesis(tallystick=document["tallystick"])
    assert genesis.limits.curve_work_max == 0
    pairing, pair = bytes(19) + b"\x08", bytes(192)
    with Ledger.open(tmp_path / "l", genesis=genesis, signer=note_signer) as ledger:
        raw = sender(1).sign(to=pairing, data=pair, gas=GAS)
        committed = ledger.append_block([decode_transaction(raw)], TIME)
        assert [receipt.status for receipt in committed.receipts] == [0]
        ledger.verify_integrity(reference=True)


@pytest.mark.feature("L1")
def test_a_foreign_block_is_judged_on_one_head_while_others_are_committed(
    open_ledger: Ledger, tmp_path: Path, note_signer: NoteSigner
) -> None:
    """It is the next block or it is not; a state between two heads is neither."""
    with Ledger.open(tmp_path / "other", genesis=make_genesis(), signer=note_signer) as other:
        made = [append(other, number).block for number in range(1, 31)]
    blocks = [
        encode_block(encode_header(block.header), [one.raw for one in block.transactions])
        for block in made
    ]
    answers: list[str] = []
    done = threading.Event()

    def judge() -> None:
        while not done.is_set():
            try:
                open_ledger.validate_block(blocks[15])
                answers.append("valid")
            except BlockInvalid as error:
                answers.append(str(error))

    judges = [threading.Thread(target=judge) for _ in range(2)]
    for one in judges:
        one.start()
    for block in blocks:
        open_ledger.import_block(block)
    done.set()
    for one in judges:
        one.join()
    assert answers
    assert all(answer == "valid" or " was due" in answer for answer in answers)
