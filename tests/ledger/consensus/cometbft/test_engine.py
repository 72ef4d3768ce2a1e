"""One real engine: it commits, it is killed, it comes back, it dies with us, it is stopped."""

from __future__ import annotations

import logging
import os
import signal
import time
from pathlib import Path

import pytest

from ledger.chain import Ledger
from ledger.consensus import DriverState
from ledger.consensus.cometbft import (
    EngineHomeInvalid,
    EngineMissing,
    EngineRefused,
    EngineStartFailed,
    EngineUnreachable,
    MethodNotAllowed,
    engine_genesis,
)
from ledger.consensus.cometbft.enginelog import ENGINE_BEHIND, STATE_DIFFERS
from ledger.cores import GIVEN
from ledger.crypto.protocol import ValidatorSigner
from ledger.state.account import flat_slot_key
from ledger.state.readers import STATE_ROOT_KEY
from ledger.store import Table, WriteBatch
from tests import warm
from tests.conftest import PROJECT
from tests.ledger.chain.support import sender
from tests.ledger.consensus.cometbft.network import Member, make_members, network, until
from tests.ledger.consensus.cometbft.support import REGISTRY, account_slot

pytestmark = [
    pytest.mark.feature("L2"),
    pytest.mark.consortium,
    pytest.mark.usefixtures("cometbft"),
]


def call(member: Member, number: int, by: int = 1) -> int:
    """A call that is final; the number of its block."""
    account = sender(by)
    nonce = member.ledger.pending_nonce(account.address)
    raw = account.sign(nonce=nonce, data=number.to_bytes(32, "big"))
    return member.ledger.wait_for(member.ledger.submit(raw), 60)[0].block_number


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def test_a_transaction_becomes_final_and_an_idle_network_stands_still(tmp_path: Path) -> None:
    with network(tmp_path, 1) as net:
        member = net[0]
        assert call(member, 1) == 1
        assert call(member, 2) == 2
        receipt = member.ledger.receipts(2)[0]
        assert receipt.status == 1
        age_s = time.time() - member.ledger.head().header.timestamp
        assert -1 < age_s < 10
        until(lambda: member.driver.height() >= 4, what="the block that proves the last one")
        time.sleep(0.5)
        height = member.driver.height()
        time.sleep(2)
        assert member.driver.height() == height
        assert member.ledger.head().header.number == 2
        status = member.driver.status()
        assert (status.state, status.error, status.blocks) == (DriverState.RUNNING, None, 2)
        engine = member.driver.engine()
        assert engine.power == 1
        assert engine.catching_up is False
        assert engine.height == height


def test_after_an_idle_time_a_block_has_the_present_time(tmp_path: Path) -> None:
    with network(tmp_path, 1) as net:
        call(net[0], 1)
        time.sleep(4)
        call(net[0], 2)
        assert time.time() - net[0].ledger.head().header.timestamp < 3


def test_a_transaction_that_waits_for_a_nonce_makes_no_empty_blocks(tmp_path: Path) -> None:
    with network(tmp_path, 1) as net:
        member = net[0]
        call(member, 1)
        alice = sender(1)
        late = member.ledger.submit(alice.sign(nonce=2, data=b"\2" * 32))
        time.sleep(1)
        height = member.driver.height()
        time.sleep(2)
        assert member.driver.height() == height
        member.ledger.submit(alice.sign(nonce=1, data=b"\1" * 32))
        member.ledger.wait_for(late, 20)


def test_stop_and_start_again(tmp_path: Path) -> None:
    with network(tmp_path, 1) as net:
        member = net[0]
        call(member, 1)
        pid = member.driver.engine().pid
        assert pid is not None
        member.driver.stop()
        member.driver.stop()
        assert not alive(pid)
        assert member.driver.status().state is DriverState.STOPPED
        pending = member.ledger.submit(sender(1).sign(nonce=1))
        member.driver.start()
        member.driver.start()
        member.ledger.wait_for(pending, 60)
        member.close()
        member.open()
        assert member.ledger.head().header.number == 2
        assert call(member, 3) == 3


def test_a_killed_engine_comes_back_and_nothing_is_lost(
    tmp_path: Path, one_core: frozenset[int]
) -> None:
    with network(tmp_path, 1) as net:
        member = net[0]
        call(member, 1)
        for round_number in range(2):
            pid = member.driver.engine().pid
            assert pid is not None
            hashes = [
                member.ledger.submit(sender(1).sign(nonce=1 + 5 * round_number + n))
                for n in range(5)
            ]
            os.kill(pid, signal.SIGKILL)
            for one in hashes:
                member.ledger.wait_for(one, 60)
        engine = member.driver.engine()
        assert engine.starts == 3
        assert engine.pid is not None
        assert os.sched_getaffinity(engine.pid) == GIVEN, "the engine takes every core"
        assert os.sched_getaffinity(0) == one_core
        until(lambda: member.driver.status().state is DriverState.RUNNING)


