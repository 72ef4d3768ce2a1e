"""Restart, kill -9, full disk, damage: what was acknowledged is there, and all parts agree."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from ledger.chain import (
    ChainDamaged,
    ChainError,
    Genesis,
    Ledger,
    LedgerClosed,
    SignerMismatch,
    WaitTimeout,
)
from ledger.chain.encoding import encode_number, pack
from ledger.evm import decode_transaction
from ledger.store import Store, StoreBusy, Table, WriteBatch
from ledger.tlog import NoteSigner, leaf_hash, verify_inclusion
from ledger.types import Hash32
from tests import warm
from tests.ledger.chain.support import ECHO, make_genesis, sender

MAP_SIZE_BYTES = 1 << 30


def _open(directory: Path, signer: NoteSigner, **more: Any) -> Ledger:
    return Ledger.open(
        directory, genesis=make_genesis(), signer=signer, map_size_bytes=MAP_SIZE_BYTES, **more
    )


def _grow(ledger: Ledger, blocks: int, start: int = 0) -> None:
    people = [sender(index) for index in (1, 2, 3)]
    for one in people:
        one.nonce = ledger.pending_nonce(one.address)
    for number in range(start + 1, start + blocks + 1):
        raws = [one.call(number * 10 + index) for index, one in enumerate(people)]
        ledger.append_block([decode_transaction(raw) for raw in raws], 0x65000000 + number)


@pytest.mark.feature("L1")
def test_a_restart_gives_the_same_head_log_and_state(
    tmp_path: Path, note_signer: NoteSigner
) -> None:
    with _open(tmp_path / "l", note_signer) as ledger:
        _grow(ledger, 5)
        committed = [ledger.committed(number) for number in range(1, 6)]
        checkpoint, head = ledger.log.checkpoint(), ledger.head()
        receipts = [ledger.receipts(number) for number in range(1, 6)]
    with _open(tmp_path / "l", note_signer) as ledger:
        assert ledger.head() == head
        assert ledger.log.checkpoint() == checkpoint
        # Nothing is in the caches now: all of it is read back.
        assert [ledger.committed(number) for number in range(1, 6)] == committed
        assert [ledger.receipts(number) for number in range(1, 6)] == receipts
        for block in committed:
            for index, one in enumerate(block.block.transactions):
                found = ledger.receipt(one.hash)
                assert found is not None
                assert found[0].transaction == one
                assert (found[0].index, found[1]) == (index, block.receipts[index])
        _grow(ledger, 2, start=5)
        ledger.verify_integrity()
        assert ledger.head().header.number == 7


def test_one_process_at_a_time(tmp_path: Path, note_signer: NoteSigner) -> None:
    with (
        _open(tmp_path / "l", note_signer),
        pytest.raises(StoreBusy, match="in use by another process"),
    ):
        _open(tmp_path / "l", note_signer)


def test_another_key_is_refused(tmp_path: Path, note_signer: NoteSigner) -> None:
    _open(tmp_path / "l", note_signer).close()
    with pytest.raises(SignerMismatch):
        _open(tmp_path / "l", NoteSigner.generate(note_signer.name))
    _open(tmp_path / "l", note_signer).close()


def test_a_closed_ledger_says_so(tmp_path: Path, note_signer: NoteSigner) -> None:
    ledger = _open(tmp_path / "l", note_signer)
    ledger.close()
    ledger.close()
    with pytest.raises(LedgerClosed):
        ledger.submit(sender(1).sign())
    with pytest.raises(LedgerClosed):
        ledger.append_block([], 0)


# ---- damage --------------------------------------------------------------------------------------


def _damage(directory: Path, table: Table, key: bytes, value: bytes | None) -> None:
    with Store.open(directory, MAP_SIZE_BYTES) as store:
        batch = WriteBatch()
        if value is None:
            batch.delete(table, key)
        else:
            with store.snapshot() as snapshot:
                assert snapshot.get(table, key) != value
            batch.put(table, key, value)
        store.commit(batch)


@pytest.mark.feature("N4")
@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        (Table.META, b"head", encode_number(3) + bytes(32)),
        (Table.META, b"state_root", bytes(32)),
        (Table.META, b"log_root", bytes(32)),
        (Table.META, b"log_size", encode_number(5)),
        (Table.META, b"checkpoint", b"no note"),
        (Table.HEADERS, encode_number(4), None),
        (Table.BODIES, encode_number(4), None),
        (Table.TILES, bytes(9), bytes(64)),
        (Table.ENTRIES, encode_number(15), b"{}"),
    ],
)
def test_a_damaged_head_is_seen_at_the_start(
    tmp_path: Path, note_signer: NoteSigner, table: Table, key: bytes, value: bytes | None
) -> None:
    with _open(tmp_path / "l", note_signer) as ledger:
        _grow(ledger, 4)
        assert ledger.log.size == 16
    _damage(tmp_path / "l", table, key, value)
    with pytest.raises(ChainError):
        _open(tmp_path / "l", note_signer)


@pytest.mark.feature("N4")
@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        (Table.HEADERS, encode_number(2), None),
        (Table.BODIES, encode_number(2), pack([sender(1).sign()])),
        (Table.RECEIPTS, encode_number(2), pack([])),
        (Table.ENTRIES, encode_number(2), b"{}"),
        (Table.LEAF_INDEX, encode_number(2), encode_number(9)),
        (Table.SLOTS, ECHO + (30).to_bytes(32, "big"), b"\x07"),
        (Table.SLOTS, ECHO + (77).to_bytes(32, "big"), b"\x07"),
        (Table.ACCOUNTS, sender(1).address, None),
    ],
)
def test_deeper_damage_is_found_by_the_whole_check(
    tmp_path: Path, note_signer: NoteSigner, table: Table, key: bytes, value: bytes | None
) -> None:
    with _open(tmp_path / "l", note_signer) as ledger:
        _grow(ledger, 4)
        seen: list[tuple[int, int]] = []
        ledger.verify_integrity(lambda done, total: seen.append((done, total)))
        assert seen == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    _damage(tmp_path / "l", table, key, value)
    with _open(tmp_path / "l", note_signer) as ledger, pytest.raises(ChainDamaged):
        ledger.verify_integrity()


# ---- kill -9 -------------------------------------------------------------------------------------

_WRITER = """
import sys, threading
from pathlib import Path
from ledger.chain import Ledger
from ledger.consensus import SoloDriver
from ledger.tlog import NoteSigner
from tests.ledger.chain.support import make_genesis, sender

