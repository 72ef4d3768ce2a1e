"""A validator that voted twice is named in every node's log."""

from __future__ import annotations

import pytest

from ledger.consensus.cometbft import abci_pb2 as pb
from tests.ledger.consensus.cometbft.rig import Rig

pytestmark = pytest.mark.feature("L5")


def test_a_validator_that_voted_twice_is_named(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.init_chain()
    liar = bytes(range(20))
    proof = pb.Misbehavior(
        type=1, validator=pb.Validator(address=liar, power=1), height=7, total_voting_power=4
    )
    rig.ask(
        finalize_block=pb.RequestFinalizeBlock(
            height=rig.height + 1, time=rig.time(), misbehavior=[proof]
        )
    )
    (record,) = [one for one in caplog.records if one.levelname == "ERROR"]
    assert f"0x{liar.hex()}" in record.getMessage()
    assert "height 7" in record.getMessage()
