"""`tally node start` says at once why nothing will happen for a while."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from contracts.consortium import Role
from ledger.crypto import NO_PASSPHRASE
from nodes.cli import start
from nodes.founding import MemberSpec
from nodes.network import trial
from nodes.network.trial import TrialNetwork, new_network
from nodes.runtime import NodeRuntime
from tests.ledger.consensus.cometbft.conftest import cometbft  # noqa: F401

pytestmark = [
    pytest.mark.feature("N1"),
    pytest.mark.consortium,
    pytest.mark.usefixtures("cometbft"),
    pytest.mark.timeout(120),
]

HOUR_S = 3_600


def founded(root: Path) -> TrialNetwork:
    return new_network(root, [MemberSpec("acme", "Acme", "顶点", Role.OPERATOR)])


def test_a_beginning_that_lies_ahead_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By a wrong clock here or a slip at the founding: the engine alone would wait silently."""
    with monkeypatch.context() as patch:
        later = time.time() + HOUR_S
        patch.setattr(trial.time, "time", lambda: later)
        place = founded(tmp_path / "net").members[0].directory
    monkeypatch.setattr(start, "stop_or_halt", lambda _node: None)
    start.run_node(place, NO_PASSPHRASE, developer=False, as_json=True)
    told = " ".join(capsys.readouterr().err.split())
    assert "tally: the network begins at" in told
    assert "by this machine's clock: nothing is agreed on before" in told


def test_a_beginning_that_has_come_is_nothing_to_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = founded(tmp_path / "net").members[0].directory
    with NodeRuntime.open(place.root, NO_PASSPHRASE) as node:
        # This one begins at once, and then no clock matters any more.
        monkeypatch.setattr(node.driver, "height", lambda: 1)
        assert node.waits_for_beginning(node.genesis.block.header.timestamp - 90) is None
        monkeypatch.setattr(node.driver, "height", lambda: 0)
        assert node.waits_for_beginning(time.time()) is None
        early = node.waits_for_beginning(node.genesis.block.header.timestamp - 90)
        assert early is not None
        assert "90 s from now" in early
