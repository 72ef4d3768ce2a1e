"""The ledger that was open while a snapshot came in."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from ledger.chain import (
    BlockUnknown,
    ChainDamaged,
    ForkRefused,
    Ledger,
    StateNotKept,
    encode_block,
)
from ledger.chain.signed_before import write_signed_before
from ledger.consensus import SoloDriver
from ledger.evm import CallRequest, decode_transaction, encode_header
from ledger.evm.errors import TransactionRefused
from ledger.store import Store, Table, WriteBatch
from ledger.tlog import Checkpoint, NoteSigner, sign_checkpoint
from ledger.types import CommittedBlock
from tests.ledger.chain.support import ECHO, sender
from tests.ledger.rpc.support import Rpc
from tests.ledger.snapshot.conftest import Made
from tests.ledger.snapshot.support import grow, open_at, restore

pytestmark = pytest.mark.feature("N4")


def test_followers_are_told_of_every_block_in_order(made: Made, empty: Ledger) -> None:
    told: list[CommittedBlock] = []
    done = threading.Event()

    def follow(block: CommittedBlock) -> None:
        told.append(block)
        if block.block.hash == made.head:
            done.set()

    unsubscribe = empty.subscribe(follow)
    restore(empty, made.info, made.chunks, made.root)
    assert done.wait(10)
    unsubscribe()
    assert [one.block.header.number for one in told] == [1, 2, 3, 4, 5]
    assert told[2] == empty.committed(3)


def test_a_view_that_was_open_goes_on_showing_what_it_showed(made: Made, empty: Ledger) -> None:
    with empty.state() as before:
        root = before.root
        account = before.account(sender(1).address)
        restore(empty, made.info, made.chunks, made.root)
        assert before.root == root
        assert before.account(sender(1).address) == account
    with empty.state() as after:
        assert after.root == empty.head().header.state_root != root


def test_the_mempool_knows_the_new_nonces_and_blocks_go_on(made: Made, empty: Ledger) -> None:
    restore(empty, made.info, made.chunks, made.root)
    with empty.state() as state:
        account = state.account(sender(1).address)
    assert account is not None
    who = sender(1)
    with pytest.raises(TransactionRefused):
        empty.submit(who.call(1))
    who.nonce = account.nonce
    driver = SoloDriver(empty)
    driver.start()
    try:
        mined, _ = empty.wait_for(empty.submit(who.call(77)), 30)
    finally:
        driver.stop()
    assert mined.block_number == 6
    with empty.state(5) as kept, empty.state() as latest:
        assert kept.storage(ECHO, 77) == 0
        assert latest.storage(ECHO, 77) == 77


def test_states_before_the_snapshot_are_told_to_be_elsewhere(made: Made, empty: Ledger) -> None:
    restore(empty, made.info, made.chunks, made.root)
    for number in range(5):
        with (
            pytest.raises(StateNotKept, match="state before block 5 is not kept here"),
            empty.state(number),
        ):
            pass
    request = CallRequest(sender(1).address, ECHO, 0, bytes(32), 100_000)
    with pytest.raises(StateNotKept):
        empty.call(request, 3)
    with pytest.raises(BlockUnknown, match="does not exist"), empty.state(6):
        pass
    assert not empty.call(request, 5).reverted
    rpc = Rpc(empty)
    for method, *params in (
        ("eth_getBalance", f"0x{ECHO.hex()}"),
        ("eth_getStorageAt", f"0x{ECHO.hex()}", "0x0"),
        ("eth_getProof", f"0x{ECHO.hex()}", []),
        ("eth_call", {"to": f"0x{ECHO.hex()}"}),
    ):
        error = rpc.error(method, *params, "0x2")
        assert "state before block 5 is not kept here" in error["message"], method
        if method != "eth_call":
            rpc.call(method, *params, "0x5")
    assert rpc.call("eth_getBlockByNumber", "0x2", True)["number"] == "0x2"


def test_it_is_whole_after_being_opened_again(made: Made, tmp_path: Path) -> None:
    with open_at(tmp_path / "a") as ledger:
        restore(ledger, made.info, made.chunks, made.root)
    with open_at(tmp_path / "a") as ledger:
        assert ledger.head().hash == made.head
        ledger.verify_integrity()
        grow_more(ledger)
        ledger.verify_integrity()
    with open_at(tmp_path / "a") as ledger:
        assert ledger.head().header.number == 7
        with pytest.raises(StateNotKept), ledger.state(4):
            pass


def grow_more(ledger: Ledger) -> None:
    who = sender(4)
    for number in (1, 2):
        time = ledger.head().header.timestamp + 1
        ledger.append_block([decode_transaction(who.call(number))], time)


@pytest.mark.parametrize(
    ("table", "nth"),
    [
        (Table.HEADERS, 2),
        (Table.BODIES, 2),
        (Table.RECEIPTS, 2),
        (Table.ENTRIES, 3),
        (Table.TILES, 0),
        (Table.LEAF_INDEX, 2),
        (Table.SLOTS, 1),
        (Table.ACCOUNTS, 1),
        (Table.NODES, 3),
        (Table.TRANSACTION_LOCATION, 2),
        (Table.BLOCK_NUMBER_BY_HASH, 2),
    ],
)
def test_damage_is_found_without_the_states_as_well(
    made: Made, tmp_path: Path, table: Table, nth: int
) -> None:
    with open_at(tmp_path / "a") as ledger:
        restore(ledger, made.info, made.chunks, made.root)
    with Store.open(tmp_path / "a", 1 << 30) as store:
        with store.snapshot() as snapshot:
            key, value = list(snapshot.scan(table))[nth]
        batch = WriteBatch()
        batch.put(table, key, value[:-1] + bytes((value[-1] ^ 1,)))
        store.commit(batch)
    with pytest.raises(ChainDamaged), open_at(tmp_path / "a") as ledger:
        ledger.verify_integrity()


# ---- what was signed before ---------------------------------------------------------------------


def signed_before(place: Path, size: int, root: bytes) -> None:
    place.mkdir(exist_ok=True)
    signer = NoteSigner("tallystick.example/test", bytes(range(32)))
    checkpoint = Checkpoint("tallystick.example/test", size, root)
    write_signed_before(place, sign_checkpoint(checkpoint, (signer,)))


def test_no_block_is_made_below_a_size_that_was_signed_before(made: Made, tmp_path: Path) -> None:
    signed_before(tmp_path / "a", 3, made.roots[3])
    with open_at(tmp_path / "a") as ledger:
        with pytest.raises(ForkRefused, match="signed size 3 before"):
            grow(ledger, 1)
        assert ledger.log.size == 0
        restore(ledger, made.info, made.chunks, made.root)
        grow_more(ledger)


def test_what_others_kept_may_come_back_and_nothing_else(made: Made, tmp_path: Path) -> None:
    blocks: list[bytes] = []
    with open_at(tmp_path / "source") as source:
        grow(source, 2)
        for number in (1, 2):
            block = source.committed(number).block
            raws = [one.raw for one in block.transactions]
            blocks.append(encode_block(encode_header(block.header), raws))
        size, root = source.log.size, source.log.root_at(source.log.size - 1)
    signed_before(tmp_path / "same", size - 1, root)
    with open_at(tmp_path / "same") as ledger:
        for block in blocks:
            ledger.import_block(block)
        grow_more(ledger)
    signed_before(tmp_path / "other", size - 1, bytes(32))
    with open_at(tmp_path / "other") as ledger:
        ledger.import_block(blocks[0])
        with pytest.raises(ForkRefused, match="it would be a fork"):
            ledger.import_block(blocks[1])
        assert ledger.head().header.number == 1
    with open_at(tmp_path / "other") as ledger:
        assert ledger.head().header.number == 1


def test_a_restored_or_reopened_log_must_contain_what_was_signed(
    made: Made, tmp_path: Path
) -> None:
    signed_before(tmp_path / "a", 3, bytes(32))
    with open_at(tmp_path / "a") as ledger:
        with pytest.raises(ForkRefused):
            restore(ledger, made.info, made.chunks, made.root)
        assert ledger.head().header.number == 0
    (tmp_path / "a" / "signed-before").unlink()
    with open_at(tmp_path / "a") as ledger:
        restore(ledger, made.info, made.chunks, made.root)
    signed_before(tmp_path / "a", 3, bytes(32))
    with pytest.raises(ForkRefused):
        open_at(tmp_path / "a")
    (tmp_path / "a" / "signed-before").write_text("nothing of the kind")
    with pytest.raises(ChainDamaged, match="no checkpoint"):
        open_at(tmp_path / "a")
