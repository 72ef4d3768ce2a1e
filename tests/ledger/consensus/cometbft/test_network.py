"""Four real validators: they agree, go on without one, refuse a liar, let members come and go."""

from __future__ import annotations

import logging
import os
import signal
import time
from pathlib import Path

import pytest

from ledger.consensus.cometbft import EngineSettings, ensure_node_key, ensure_validator_key
from ledger.consensus.cometbft import abci_pb2 as pb
from ledger.consensus.cometbft.enginelog import STATE_DIFFERS
from ledger.state.account import flat_slot_key
from ledger.store import Table, WriteBatch
from ledger.types import Hash32
from tests.ledger.chain.support import Sender, sender
from tests.ledger.consensus.cometbft.network import Member, Net, free_ports, network, until
from tests.ledger.consensus.cometbft.support import (
    IDS_SLOT,
    REGISTRY,
    Node,
    account_slot,
    node_slots,
    nodes_slots,
    store,
)

pytestmark = [
    pytest.mark.feature("L2"),
    pytest.mark.consortium,
    pytest.mark.usefixtures("cometbft"),
    pytest.mark.timeout(240),
]


def submit(member: Member, account: Sender, count: int) -> list[Hash32]:
    return [member.ledger.submit(account.call(number)) for number in range(count)]


def wait_all(member: Member, hashes: list[Hash32], timeout_s: float = 90) -> None:
    for one in hashes:
        member.ledger.wait_for(one, timeout_s)


def wait_one_chain(net: Net) -> None:
    """All nodes have the same last block, and nothing is pending anywhere."""
    until(lambda: not any(member.ledger.pending() for member in net.members), 60, "an empty pool")
    until(lambda: len(net.roots()) == 1, 60, "one log root")


def test_submissions_at_every_node_end_in_one_chain_once(tmp_path: Path) -> None:
    with network(tmp_path, 4) as net:
        accounts = [sender(index) for index in range(1, 5)]
        hashes = [
            (member, one)
            for member, account in zip(net.members, accounts, strict=True)
            for one in submit(member, account, 25)
        ]
        for member, one in hashes:
            member.ledger.wait_for(one, 90)
        wait_one_chain(net)
        for member in net.members:
            ledger = member.ledger
            mined = [
                transaction.hash
                for number in range(1, ledger.head().header.number + 1)
                for transaction in ledger.committed(number).block.transactions
            ]
            assert len(mined) == len(set(mined)) == 100
        until(lambda: all(len(member.driver.peers()) == 3 for member in net.members), 30, "peers")


def test_one_of_four_is_killed_and_catches_up(tmp_path: Path) -> None:
    with network(tmp_path, 4) as net:
        alice, bob = sender(1), sender(2)
        wait_all(net[0], submit(net[0], alice, 3))
        lost = net[3]
        pid = lost.driver.engine().pid
        assert pid is not None
        with lost.driver.paused():
            wait_all(net[0], submit(net[0], alice, 10))
            number = net[0].ledger.head().header.number
            assert lost.ledger.head().header.number < number
        net.wait_equal(number, 90)
        pid = lost.driver.engine().pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        wait_all(net[1], submit(net[1], bob, 10))
        net.wait_equal(net[1].ledger.head().header.number, 90)
        wait_one_chain(net)


def test_without_two_of_four_nothing_moves_and_nothing_is_lost(tmp_path: Path) -> None:
    with network(tmp_path, 4) as net:
        alice = sender(1)
        wait_all(net[0], submit(net[0], alice, 2))
        net.wait_equal(net[0].ledger.head().header.number)
        with net[3].driver.paused():
            with net[2].driver.paused():
                hashes = submit(net[0], alice, 5)
                time.sleep(4)
                assert len(net[0].ledger.pending()) == 5
            wait_all(net[0], hashes)
        wait_one_chain(net)


