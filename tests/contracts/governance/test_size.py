"""The largest consortium that there can be decides within the smallest block that there can be."""

from __future__ import annotations

import pytest

from contracts.consortium import Founder, Profile, Role
from contracts.genesis import GOVERNANCE_ADDRESS, NETWORK_ADDRESS
from contracts.governance import (
    Call,
    Choice,
    State,
    decode_proposal,
    execute,
    proposal_calldata,
    propose,
    vote,
)
from contracts.governance.binding import CALLS_MAX, TEXT_BYTES_MAX
from contracts.governance.genesis import VOTERS_MAX
from contracts.network import set_power
from contracts.network.genesis import NODES_MAX
from contracts.parameters import BOUNDS
from tests.contracts import scene
from tests.contracts.governance.model import node_of
from tests.contracts.scene import MemoryChain, entries, key

NAMES = [f"member-{number:03}" for number in range(VOTERS_MAX)]


@pytest.mark.feature("N2")
@pytest.mark.timeout(300)
def test_the_largest_consortium_fits_the_smallest_block(monkeypatch: pytest.MonkeyPatch) -> None:
    smallest = BOUNDS["blockGasLimit"][0]
    monkeypatch.setattr(scene, "GAS", smallest)
    founders = [
        Founder(name, Role.BANK, Profile(name), (key(number + 1).address,))
        for number, name in enumerate(NAMES)
    ]
    nodes = [node_of(number, NAMES[number], 10) for number in range(NODES_MAX)]
    chain = MemoryChain.of(entries(founders, nodes))
    calls = [Call(NETWORK_ADDRESS, set_power(nodes[number].id, 11)) for number in range(CALLS_MAX)]
    made = chain.send(key(1), GOVERNANCE_ADDRESS, propose(calls, "x" * TEXT_BYTES_MAX))
    assert made.status == 1
    votes = [
        chain.send(key(number), GOVERNANCE_ADDRESS, vote(1, Choice.YES))
        for number in range(2, 2 * VOTERS_MAX // 3 + 2)
    ]
    assert all(receipt.status == 1 for receipt in votes)
    done = chain.send(key(1), GOVERNANCE_ADDRESS, execute(1, calls))
    assert done.status == 1
    answer = chain.call(key(1).address, GOVERNANCE_ADDRESS, proposal_calldata(1))
    summary = decode_proposal(answer.output)
    assert summary is not None
    assert summary.state is State.EXECUTED
    assert (summary.tally.yes, summary.tally.total) == (2 * VOTERS_MAX // 3 + 1, VOTERS_MAX)
    assert made.gas_used < smallest // 2
    assert done.gas_used < smallest // 2
