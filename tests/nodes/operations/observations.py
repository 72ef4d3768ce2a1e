"""Observations made up for the tests of what is concluded from them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ledger.consensus import DriverState, DriverStatus
from ledger.mempool import MempoolStatus
from ledger.projection import ProjectorState, ProjectorStatus
from nodes.operations import EngineView, MembershipView, Observation, PeerView, WitnessView
from nodes.operations.types import DiskPart
from tests.ledger.projection.support import MemoryChain

GIB = 1 << 30
WELL = Observation(
    taken_at=1_800_000_000.0,
    name="Test node",
    version="0",
    chain_id=1,
    origin="tallystick.example/test",
    head=MemoryChain().head(),
    log_size=0,
    log_root=bytes(32),
    driver=DriverStatus(DriverState.RUNNING, None, 0),
    mempool=MempoolStatus(0, 0, 0, None),
    projection=ProjectorStatus(ProjectorState.FOLLOWING, 10, 10, None),
    engine=EngineView(
        up=True, height=100, peers=tuple(PeerView(f"{n:040x}", "a:1", height=100) for n in range(3))
    ),
    membership=MembershipView(nodes=4, validators=4, power_total=40, own_power=10),
    witness=WitnessView(50, 3, ("a", "b", "c", "d"), (), 50),
    disk=(DiskPart("chain", GIB, 100 * GIB, 200 * GIB),),
)


def seen(**changes: Any) -> Observation:
    """A node that is well but for this."""
    return replace(WELL, **changes)


def engine(**changes: Any) -> EngineView:
    """Its engine, changed."""
    assert WELL.engine is not None
    return replace(WELL.engine, **changes)