def test_paused_means_that_nothing_changes(tmp_path: Path) -> None:
    with network(tmp_path, 1) as net:
        member = net[0]
        call(member, 1)
        with member.driver.paused():
            assert member.driver.engine().pid is None
            assert member.driver.status().state is DriverState.PAUSED
            pending = member.ledger.submit(sender(1).sign(nonce=1))
            time.sleep(0.5)
            assert member.ledger.head().header.number == 1
        member.ledger.wait_for(pending, 60)
        assert member.driver.status().state is DriverState.RUNNING


def test_engine_rpc_serves_light_clients_and_nothing_else(tmp_path: Path) -> None:
    with network(tmp_path, 1) as net:
        driver = net[0].driver
        call(net[0], 1)
        commit = driver.engine_rpc("commit", {"height": "1"})
        assert commit["canonical"] is True
        (one,) = driver.engine_rpc("validators", {"height": 1, "page": None})["validators"]  # type: ignore[misc]
        assert one["voting_power"] == "1"
        params = driver.engine_rpc("consensus_params", {"height": "1"})["consensus_params"]
        assert params["block"]["max_gas"] == "-1"  # type: ignore[index]
        with pytest.raises(EngineRefused, match="height") as refused:
            driver.engine_rpc("commit", {"height": "999999"})
        assert refused.value.error["code"] == -32603
        for method in ("block", "block_results", "broadcast_tx_sync", "genesis", "dial_peers"):
            with pytest.raises(MethodNotAllowed):
                driver.engine_rpc(method, {})
        with pytest.raises(MethodNotAllowed):
            driver.engine_rpc("commit", {"height": "1", "more": "1"})
        with pytest.raises(MethodNotAllowed):
            driver.engine_rpc("commit", {"height": "-1"})
        driver.stop()
        with pytest.raises(EngineUnreachable):
            driver.engine_rpc("status", {})


# ---- what must halt -------------------------------------------------------------------------


def reopen_halted(member: Member, words: str) -> None:
    """The engine comes up, finds out, and stays down."""
    member.open()
    until(lambda: member.driver.status().halted, 60, "the halt")
    status = member.driver.status()
    assert status.state is DriverState.FAILING
    assert words in str(status.error)
    until(lambda: member.driver.engine().pid is None)
    starts = member.driver.engine().starts
    time.sleep(1.5)
    assert member.driver.engine().starts == starts == 1
    with pytest.raises(EngineStartFailed, match="not up"):
        member.driver.wait_ready(0.1)


def test_a_ledger_that_lost_its_last_block_is_made_whole_from_the_engines(tmp_path: Path) -> None:
    with network(tmp_path, 1) as net:
        member = net[0]
        call(member, 1)
        member.driver.stop()
        member.ledger.close()
        (member.folder / "ledger").rename(member.folder / "away")
        member.open()
        until(lambda: member.ledger.head().header.number == 1, 60)
        assert call(member, 2) == 2