signer = NoteSigner("tallystick.example/test", bytes(range(32)))
ledger = Ledger.open(
    Path(sys.argv[1]), genesis=make_genesis(), signer=signer, map_size_bytes=1 << 30
)
SoloDriver(ledger).start()
lock = threading.Lock()

def work(index):
    who = sender(index)
    who.nonce = ledger.pending_nonce(who.address)
    while True:
        sent = [ledger.submit(who.call(who.nonce + 1)) for _ in range(1 + who.nonce % 5)]
        for one in sent:
            mined, _ = ledger.wait_for(one, 30)
            with lock:
                sys.stdout.write(f"{one.hex()} {mined.block_number}\\n")
                sys.stdout.flush()

for index in (1, 2, 3):
    threading.Thread(target=work, args=(index,)).start()
"""


def _write_and_kill(directory: Path, project: Path, after_s: float) -> list[tuple[Hash32, int]]:
    """Transactions that the writer acknowledged before it was killed."""
    with warm.start(["-c", _WRITER, str(directory)], folder=project) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(after_s)
        process.send_signal(signal.SIGKILL)
        lines = [first, *process.stdout.read().splitlines(keepends=True)]
    whole = [line.split() for line in lines if line.endswith("\n")]
    assert whole, "the writer died by itself"
    return [(Hash32(bytes.fromhex(one)), int(number)) for one, number in whole]


def _kill_rounds(directory: Path, project: Path, signer: NoteSigner, rounds: int) -> None:
    chance = random.Random(20261121)
    acknowledged: list[tuple[Hash32, int]] = []
    for _ in range(rounds):
        acknowledged += _write_and_kill(directory, project, chance.uniform(0, 0.4))
        with _open(directory, signer) as ledger:
            log = ledger.log
            for one, number in acknowledged:
                found = ledger.receipt(one)
                assert found is not None, "an acknowledged transaction is gone"
                assert found[0].block_number == number
            for one, number in acknowledged[-20:]:
                placed = next(x for x in ledger.logs(number) if x.transaction_hash == one)
                leaf = leaf_hash(log.entry(placed.leaf_index))
                path = log.inclusion_proof(placed.leaf_index, log.size)
                verify_inclusion(leaf, placed.leaf_index, log.size, path, log.root)
    with _open(directory, signer) as ledger:
        ledger.verify_integrity()
    assert len(acknowledged) > rounds


@pytest.mark.feature("L1")
def test_kill_9_loses_nothing_that_was_acknowledged(
    tmp_path: Path, project_root: Path, note_signer: NoteSigner
) -> None:
    _kill_rounds(tmp_path / "l", project_root, note_signer, rounds=3)


@pytest.mark.slow
@pytest.mark.feature("L1")
@pytest.mark.timeout(600)
def test_kill_9_ten_times_at_random_moments(
    tmp_path: Path, project_root: Path, note_signer: NoteSigner
) -> None:
    _kill_rounds(tmp_path / "l", project_root, note_signer, rounds=10)


# ---- full disk -----------------------------------------------------------------------------------

_FULL = """
import os, resource, signal, sys, time
from pathlib import Path
from ledger.chain import Ledger
from ledger.consensus import DriverState, SoloDriver
from ledger.mempool import SubmissionPaused
from ledger.tlog import NoteSigner
from tests.ledger.chain.support import make_genesis, sender

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
directory = Path(sys.argv[1])
signer = NoteSigner("tallystick.example/test", bytes(range(32)))
ledger = Ledger.open(directory, genesis=make_genesis(), signer=signer, map_size_bytes=1 << 30)
driver = SoloDriver(ledger)
driver.start()
alice = sender(1)

