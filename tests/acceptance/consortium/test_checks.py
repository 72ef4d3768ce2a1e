"""The checks themselves: they pass on an honest log, and fail in each way one can be wrong."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest
from eth_account import Account

from ledger.tlog import leaf_hash, root_of
from tests.acceptance.consortium.agreement import (
    ForkSeen,
    Roots,
    Watcher,
    check_logs,
    check_once,
    entries,
    wait_same,
)
from tests.acceptance.consortium.http import Http
from tests.acceptance.consortium.load import Load, new_senders
from tests.acceptance.consortium.stage import set_stage
from tests.acceptance.running import RunningNode

pytestmark = [pytest.mark.feature("L2"), pytest.mark.consortium]


def dial(host: str, port: int, timeout_s: float) -> socket.socket:
    return socket.create_connection((host, port), timeout_s)


class OneNode:
    """A node of a development ledger, asked as if it were two."""

    def __init__(self, node: RunningNode) -> None:
        self._node = node

    def api(self, index: int) -> Http:
        return Http(self._node.url, dial)

    def rpc(self, index: int) -> Http:
        return Http(self._node.rpc, dial)


def test_load_is_acknowledged_and_found_in_the_log_once(node: RunningNode) -> None:
    network, senders = OneNode(node), new_senders(3)
    account = Account.from_key(node.account_key)
    stage = set_stage(network.rpc(0), node.organisation, account, senders)
    load = Load(network.rpc, [0], senders, stage.contract, stage.chain_id, seed=1)
    with Watcher(network, 1) as watcher, load:
        load.wait_acknowledged(60, 30)
    assert load.longest_pause(0) > 0
    seen, done, sent = watcher.seen, list(load.acknowledged), load.sent
    assert len(done) == len(sent) >= 60
    agreed = check_logs(network, [0, 1], seen, done, sent)
    assert {one.block for one in load.acknowledged.values()} != {0}

    with pytest.raises(AssertionError, match="not once in the log"):
        check_logs(network, [0], seen, [*done, "0x" + "ab" * 32], sent)
    changed = replace(seen[0][0], root=bytes(32))
    with pytest.raises(ForkSeen, match="another root"):
        check_logs(network, [0], {0: [changed]}, done, sent)
    with pytest.raises(AssertionError, match="nobody has"):
        check_logs(network, [0], {0: [replace(agreed, size=agreed.size + 1)]}, done, sent)
    with pytest.raises(AssertionError, match="shrunk"):
        check_logs(network, [0], {0: [agreed, *seen[0][:1]]}, done, sent)
    leaves = entries(network.api(0), agreed.size)
    with pytest.raises(AssertionError, match="more than once"):
        check_once([*leaves, *leaves[-2:]], [], sent)


def test_roots_are_those_of_rfc_6962() -> None:
    leaves = [bytes([index]) * index for index in range(70)]
    roots = Roots(leaves)
    hashes = [leaf_hash(leaf) for leaf in leaves]
    assert [roots.at(size) for size in range(71)] == [root_of(hashes[:size]) for size in range(71)]


def test_a_node_that_is_down_is_no_agreement(node: RunningNode) -> None:
    class HalfDown(OneNode):
        def api(self, index: int) -> Http:
            return Http("http://127.0.0.1:1" if index else self._node.url, dial)

    with pytest.raises(AssertionError, match="no agreement"):
        wait_same(HalfDown(node), [0, 1], 0.5)
