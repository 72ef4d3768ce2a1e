"""A validator that voted twice is named to every node's operator, for good."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.chain import NodeEntry
from ledger.consensus.cometbft import abci_pb2 as pb
from ledger.consensus.cometbft import address_of
from ledger.consensus.cometbft.misbehaviour import KEPT_MAX, Misbehaviour, Misbehaviours
from tests.ledger.consensus.cometbft.rig import Rig

pytestmark = pytest.mark.feature("L5")

KEY = bytes(range(32))
LIAR = address_of(KEY)
NODES = (
    NodeEntry(bytes(20), "acme", True, 10, bytes(32)),
    NodeEntry(bytes([1]) * 20, "boreal", True, 10, KEY),
    NodeEntry(bytes([2]) * 20, "cobalt", False, 0, None),
)


def proof(height: int = 7, address: bytes = LIAR, kind: int = 1) -> pb.Misbehavior:
    return pb.Misbehavior(
        type=kind,
        validator=pb.Validator(address=address, power=1),
        height=height,
        time=pb.Timestamp(seconds=1_700_000_000),
        total_voting_power=4,
    )


def test_what_a_block_proves_is_passed_on(rig: Rig) -> None:
    rig.init_chain()
    request = pb.RequestFinalizeBlock(
        height=rig.height + 1, time=rig.time(), misbehavior=[proof(), proof(9)]
    )
    rig.ask(finalize_block=request)
    assert rig.told.misbehaviour == [proof(), proof(9)]


def test_it_is_named_with_its_organisation(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = Misbehaviours(tmp_path / "misbehaviour.json")
    kept.take([proof()], NODES)
    expected = Misbehaviour(LIAR.hex(), "boreal", "voted twice", 7, 1_700_000_000)
    assert kept.cases() == (expected,)
    (record,) = [one for one in caplog.records if one.levelname == "ERROR"]
    assert f"0x{LIAR.hex()} of boreal voted twice at height 7" in record.getMessage()


def test_a_key_that_nobody_has_any_more_is_told_without_a_name(tmp_path: Path) -> None:
    kept = Misbehaviours(tmp_path / "misbehaviour.json")
    kept.take([proof(address=bytes(20), kind=2)], NODES)
    (one,) = kept.cases()
    assert (one.organisation, one.kind) == ("", "showed a light client a false header")


def test_what_is_told_again_counts_once_also_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "misbehaviour.json"
    kept = Misbehaviours(path)
    kept.take([proof()], NODES)
    kept.take([proof()], NODES)
    again = Misbehaviours(path)
    assert again.cases() == kept.cases()
    again.take([proof()], ())
    again.take([proof(8)], NODES)
    assert [one.height for one in Misbehaviours(path).cases()] == [7, 8]


@pytest.mark.parametrize("data", [b"", b"{}", b'{"format":"tallystick-misbehaviour/1"}', b"[]"])
def test_a_damaged_file_is_told_and_begun_anew(
    tmp_path: Path, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "misbehaviour.json"
    path.write_bytes(data)
    kept = Misbehaviours(path)
    assert "misbehaviour.json" in caplog.text
    kept.take([proof()], NODES)
    assert len(Misbehaviours(path).cases()) == 1


def test_what_is_kept_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "misbehaviour.json"
    kept = Misbehaviours(path)
    kept.take([proof(height) for height in range(1, KEPT_MAX + 11)], NODES)
    assert len(kept.cases()) == KEPT_MAX
    assert kept.cases() == Misbehaviours(path).cases()
    assert kept.cases()[0].height == 11
