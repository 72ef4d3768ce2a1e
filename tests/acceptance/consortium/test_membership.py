"""Membership changes by vote, at random and under load: every node draws the same conclusions."""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount
from eth_utils import to_checksum_address

from contracts.consortium import CONSORTIUM_ADDRESS, Role, Status, set_organisation_status
from contracts.governance import GOVERNANCE_ADDRESS, Call, Choice, execute, propose, vote
from tests.acceptance.consortium.churn import Members, Node, Organisation
from tests.acceptance.consortium.http import Http, RpcError
from tests.acceptance.consortium.load import Signed, sign
from tests.acceptance.consortium.scene import Scene
from tests.acceptance.consortium.stage import receipt_of

pytestmark = [pytest.mark.feature("N2"), pytest.mark.consortium, pytest.mark.slow]

CHANGES = 1_000
CALLS_MAX = 8
SEED = int(os.environ.get("TALLY_TEST_SEED", "20261121"))
GAS = 20_000_000
FINAL_S = 90.0


@dataclass(frozen=True)
class Step:
    """A proposal on its way, and the transactions that bring it on."""

    text: str
    calls: Sequence[Call]
    by: int
    sent: list[Signed]
    proposal: int = 0


class Voters:
    """The accounts of the four members, which propose, vote and execute on random nodes."""

    def __init__(self, scene: Scene, draw: random.Random) -> None:
        self._scene = scene
        self._draw = draw
        self.accounts: list[LocalAccount] = [scene.account(index) for index in range(4)]
        self._nonces = [self._nonce(account) for account in self.accounts]
        self.sent: list[str] = []

    def send(self, by: int, data: bytes, to: int | None = None) -> Signed:
        """From a member's account, through this node or any."""
        signed = sign(
            self.accounts[by],
            self._scene.stage.chain_id,
            self._nonces[by],
            GAS,
            to=to_checksum_address(GOVERNANCE_ADDRESS),
            data=data,
        )
        self._nonces[by] += 1
        client = self._client() if to is None else self._scene.network.rpc(to)
        client.call("eth_sendRawTransaction", signed.raw)
        client.close()
        self.sent.append(signed.tx_hash)
        return signed

    def final(self, signed: Signed) -> dict[str, Any]:
        """The receipt, from any node."""
        client = self._client()
        receipt = receipt_of(client, signed, FINAL_S)
        client.close()
        return receipt

    def propose(self, calls: Sequence[Call], text: str) -> Step:
        """Of a random member; the others have yet to say yes."""
        by = self._draw.randrange(4)
        signed = self.send(by, propose(calls, text))
        return Step(text, calls, by, [signed])

    def vote(self, step: Step) -> Step:
        """Everybody else says yes, some after a no."""
        made = self.final(step.sent[-1])
        assert made["status"] == "0x1", f"{step.text}: not proposed"
        proposal = int(made["logs"][0]["topics"][1], 16)
        sent = []
        for by in self._draw.sample([one for one in range(4) if one != step.by], 3):
            if self._draw.random() < 0.1:
                sent.append(self.send(by, vote(proposal, Choice.NO)))
            sent.append(self.send(by, vote(proposal, Choice.YES)))
        return replace(step, sent=sent, proposal=proposal)

    def execute(self, step: Step) -> Step:
        """By a random member, once all votes are in a block."""
        for one in step.sent:
            assert self.final(one)["status"] == "0x1", f"{step.text}: a vote was refused"
        by = self._draw.randrange(4)
        return replace(step, sent=[self.send(by, execute(step.proposal, step.calls))])

    def done(self, step: Step) -> None:
        """Wait until it has been executed."""
        receipt = self.final(step.sent[-1])
        assert receipt["status"] == "0x1", f"{step.text}: refused: {step.calls}"

    def _client(self) -> Http:
        return self._scene.network.rpc(self._draw.randrange(4))

    def _nonce(self, account: LocalAccount) -> int:
        client = self._scene.network.rpc(0)
        answer = client.call("eth_getTransactionCount", account.address, "latest")
        client.close()
        return int(str(answer), 16)


def founders(scene: Scene, draw: random.Random) -> Members:
    """The model as genesis has it, read from a node."""
    members = Members(draw)
    for one in ask(scene, 0, "/organisations")["organisations"]:
        members.organisations[one["id"]] = Organisation(
            one["id"], live=True, role=Role.of(one["role"]), votes=one["votes"]
        )
    for one in ask(scene, 0, "/nodes")["nodes"]:
        node = bytes.fromhex(one["id"])
        members.nodes[node] = Node(node, one["organisation"], live=True, power=one["power"])
    assert len(members.nodes) == 4
    return members


def ask(scene: Scene, node: int, path: str) -> Any:
    """A page of the node's API."""
    client = scene.network.api(node)
    reply = client.get(f"{path}?perPage=200")
    client.close()
    assert reply.status == 200, reply.body
    return reply.json()