def test_an_altered_state_halts_the_node(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Altered while it stood still; a replay then gives another log root than the engine has."""
    with network(tmp_path, 1) as net:
        member = net[0]
        call(member, 1)
        until(lambda: member.driver.height() >= 3)
        member.driver.stop()
        mark = member.ledger.consensus_mark()
        member.ledger.close()
        # An older ledger, in which the sender has been suspended by hand.
        (member.folder / "ledger").rename(member.folder / "away")
        member.ledger = Ledger.open(
            member.folder / "ledger",
            genesis=member.genesis,
            signer=member.ledger._signer,
            map_size_bytes=1 << 28,
        )
        batch = WriteBatch()
        batch.put(
            Table.SLOTS,
            flat_slot_key(REGISTRY, account_slot(sender(1).address)),
            (2).to_bytes(1, "big"),
        )
        assert mark is not None
        member.ledger._store.commit(batch)
        member.ledger.close()
        with caplog.at_level(logging.CRITICAL):
            reopen_halted(member, STATE_DIFFERS[:40])
        assert any("must not serve" in record.getMessage() for record in caplog.records)


def test_an_engine_that_is_older_than_the_ledger_halts(tmp_path: Path) -> None:
    with network(tmp_path, 1) as net:
        member = net[0]
        call(member, 1)
        member.close()
        for database in ("blockstore.db", "state.db", "cs.wal"):
            folder = member.settings.home / "data" / database
            folder.rename(folder.with_name(f"{database}.away"))
        reopen_halted(member, ENGINE_BEHIND)


def test_a_broken_ledger_halts_instead_of_answering(tmp_path: Path) -> None:
    with network(tmp_path, 1) as net:
        member = net[0]
        call(member, 1)
        batch = WriteBatch()
        batch.put(Table.META, STATE_ROOT_KEY, bytes(32))
        member.ledger._store.commit(batch)
        member.ledger.submit(sender(1).sign(nonce=1))
        until(lambda: member.driver.status().halted, 30, "the halt")
        assert "ChainDamaged" in str(member.driver.status().error)
        until(lambda: member.driver.engine().pid is None)


def test_the_folder_of_another_ledger_is_refused(tmp_path: Path) -> None:
    (one,) = make_members(tmp_path / "one", 1)
    (two,) = make_members(tmp_path / "two", 1)
    one.settings.home.mkdir(parents=True, exist_ok=True)
    (one.settings.home / "config" / "genesis.json").write_bytes(engine_genesis(two.genesis))
    with pytest.raises(EngineHomeInvalid, match="belongs to the ledger"):
        one.open()
    one.ledger.close()


# ---- the process ----------------------------------------------------------------------------


def test_without_the_program_start_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (member,) = make_members(tmp_path, 1)
    monkeypatch.setenv("TALLY_COMETBFT", str(tmp_path / "nowhere"))
    with pytest.raises(EngineMissing, match="nowhere"):
        member.open()
    member.ledger.close()


def test_an_engine_that_cannot_start_is_tried_again_and_said(tmp_path: Path) -> None:
    with network(tmp_path, 1) as net:
        member = net[0]
        member.driver.stop()
        good = member.settings.home / "config" / "node_key.json"
        good.write_text("{}")
        member.driver.start()
        until(lambda: member.driver.engine().starts >= 2, 30)
        status = member.driver.status()
        assert status.state is DriverState.FAILING
        assert not status.halted
        assert "ended with code" in str(status.error)
        assert (member.settings.home / "log").stat().st_size > 0


_CHILD = """
import sys, time
from pathlib import Path
from tests.ledger.consensus.cometbft.network import network
with network(Path(sys.argv[1]), 1) as net:
    print(net[0].driver.engine().pid, flush=True)
    time.sleep(60)
"""


def test_the_engine_dies_with_the_node(tmp_path: Path) -> None:
    with warm.start(["-c", _CHILD, str(tmp_path)], folder=PROJECT) as node:
        assert node.stdout is not None
        pid = int(node.stdout.readline())
        assert alive(pid)
        node.kill()
        node.wait()
        until(lambda: not alive(pid), 10, "the engine's end")


def test_a_validator_key_of_our_own_signs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from ledger.consensus.cometbft import CometBftDriver
    from tests.ledger.consensus.cometbft.support import Node, consortium_genesis

    key = Ed25519PrivateKey.from_private_bytes(b"\7" * 32)

    class Signer:
        @property
        def public_key(self) -> bytes:
            return key.public_key().public_bytes_raw()

        def sign(self, message: bytes) -> bytes:
            return key.sign(message)

    signer: ValidatorSigner = Signer()
    (member,) = make_members(tmp_path, 1)
    member.genesis = consortium_genesis([Node(member.node_id, signer.public_key)])

    def with_signer(ledger: Ledger, settings: object) -> CometBftDriver:
        return CometBftDriver(ledger, settings, validator=signer)  # type: ignore[arg-type]

    monkeypatch.setattr("tests.ledger.consensus.cometbft.network.CometBftDriver", with_signer)
    member.open()
    try:
        assert call(member, 1) == 1
        assert member.driver.engine().power in (0, 1)
        member.driver.stop()
        member.driver.start()
        assert call(member, 2) == 2
    finally:
        member.close()


def test_the_run_time_folder_is_private_and_goes_away(tmp_path: Path) -> None:
    with network(tmp_path, 1) as net:
        running = net[0].driver._running
        assert running is not None
        assert running.folder.stat().st_mode & 0o777 == 0o700
        folder = running.folder
        net[0].driver.stop()
        assert not folder.exists()
        left = net[0].settings.home / "run"
        assert not left.is_symlink()
        folder.mkdir()  # as a run that was killed leaves it
        (folder / "rpc").touch()
        left.symlink_to(folder)
        net[0].driver.start()
        assert not folder.exists()
        call(net[0], 1)