def big():
    raw = alice.sign(data=bytes(100) + bytes(range(256)) * 300, gas=5_000_000)
    alice.nonce += 1
    return ledger.submit(raw)

ledger.wait_for(big(), 30)
driver.stop()
# More for one block than the file has free pages for.
sent = [big() for _ in range(12)]
size = (directory / "ledger.mdb").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
driver.start()
deadline = time.monotonic() + 30
while driver.status().state is not DriverState.PAUSED:
    assert time.monotonic() < deadline, "the disk never got full"
    time.sleep(0.01)
head = ledger.head()
try:
    ledger.submit(sender(2).sign())
    raise AssertionError("taken although nothing can be written")
except SubmissionPaused as refused:
    assert "disk is full" in str(refused)
assert "no room" in driver.status().error, driver.status()
assert len(ledger.pending()) == 12
assert ledger.block(head.header.number) is not None
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
for one in sent:
    ledger.wait_for(one, 30)
assert driver.status().state is DriverState.RUNNING
ledger.wait_for(ledger.submit(sender(2).sign()), 30)
driver.stop()
ledger.verify_integrity()
ledger.close()
print("recovered", len(sent))
"""


@pytest.mark.feature("L1")
def test_a_full_disk_pauses_the_chain_and_space_lets_it_go_on(
    tmp_path: Path, project_root: Path, note_signer: NoteSigner
) -> None:
    done = warm.run(["-c", _FULL, str(tmp_path / "l")], folder=project_root, timeout_s=100)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.startswith("recovered")
    with _open(tmp_path / "l", note_signer) as ledger:
        ledger.verify_integrity()


def test_waiting_for_what_never_comes_times_out(open_ledger: Ledger) -> None:
    with pytest.raises(WaitTimeout):
        open_ledger.wait_for(Hash32(bytes(32)), 0.01)


def test_genesis_is_read_back_from_the_store(tmp_path: Path, note_signer: NoteSigner) -> None:
    _open(tmp_path / "l", note_signer).close()
    with Ledger.open(tmp_path / "l", signer=note_signer, map_size_bytes=MAP_SIZE_BYTES) as ledger:
        assert ledger.genesis == make_genesis()
        assert isinstance(ledger.genesis, Genesis)
