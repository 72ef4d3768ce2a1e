"""Nodes that hear of transactions in different orders come to the same blocks."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.chain import Genesis
from tests.ledger.chain.support import sender
from tests.ledger.consensus.cometbft.rig import NODES, Rig
from tests.ledger.consensus.cometbft.support import account_slot, consortium_genesis, store

pytestmark = pytest.mark.feature("L2")

GENESIS: Genesis = consortium_genesis(NODES)


def _wishes() -> list[bytes]:
    """Good ones, reverting ones, gaps, a member that is closed in the middle, and nonsense."""
    senders = [sender(index) for index in range(1, 5)]
    raws = [one.call(number) for one in senders for number in range(4)]
    raws += [senders[0].sign(nonce=4, data=b""), senders[1].sign(nonce=9), sender(9).sign()]
    raws += [store(senders[2], {account_slot(senders[3].address): 2}), b"nonsense"]
    return raws


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    orders=st.lists(st.permutations(range(len(_wishes()))), min_size=3, max_size=3),
    proposers=st.lists(st.integers(0, 2), min_size=2, max_size=5),
)
def test_any_order_of_arrival_gives_the_same_hashes(
    orders: list[list[int]], proposers: list[int]
) -> None:
    raws = _wishes()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        rigs = [
            stack.enter_context(Rig(Path(folder) / str(index), GENESIS))
            for index in range(len(orders))
        ]
        for rig, order in zip(rigs, orders, strict=True):
            rig.now = rigs[0].now
            rig.init_chain()
            for place in order:
                rig.check(raws[place])
        for proposer in proposers:
            proposed = rigs[proposer].prepare()
            assert all(rig.process(proposed) for rig in rigs)
            answers = {rig.block(proposed).SerializeToString() for rig in rigs}
            assert len(answers) == 1
        assert len({rig.ledger.log.root for rig in rigs}) == 1
        assert len({rig.ledger.head().hash for rig in rigs}) == 1
        assert len({rig.ledger.consensus_mark() for rig in rigs}) == 1


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(places=st.lists(st.integers(0, len(_wishes()) - 1), max_size=30))
def test_a_final_block_of_anything_is_executed_alike(places: list[int]) -> None:
    """With pending senders known, with nothing known, and after a refused proposal."""
    raws = _wishes()
    block = [raws[place] for place in places]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        rigs = [stack.enter_context(Rig(Path(folder) / str(n), GENESIS)) for n in range(3)]
        for rig in rigs:
            rig.now = rigs[0].now
            rig.init_chain()
        for raw in raws:
            rigs[1].check(raw)
        rigs[2].process(block)
        finals = [rig.block(block) for rig in rigs]
        for final in finals:
            assert len(final.tx_results) == len(block)
            for result in final.tx_results:
                result.log = ""  # the one field that need not be equal
        assert len({final.SerializeToString() for final in finals}) == 1
        assert len({rig.ledger.log.root for rig in rigs}) == 1
