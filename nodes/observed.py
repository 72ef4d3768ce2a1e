"""What the operator's listener is told of a node's parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodes.operations import CaptureView, MembershipView, Sources

if TYPE_CHECKING:
    from nodes.runtime import NodeRuntime


def sources_of(node: NodeRuntime) -> Sources:
    """Everything that an observation of this node is taken from."""
    place = node.directory
    return Sources(
        name=node.settings.name,
        folders={
            "chain": place.chain,
            "database": place.database,
            "engine": place.engine,
            "snapshots": place.snapshots,
            "evidence": place.evidence,
            "keys": place.keys,
        },
        ledger=node.ledger,
        projector=node.projector,
        driver=node.driver,
        capture=lambda: _capture(node),
        membership=None if node.genesis.nodes is None else lambda: _membership(node),
    )


def _capture(node: NodeRuntime) -> CaptureView:
    status = node.capture.status()
    return CaptureView(status.running, status.waiting_jobs, status.waiting_bytes)


def _membership(node: NodeRuntime) -> MembershipView:
    active = [one for one in node.ledger.nodes() if one.active]
    own = node.node_id
    return MembershipView(
        nodes=len(active),
        validators=sum(1 for one in active if one.power),
        power_total=sum(one.power for one in active),
        own_power=sum(one.power for one in active if one.id == own),
    )
