"""The contracts against a plain model of membership, validators and votes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from contracts.consortium import set_account_status
from contracts.consortium.types import Founder, Status
from contracts.founding import consortium_alloc
from contracts.genesis import CONSORTIUM_ADDRESS, GOVERNANCE_ADDRESS, NETWORK_ADDRESS
from contracts.governance import (
    Choice,
    State,
    Summary,
    content_hash,
    decode_proposal,
    decode_total_votes,
    execute,
    find_proposals,
    find_voters,
    proposal_calldata,
    propose,
    total_votes_calldata,
    vote,
)
from contracts.network import (
    FoundingNode,
    decode_settled_validators,
    find_nodes,
    rotate_validator_key,
    settled_validators_calldata,
)
from contracts.refusals import explain, refusal_name
from ledger.chain.genesis import Genesis
from ledger.chain.membership import read_nodes
from ledger.types import Address, Receipt
from tests.contracts.governance.model import (
    Refused,
    World,
    calls_of,
    changes,
    founder,
    node_of,
)
from tests.contracts.scene import Key, MemoryChain, entries, key
from tests.contracts.tables import Tables

NAMES = ("alpha", "beta", "delta", "gamma")
KEYS = dict(zip(NAMES, map(key, range(1, 5)), strict=True))


def layout_genesis(founders: tuple[Founder, ...], nodes: tuple[FoundingNode, ...]) -> Genesis:
    alloc, section = consortium_alloc(founders, nodes)
    return Genesis.parse(
        {
            "config": {"chainId": 827166},
            "gasLimit": "0x3b9aca00",
            "timestamp": "0x0",
            "alloc": alloc,
            "tallystick": {"origin": "tallystick.example/model", **section},
        }
    )


def attempt(change: Callable[[], None]) -> str | None:
    """Why the model refuses; None where it has changed."""
    try:
        change()
    except Refused as reason:
        return str(reason)
    return None


class GovernanceMachine(RuleBasedStateMachine):
    """Proposals of random changes with random votes, and own rotations of keys."""

    def __init__(self) -> None:
        super().__init__()
        founders = tuple(founder(name, KEYS[name].address) for name in NAMES)
        nodes = tuple(node_of(number, name, 10) for number, name in enumerate(NAMES))
        self.world = World.founded(founders, nodes)
        self.chain = MemoryChain.of(entries(founders, nodes))
        self.tables = Tables.of(entries(founders, nodes))
        self.genesis = layout_genesis(founders, nodes)
        self.proposals = 0
        self.rotated: dict[bytes, int] = {}

    def send(self, sender: Key, data: bytes) -> Receipt:
        return self.take(self.chain.send(sender, GOVERNANCE_ADDRESS, data))

    def take(self, receipt: Receipt) -> Receipt:
        self.tables.take(receipt, self.chain.number, self.chain.time)
        return receipt

    def answer(self, data: bytes, to: Address = GOVERNANCE_ADDRESS) -> bytes:
        result = self.chain.call(key(1).address, to, data)
        assert not result.reverted, explain(result.output)
        return result.output

    @rule(data=st.data())
    def propose_vote_execute(self, data: st.DataObject) -> None:
        """The contracts do what the model does, and refuse what it refuses."""
        wanted = data.draw(changes(self.world))
        by = data.draw(st.sampled_from(sorted(self.world.weights())))
        yes = {by, *data.draw(st.sets(st.sampled_from(NAMES), min_size=2))}
        calls = [calls_of(change) for change in wanted]
        assert self.send(KEYS[by], propose(calls, "")).status == 1
        self.proposals += 1
        for name in NAMES:
            if name != by:
                choice = Choice.YES if name in yes else Choice.NO
                may = name in self.world.weights()
                assert self.send(KEYS[name], vote(self.proposals, choice)).status == int(may)
        passes = self.world.passes(wanted, yes)
        self.assert_state(State.PASSED if passes else State.OPEN)
        call = execute(self.proposals, calls)
        refused = self.chain.call(KEYS[by].address, GOVERNANCE_ADDRESS, call)
        done = self.send(KEYS[by], call).status == 1
        if not passes:
            assert not done
            assert refusal_name(refused.output) == "NotPassed"
            return
        reason = attempt(lambda: self.world.apply(wanted))
        assert done == (reason is None), (reason, explain(refused.output))
        self.assert_state(State.EXECUTED if done else State.PASSED)

    def assert_state(self, state: State) -> None:
        summary = decode_proposal(self.answer(proposal_calldata(self.proposals)))
        assert summary is not None
        assert summary.state is state

    @precondition(lambda self: bool(self.world.nodes))
    @rule(data=st.data(), number=st.integers(50, 60))
    def rotate(self, data: st.DataObject, number: int) -> None:
        """An organisation's own change, by the same rule of quorum."""
        node = data.draw(st.sampled_from(sorted(self.world.nodes)))
        owner = self.world.nodes[node].organisation
        validator_key = b"R" + number.to_bytes(31, "big")
        self.chain.number += 600  # seconds: one rotation in ten minutes
        call = rotate_validator_key(node, validator_key)
        done = self.take(self.chain.send(KEYS[owner], NETWORK_ADDRESS, call)).status == 1
        if self.world.organisations[owner] is not Status.ACTIVE:
            assert not done
            return
        reason = attempt(lambda: self.world.rotate(node, validator_key))
        assert done == (reason is None), reason

    @rule(by=st.sampled_from(NAMES), other=st.sampled_from(NAMES))
    def the_last_account_stays(self, by: str, other: str) -> None:
        call = set_account_status(KEYS[other].address, Status.REVOKED)
        assert self.chain.send(KEYS[by], CONSORTIUM_ADDRESS, call).status == 0

    @invariant()
    def settled_is_what_counts(self) -> None:
        settled = self.answer(settled_validators_calldata(), NETWORK_ADDRESS)
        assert decode_settled_validators(settled) == self.world.validators()

    @invariant()
    def the_ledger_reads_the_same_from_storage(self) -> None:
        """docs/consortium.md, "Who is in": words that nodes read without running a contract."""
        found = {node.id: node for node in read_nodes(self.genesis, self.chain.state)}
        assert set(found) == set(self.world.nodes)
        for id_, node in self.world.nodes.items():
            counts = self.world.counts(node)
            entry = found[id_]
            assert (entry.organisation, entry.active) == (node.organisation, counts)
            assert (entry.power, entry.validator_key) == (node.power * counts, node.key)

    @invariant()
    def sql_says_what_the_contracts_say(self) -> None:
        with self.tables.engine.connect() as connection:
            nodes = {node.id: node for node in find_nodes(connection)}
            voters = {v.organisation: v.votes for v in find_voters(connection) if v.counts}
            proposals = find_proposals(connection, self.chain.time, count=3)
        assert voters == self.world.weights()
        assert set(nodes) == set(self.world.nodes)
        for id_, node in self.world.nodes.items():
            found = nodes[id_]
            assert (found.organisation, found.power) == (node.organisation, node.power)
            assert (found.validator_key, found.status == 1) == (node.key, node.active)
        for proposal in proposals:
            summary = decode_proposal(self.answer(proposal_calldata(proposal.id)))
            assert summary == Summary(
                proposal.state,
                proposal.organisation,
                proposal.block_number,
                proposal.created,
                proposal.expires,
                content_hash(proposal.calls),
                proposal.tally,
                proposal.required,
            )

    @invariant()
    def somebody_can_vote(self) -> None:
        total = decode_total_votes(self.answer(total_votes_calldata()))
        assert total == sum(self.world.weights().values()) > 0


TestGovernanceMachine = pytest.mark.feature("N2")(GovernanceMachine.TestCase)
_checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
TestGovernanceMachine.settings = settings(
    max_examples=8, stateful_step_count=12, deadline=None, suppress_health_check=_checks
)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.feature("N2")
class TestGovernanceMachineLong(GovernanceMachine.TestCase):
    """As above, more of it."""

    settings = settings(
        max_examples=40, stateful_step_count=15, deadline=None, suppress_health_check=_checks
    )
