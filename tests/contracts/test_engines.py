"""Our contracts in our loop, translated while they run, and in py-evm's own."""

from __future__ import annotations

import copy

import pytest

from benchmarks.finance_peers import Engine, life, stocked
from ledger.evm import PyEvmEngine
from tests.contracts.scene import MemoryChain

RECEIPTS = 40
"""More than the visits after which code is translated."""
ACTS_A_BLOCK = 10


@pytest.mark.slow
@pytest.mark.feature("L1", "F1")
def test_receipts_lives_end_alike_in_every_log_gas_and_root() -> None:
    ours = Engine()
    lot = stocked(ours)
    theirs = Engine(PyEvmEngine(reference=True))
    theirs.chain = MemoryChain(copy.deepcopy(ours.chain.state), number=ours.chain.number)
    acts = [act for number in range(RECEIPTS) for act in life(ours, f"E-{number}", lot)]
    signed = [ours.signed(*act) for act in acts]
    for start in range(0, len(signed), ACTS_A_BLOCK):
        block = signed[start : start + ACTS_A_BLOCK]
        receipts = ours.block(block)
        assert all(one.status == 1 for one in receipts)
        assert receipts == theirs.block(block)
        assert ours.chain.state.root == theirs.chain.state.root