def test_a_proposer_that_proposes_what_is_not_permitted_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with network(tmp_path, 4) as net:
        liar = net[1]
        wicked = sender(9).sign()
        asked = 0

        def prepare(_request: pb.RequestPrepareProposal) -> pb.ResponsePrepareProposal:
            nonlocal asked
            asked += 1
            return pb.ResponsePrepareProposal(txs=[wicked])

        liar.driver._dispatcher._application.prepare_proposal = prepare  # type: ignore[method-assign]
        alice = sender(1)
        with caplog.at_level(logging.WARNING):
            for _ in range(6):
                wait_all(net[0], submit(net[0], alice, 1))
        assert asked > 0
        assert "is refused" in caplog.text
        assert "not an account of any member" in caplog.text
        wait_one_chain(net)
        assert not any(member.driver.status().halted for member in net.members)


def test_a_node_whose_state_was_altered_by_hand_halts_and_the_others_go_on(
    tmp_path: Path,
) -> None:
    with network(tmp_path, 4) as net:
        alice, bob = sender(1), sender(2)
        wait_all(net[0], submit(net[0], alice, 2))
        net.wait_equal(net[0].ledger.head().header.number)
        altered = net[2]
        with altered.driver.paused():
            batch = WriteBatch()
            place = flat_slot_key(REGISTRY, account_slot(bob.address))
            batch.put(Table.SLOTS, place, b"\2")
            altered.ledger._store.commit(batch)
        wait_all(net[0], submit(net[0], bob, 2))
        wait_all(net[0], submit(net[0], alice, 2))
        until(lambda: altered.driver.status().halted, 60, "the halt")
        assert STATE_DIFFERS in str(altered.driver.status().error)
        until(lambda: altered.driver.engine().pid is None, 30)
        others = [member for member in net.members if member is not altered]
        wait_all(net[0], submit(net[0], alice, 2))
        until(lambda: len({member.ledger.log.root for member in others}) == 1, 60)
        assert altered.ledger.log.root != net[0].ledger.log.root


def test_a_member_comes_and_goes(tmp_path: Path) -> None:
    """A fifth node is admitted, votes, and is removed: its peers let go of it."""
    with network(tmp_path, 4, disconnect_interval_s=1.0) as net:
        alice = sender(1)
        wait_all(net[0], submit(net[0], alice, 1))
        home = tmp_path / "node4" / "engine"
        node_id, key = ensure_node_key(home), ensure_validator_key(home)
        (port,) = free_ports(1)
        fifth = Member(
            4,
            home.parent,
            EngineSettings(
                home,
                p2p_listen=f"127.0.0.1:{port}",
                peers=tuple(
                    f"{member.node_id.hex()}@{member.settings.p2p_listen}" for member in net.members
                ),
            ),
            net[0].genesis,
            node_id,
        )
        ids = [*(member.node_id for member in net.members), node_id]
        whole = nodes_slots([Node(one, None) for one in ids])
        entries = {place: value for place, value in whole.items() if place == IDS_SLOT or value}
        listed = {IDS_SLOT: 5} | {
            place: value
            for place, value in entries.items()
            if value == int.from_bytes(node_id.ljust(32, b"\0"), "big")
        }
        new = Node(node_id, key)
        raw = store(alice, listed | node_slots(new))
        net[0].ledger.wait_for(net[0].ledger.submit(raw), 60)
        net.members.append(fifth)
        fifth.open()
        until(lambda: len(fifth.driver.peers()) == 4, 60, "four peers of the fifth")
        until(lambda: fifth.driver.engine().power == 1, 60, "the fifth's power")
        wait_all(fifth, [fifth.ledger.submit(sender(3).call(7))])
        net.wait_equal(fifth.ledger.head().header.number)

        starts = [member.driver.engine().starts for member in net.members[:4]]
        gone = Node(node_id, key, status=2)
        net[0].ledger.wait_for(net[0].ledger.submit(store(alice, node_slots(gone))), 60)
        others = net.members[:4]
        until(
            lambda: all(
                node_id not in {peer.id for peer in member.driver.peers()}
                and len(member.driver.peers()) == 3
                for member in others
            ),
            90,
            "the parting",
        )
        assert [member.driver.engine().starts for member in others] == [one + 1 for one in starts]
        wait_all(net[1], [net[1].ledger.submit(sender(2).call(5))])
        until(lambda: len({member.ledger.log.root for member in others}) == 1, 60)
        until(lambda: net[0].driver.engine().validator_address is not None)
        total = net[0].driver.engine_rpc("validators", {})["total"]
        assert total == "4"
