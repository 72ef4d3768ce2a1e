"""What the operator's view of a node consists of: one moment of everything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ledger.consensus import DriverStatus
from ledger.mempool import MempoolStatus
from ledger.projection import ProjectorStatus
from ledger.types import Block


@dataclass(frozen=True, slots=True)
class PeerView:
    """Another node that this one is connected with."""

    id: str
    """CometBFT node id, 40 hexadecimal digits."""
    address: str
    label: str = ""
    """Its name in the consortium; where it has none there, the one that it gives itself."""
    organisation: str = ""
    """Its member according to the Network contract; empty where it stands there not."""
    height: int | None = None
    """Consensus height that it has decided; None where it has not said."""
    outbound: bool = False
    """Whether this node made the connection."""
    connected_s: float = 0.0


@dataclass(frozen=True, slots=True)
class MisbehaviourView:
    """A validator that was caught voting twice: the proof is in the engine's blocks."""

    validator: str
    """The engine's address of its key, in hex."""
    organisation: str
    """Whose it is; empty where it was nobody's any more."""
    kind: str
    height: int
    """Of the engine, at which it was done."""
    at: float
    """POSIX time of that height."""


@dataclass(frozen=True, slots=True)
class EngineView:
    """The consensus engine's process and its place in the network."""

    up: bool
    height: int
    peers: tuple[PeerView, ...] = ()
    restarts: int = 0
    """After it had ended by itself, since this node's process began."""
    syncing: bool = False
    """It fetches blocks or a snapshot and does not take part yet."""
    pid: int | None = None
    misbehaviour: tuple[MisbehaviourView, ...] = ()

    @property
    def height_lag(self) -> int:
        """Heights behind the furthest peer; 0 where none is ahead."""
        known = [peer.height for peer in self.peers if peer.height is not None]
        return max(0, max(known, default=0) - self.height)


@dataclass(frozen=True, slots=True)
class MembershipView:
    """What the Network contract says, from this node's point of view."""

    nodes: int
    """Active nodes, this one included if it stands there."""
    validators: int
    power_total: int
    own_power: int
    trust_drift: str = ""
    """What the node's own trust file does not follow; empty where it does."""
    standing: str = ""
    """Why this node counts for nothing in the consortium; empty where it counts."""


@dataclass(frozen=True, slots=True)
class WitnessView:
    """How far the other members have vouched for this node's log."""

    size: int
    """Leaves of the newest own checkpoint."""
    threshold: int
    """Cosignatures that a verifier of this consortium asks for."""
    expected: tuple[str, ...]
    """Names of the witnesses whose cosignatures are wanted."""
    missing: tuple[str, ...]
    """Those of them that have not yet cosigned the newest checkpoint."""
    witnessed_size: int
    """Leaves of the newest checkpoint that reached the threshold."""
    unreachable: tuple[str, ...] = ()
    """Witnesses that did not answer when last asked."""


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """Proof that somebody signed two histories."""

    id: str
    found_at: float
    """POSIX time."""
    signer: str
    summary: str


@dataclass(frozen=True, slots=True)
class SnapshotView:
    """A state-sync snapshot that this node can serve."""

    height: int
    made_at: float
    """POSIX time."""
    size_bytes: int


@dataclass(frozen=True, slots=True)
class DiskPart:
    """A folder or file of the node, and the disk that it lies on."""

    name: str
    used_bytes: int
    """Blocks that its files occupy."""
    free_bytes: int
    """Room for this process on its disk."""
    total_bytes: int
    complete: bool = True
    """False where there were more files than are counted."""


@dataclass(frozen=True, slots=True)
class CaptureView:
    """The capture service."""

    running: bool
    waiting_jobs: int
    waiting_bytes: int


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that an operator must know of."""

    code: str
    """Fixed word for machines, e.g. `disk`."""
    text: str


@dataclass(frozen=True, slots=True)
class Observation:
    """One moment of a node. Parts that this node has not are None."""

    taken_at: float
    """POSIX time."""
    name: str
    version: str
    chain_id: int
    origin: str
    head: Block
    log_size: int
    log_root: bytes
    driver: DriverStatus
    mempool: MempoolStatus
    projection: ProjectorStatus
    refusals: Mapping[str, int] = field(default_factory=dict)
    capture: CaptureView | None = None
    engine: EngineView | None = None
    membership: MembershipView | None = None
    witness: WitnessView | None = None
    evidence: tuple[EvidenceView, ...] = ()
    snapshots: tuple[SnapshotView, ...] = ()
    disk: tuple[DiskPart, ...] = ()
    unanswered: tuple[Finding, ...] = ()
    """Parts that could not be asked, and why."""
