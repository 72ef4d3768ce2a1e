"""When a node counts as ready, and what its operator is told."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.consensus import DriverState, DriverStatus
from ledger.mempool import MempoolStatus
from ledger.projection import ProjectorState, ProjectorStatus
from nodes.operations import (
    CaptureView,
    EvidenceView,
    Finding,
    MembershipView,
    OperationsSettings,
    PeerView,
    WitnessView,
)
from nodes.operations.readiness import REASONS, alerts, unready
from nodes.operations.types import DiskPart
from tests.nodes.operations.observations import GIB, WELL, engine, seen

pytestmark = pytest.mark.feature("N5")
BOUNDS = OperationsSettings()
SUSPENDED = "this node (or its organisation) is suspended on the ledger"
FOLLOWING = ProjectorState.FOLLOWING


def test_a_node_that_is_well_is_ready_and_has_no_alert() -> None:
    assert unready(WELL, BOUNDS) == ()
    assert alerts(WELL, BOUNDS) == ()


@pytest.mark.parametrize(
    ("code", "word", "changes"),
    [
        ("driver", "no block", {"driver": DriverStatus(DriverState.FAILING, "no block", 1)}),
        ("driver", "stopped", {"driver": DriverStatus(DriverState.STOPPED, None, 1)}),
        ("driver", "is full", {"driver": DriverStatus(DriverState.PAUSED, "disk is full", 1)}),
        ("driver", "refused", {"mempool": MempoolStatus(0, 0, 0, "try again")}),
        ("projection", "501 blocks", {"projection": ProjectorStatus(FOLLOWING, 9, 510, None)}),
        (
            "projection",
            "no server",
            {"projection": ProjectorStatus(ProjectorState.WAITING, 9, 9, "no server")},
        ),
        ("disk", "2047 MiB", {"disk": (DiskPart("engine", 1, 2 * GIB - 1, 9 * GIB),)}),
        ("engine", "does not run", {"engine": engine(up=False)}),
        ("engine", "fetching", {"engine": engine(syncing=True)}),
        ("engine", "51 heights", {"engine": engine(peers=(PeerView("a", "b", height=151),))}),
        ("engine", "does not answer", {"unanswered": (Finding("engine", "timed out"),)}),
        ("peers", "0 nodes", {"engine": engine(peers=())}),
        (
            "membership",
            "is suspended",
            {"engine": engine(peers=()), "membership": MembershipView(3, 3, 30, 0, "", SUSPENDED)},
        ),
        ("capture", "does not run", {"capture": CaptureView(False, 0, 0)}),
    ],
)
def test_what_is_amiss_makes_it_unready_and_is_named(
    code: str, word: str, changes: dict[str, Any]
) -> None:
    found = unready(seen(**changes), BOUNDS)
    assert [one.code for one in found] == [code]
    assert word in found[0].text
    assert code in REASONS
    assert set(found) <= set(alerts(seen(**changes), BOUNDS))


@pytest.mark.parametrize(
    "changes",
    [
        {"projection": ProjectorStatus(FOLLOWING, 10, 510, None)},
        {"disk": (DiskPart("engine", 1, 2 * GIB, 9 * GIB),)},
        {"engine": engine(peers=(PeerView("a", "b", height=150),))},
        {"engine": engine(peers=(PeerView("a", "b", height=None),))},
        {"capture": CaptureView(True, 9, 9)},
        {"engine": None, "membership": None, "witness": None},
    ],
)
def test_at_the_bound_it_is_still_ready(changes: dict[str, Any]) -> None:
    assert unready(seen(**changes), BOUNDS) == ()


def test_the_only_node_of_a_consortium_needs_no_peers() -> None:
    alone = MembershipView(nodes=1, validators=1, power_total=1, own_power=1)
    assert unready(seen(engine=engine(peers=()), membership=alone), BOUNDS) == ()


def test_fork_evidence_is_the_first_alert_but_no_reason_to_be_unready() -> None:
    fork = EvidenceView("e1", 1.0, "tallystick.example/mallory", "two roots at size 7")
    node = seen(evidence=(fork,), engine=engine(up=False))
    assert [one.code for one in alerts(node, BOUNDS)] == ["fork", "engine"]
    assert "mallory" in alerts(node, BOUNDS)[0].text
    assert unready(seen(evidence=(fork,)), BOUNDS) == ()


def test_missing_cosignatures_are_an_alert_that_names_the_witnesses() -> None:
    late = WitnessView(50, 3, ("a", "b", "c", "d"), ("c", "d"), 40)
    (alert,) = alerts(seen(witness=late), BOUNDS)
    assert alert.code == "cosignatures"
    assert "2 of 4" in alert.text
    assert "c, d" in alert.text
    assert unready(seen(witness=late), BOUNDS) == ()


def test_a_trust_file_that_lags_behind_the_ledger_is_told_and_no_reason_to_be_unready() -> None:
    drift = "it lacks the present keys of newcomer"
    late = seen(membership=MembershipView(4, 4, 40, 10, trust_drift=drift))
    (finding,) = alerts(late, BOUNDS)
    assert finding.code == "trust"
    assert drift in finding.text
    assert "`tally network trust DIR`" in finding.text
    assert unready(late, BOUNDS) == ()
