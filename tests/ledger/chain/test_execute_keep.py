"""Executing apart from keeping, as a consensus driver does."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.chain import BlockEmpty, BlockInvalid, Ledger, NotPermitted
from ledger.evm import decode_transaction
from ledger.evm.errors import NonceTooHigh, TransactionRefused
from ledger.tlog import NoteSigner
from ledger.types import Transaction
from tests.ledger.chain.support import make_genesis, sender

OUTSIDER = 9
TIME = 0x65000001


def _calls(*numbers: int) -> list[Transaction]:
    alice = sender(1)
    return [decode_transaction(alice.call(number)) for number in numbers]


@pytest.mark.feature("L2")
def test_what_is_executed_changes_nothing_until_it_is_kept(open_ledger: Ledger) -> None:
    before = (open_ledger.head(), open_ledger.log.size, open_ledger.log.root)
    executed = open_ledger.execute(_calls(1, 2), TIME)
    assert (open_ledger.head(), open_ledger.log.size, open_ledger.log.root) == before
    assert open_ledger.consensus_mark() is None
    committed = open_ledger.keep(executed, b"height 7")
    assert committed is not None
    assert open_ledger.head() == committed.block == executed.block
    assert (open_ledger.log.size, open_ledger.log.root) == (executed.log_size, executed.log_root)
    assert open_ledger.consensus_mark() == b"height 7"
    open_ledger.verify_integrity()


@pytest.mark.feature("L2")
def test_execution_is_a_function_of_head_transactions_and_time(open_ledger: Ledger) -> None:
    one, two = (open_ledger.execute(_calls(1, 2), TIME) for _ in range(2))
    assert (one.block, one.log_root, one.receipts) == (two.block, two.log_root, two.receipts)
    assert open_ledger.execute(_calls(1, 2), TIME + 1).log_root != one.log_root


@pytest.mark.feature("L2")
def test_keeping_makes_the_same_block_as_appending(tmp_path: Path, note_signer: NoteSigner) -> None:
    genesis = make_genesis()
    with (
        Ledger.open(tmp_path / "a", genesis=genesis, signer=note_signer) as one,
        Ledger.open(tmp_path / "b", genesis=genesis, signer=note_signer) as two,
    ):
        one.append_block(_calls(1, 2, 3), TIME)
        two.keep(two.execute(_calls(1, 2, 3), TIME), b"")
        assert one.head() == two.head()
        assert one.log.root == two.log.root


@pytest.mark.feature("L2")
def test_a_block_executed_on_another_head_is_not_kept(open_ledger: Ledger) -> None:
    first, second = open_ledger.execute(_calls(1), TIME), open_ledger.execute(_calls(2), TIME)
    open_ledger.keep(first, b"1")
    with pytest.raises(BlockInvalid, match="was executed on block"):
        open_ledger.keep(second, b"2")
    assert open_ledger.head() == first.block
    assert open_ledger.consensus_mark() == b"1"


@pytest.mark.feature("L2")
@pytest.mark.parametrize(
    ("raw", "reason"),
    [(sender(OUTSIDER).sign(), NotPermitted), (sender(2).sign(nonce=3), NonceTooHigh)],
)
def test_strict_execution_refuses_the_block_for_one_transaction(
    open_ledger: Ledger, raw: bytes, reason: type[TransactionRefused]
) -> None:
    transactions = [*_calls(1), decode_transaction(raw)]
    with pytest.raises(BlockInvalid, match="transaction 1") as refused:
        open_ledger.execute(transactions, TIME, strict=True)
    assert isinstance(refused.value.__cause__, reason)
    executed = open_ledger.execute(transactions, TIME)
    assert [type(one.reason) for one in executed.dropped] == [reason]
    assert len(executed.block.transactions) == 1


@pytest.mark.feature("L2")
def test_a_mark_alone_is_kept_and_found_after_reopening(
    tmp_path: Path, note_signer: NoteSigner
) -> None:
    with Ledger.open(tmp_path, genesis=make_genesis(), signer=note_signer) as ledger:
        with pytest.raises(BlockEmpty):
            ledger.execute([], TIME)
        assert ledger.keep(None, b"height 3") is None
        assert ledger.head().header.number == 0
    with Ledger.open(tmp_path, signer=note_signer) as again:
        assert again.consensus_mark() == b"height 3"
        again.keep(again.execute(_calls(1), TIME), b"height 4")
    with Ledger.open(tmp_path, signer=note_signer) as last:
        assert last.consensus_mark() == b"height 4"


@pytest.mark.feature("L2")
def test_what_was_submitted_here_is_relayed_and_what_was_received_is_not(
    open_ledger: Ledger,
) -> None:
    relayed: list[bytes] = []
    open_ledger.relay(lambda transaction: relayed.append(transaction.hash))
    submitted = open_ledger.submit(sender(1).sign())
    open_ledger.receive(sender(2).sign())
    with pytest.raises(NotPermitted):
        open_ledger.submit(sender(OUTSIDER).sign())
    assert relayed == [submitted]
    open_ledger.relay(None)
    open_ledger.submit(sender(3).sign())
    assert relayed == [submitted]