def engine_powers(scene: Scene, node: int) -> dict[str, int]:
    """The validators of the node's engine: public key in base64, power."""
    client = scene.network.api(node)
    call = {"jsonrpc": "2.0", "id": 1, "method": "validators", "params": {"per_page": "100"}}
    reply = client.request(
        "POST", "/engine", json.dumps(call).encode(), Content_Type="application/json"
    )
    client.close()
    found = reply.json()["result"]["validators"]
    return {one["pub_key"]["value"]: int(one["voting_power"]) for one in found}


@pytest.mark.timeout(3_000)
def test_a_thousand_random_changes_under_load_divide_nobody(scene: Scene) -> None:
    draw = random.Random(SEED)
    print(f"TALLY_TEST_SEED={SEED}")
    voters, members = Voters(scene, draw), founders(scene, draw)
    done: Counter[str] = Counter()
    with scene.load() as load:
        proposed: Step | None = None
        voted: Step | None = None
        executed: Step | None = None
        # Three proposals are under way at any time: one is made while another is voted on and a
        # third is executed. Of those that change the validators only one fits into a block.
        while done.total() < CHANGES or proposed or voted or executed:
            if executed is not None:
                voters.done(executed)
            executed = voters.execute(voted) if voted else None
            voted = voters.vote(proposed) if proposed else None
            proposed = None
            if done.total() < CHANGES:
                changes = members.changes(draw.randint(1, CALLS_MAX))
                names = [name for name, _ in changes]
                text = f"after {done.total()} changes: {', '.join(names)}"
                proposed = voters.propose([call for _, call in changes], text)
                done.update(names)
        load.wait_acknowledged(20, 60)
    assert len(done) == 13, f"some kind of change never came up: {done}"
    scene.agree()
    expected = {node.hex(): power for node, power in members.powers().items()}
    for index in range(4):
        deadline = time.monotonic() + 30
        while True:  # the SQL tables follow the chain
            nodes = ask(scene, index, "/nodes")["nodes"]
            found = {one["id"]: one["effectivePower"] for one in nodes if one["effectivePower"]}
            if found == expected or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        assert found == expected
        organisations = ask(scene, index, "/organisations")["organisations"]
        assert {one["id"]: one["votes"] for one in organisations} == {
            one.id: one.votes for one in members.organisations.values()
        }
        engine = engine_powers(scene, index)
        assert sorted(engine.values()) == sorted(expected.values())
        assert engine == engine_powers(scene, 0)
    scene.check(timeout_s=120)


@pytest.mark.timeout(400)
def test_a_suspended_member_is_refused_cut_off_and_comes_back_by_vote(scene: Scene) -> None:
    network, voters = scene.network, Voters(scene, random.Random(SEED))
    name = network.members[3].organisation
    account = voters.accounts[3]

    def decide(status: Status) -> None:
        calls = [Call(CONSORTIUM_ADDRESS, set_organisation_status(name, status))]
        made = receipt_at(scene, 0, voters.send(0, propose(calls, f"{name}: {status.name}"), to=0))
        proposal = int(made["logs"][0]["topics"][1], 16)
        votes = [voters.send(by, vote(proposal, Choice.YES), to=by) for by in (1, 2)]
        for one in votes:
            assert receipt_at(scene, 0, one)["status"] == "0x1"
        done = receipt_at(scene, 0, voters.send(0, execute(proposal, calls), to=0))
        assert done["status"] == "0x1", done

    with scene.load([0, 1, 2]) as load:
        load.wait_acknowledged(20, 60)
        decide(Status.SUSPENDED)
        client = network.rpc(0)
        refused = sign(account, scene.stage.chain_id, 0, 100_000, to=account.address)
        with pytest.raises(RpcError, match=name):
            client.call("eth_sendRawTransaction", refused.raw)
        wait_until(lambda: len(engine_powers(scene, 0)) == 3, "the validator leaves")
        # One after the other, so that never two of their engines are away at once.
        for index in range(3):
            wait_until(partial(cut_off, scene, index), "its peers disconnect")
        stopped = network.head(3)
        load.wait_acknowledged(60, 90)
        assert network.head(3) <= stopped + 2, "a member that is suspended still follows"
        decide(Status.ACTIVE)
        wait_until(lambda: len(engine_powers(scene, 0)) == 4, "the validator is back")
        wait_until(lambda: network.head(3) >= network.head(0) - 2, "its node catches up")
        client.close()
        load.wait_acknowledged(20, 60)
    scene.check(timeout_s=120)


def receipt_at(scene: Scene, node: int, signed: Signed) -> dict[str, Any]:
    client = scene.network.rpc(node)
    receipt = receipt_of(client, signed, FINAL_S)
    client.close()
    return receipt


def peers_of(scene: Scene, node: int) -> int:
    """How many peers the node's operator sees connected."""
    directory = scene.network.members[node].directory
    done = scene.network.tally(node, "node", "peers", "--dir", str(directory), "--json")
    assert done.returncode == 0, done.stderr
    return len(json.loads(done.stdout)["peers"])


def cut_off(scene: Scene, node: int) -> bool:
    """Whether the node has let go of the one that is suspended."""
    return peers_of(scene, node) == 2


def wait_until(holds: Callable[[], bool], what: str, timeout_s: float = 90) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {timeout_s:g} s: {what}"
        time.sleep(0.3)
