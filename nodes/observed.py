"""What the operator's listener is told of a node's parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.consensus.cometbft import CometBftDriver, EngineRefused, EngineUnreachable
from ledger.snapshot import Manifest, SnapshotInfo
from ledger.witness import Witness
from nodes.membership import active_witnesses, members_of
from nodes.network.trusting import drift_of
from nodes.opening import Snapshots
from nodes.operations import (
    CaptureView,
    EngineView,
    EvidenceView,
    JobRequestInvalid,
    MembershipView,
    MisbehaviourView,
    PeerView,
    Progress,
    SnapshotView,
    Sources,
    WitnessView,
    Work,
)
from nodes.operations.backup import backup_work

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
        refusals=node.ledger.refusals,
        capture=lambda: _capture(node),
        membership=None if node.genesis.nodes is None else lambda: _membership(node),
        engine=_engine_of(node),
        witness=None if node.witness is None else _witness_of(node.witness),
        evidence=None if node.witness is None else _evidence_of(node.witness),
        snapshots=None if node.snapshots is None else _snapshots_of(node.snapshots),
        snapshot=None if node.snapshots is None else _making_of(node.snapshots),
        backup=_backup_of(node),
    )


def _backup_of(node: NodeRuntime) -> Work:
    """Where no place is named, backups go beside the node's folder."""
    root, driver = node.directory.root.absolute(), node.driver
    return backup_work(
        node.directory,
        root.with_name(f"{root.name}-backups"),
        copy_chain=node.ledger.copy,
        paused=driver.paused if isinstance(driver, CometBftDriver) else nullcontext,
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
        standing=_standing(node, own),
        trust_drift=drift_of(node.trust, active_witnesses(node.ledger)).words if active else "",
    )


def _standing(node: NodeRuntime, own: bytes | None) -> str:
    """Why this node counts for nothing, in words; empty where it does, or orders alone."""
    if own is None or not isinstance(node.driver, CometBftDriver):
        return ""
    entry = next((one for one in node.ledger.nodes() if one.id == own), None)
    if entry is None:
        return "this node is not on the ledger (any more): the others do not speak with it"
    if not entry.active:
        return (
            "this node (or its organisation) is suspended on the ledger: the others do not speak "
            "with it until they have voted it back"
        )
    return ""


def _engine_of(node: NodeRuntime) -> Callable[[], EngineView] | None:
    driver = node.driver
    if not isinstance(driver, CometBftDriver):
        return None

    def view() -> EngineView:
        status = driver.engine()
        heights = _heights(driver)
        members = {one.entry.id: one for one in members_of(node.ledger)}
        return EngineView(
            up=status.pid is not None and status.catching_up is not None,
            height=status.height,
            peers=tuple(
                PeerView(
                    id=peer.id.hex(),
                    address=peer.address,
                    label=members[peer.id].label if peer.id in members else peer.moniker,
                    organisation=members[peer.id].entry.organisation if peer.id in members else "",
                    height=heights.get(peer.id),
                    outbound=peer.outbound,
                    connected_s=peer.connected_s,
                )
                for peer in driver.peers()
            ),
            restarts=status.restarts,
            syncing=status.catching_up is True,
            pid=status.pid,
            misbehaviour=tuple(
                MisbehaviourView(
                    one.validator, one.organisation, one.kind, one.height, float(one.time)
                )
                for one in status.misbehaviour
            ),
        )

    return view


def _heights(driver: CometBftDriver) -> Mapping[bytes, int]:
    """What each peer has decided: the height before the one that it works on.

    None known while the engine does not answer; that it does not is told elsewhere.
    """
    try:
        return {node: height - 1 for node, height in driver.peer_heights().items()}
    except (EngineRefused, EngineUnreachable):
        return {}


def _witness_of(witness: Witness) -> Callable[[], WitnessView]:
    def view() -> WitnessView:
        status = witness.status()
        return WitnessView(
            size=status.size,
            threshold=status.threshold,
            expected=status.expected,
            missing=status.missing,
            witnessed_size=status.witnessed_size,
            unreachable=status.unreachable,
        )

    return view


def _evidence_of(witness: Witness) -> Callable[[], Sequence[EvidenceView]]:
    return lambda: [
        EvidenceView(
            id=one.id,
            found_at=one.found_at,
            signer="" if one.accused is None else one.accused.name,
            summary=one.summary,
        )
        for one in witness.evidence.list()
    ]


def _snapshots_of(snapshots: Snapshots) -> Callable[[], Sequence[SnapshotView]]:
    return lambda: [
        SnapshotView(one.height, _folder_time(snapshots, one), Manifest.of(one).size_bytes)
        for one in snapshots.shelf.list()
    ]


def _folder_time(snapshots: Snapshots, info: SnapshotInfo) -> float:
    """When a snapshot was made (POSIX time); 0 where it has just been removed."""
    folder = snapshots.shelf.directory / f"{info.height}-{info.format}"
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0


def _making_of(snapshots: Snapshots) -> Work:
    def make(target: Path | None, progress: Progress) -> Mapping[str, object]:
        if target is not None:
            raise JobRequestInvalid("snapshots lie in the node's folder: no target can be chosen")
        info = snapshots.maker.make(progress)
        return {"height": info.height, "chunks": info.chunks, "hash": info.hash.hex()}

    return make
