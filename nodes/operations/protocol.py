"""What the operator's view is drawn from: small parts of the node, so that each can be tested."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ledger.consensus import DriverStatus
from ledger.mempool import MempoolStatus
from ledger.projection import ProjectorStatus
from ledger.types import Block, CommittedBlock
from nodes.operations.types import (
    CaptureView,
    EngineView,
    EvidenceView,
    MembershipView,
    SnapshotView,
    WitnessView,
)

Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is (0: not known), in any unit."""
Work = Callable[[Path | None, Progress], Mapping[str, object]]
"""Something long: gets the target that was asked for, says how it goes, gives what came out."""


class LogSource(Protocol):
    """The part of the log that is read."""

    @property
    def size(self) -> int: ...

    @property
    def root(self) -> bytes: ...


class PoolSource(Protocol):
    """The part of the mempool that is read."""

    def status(self) -> MempoolStatus: ...


class LedgerSource(Protocol):
    """The part of the `Ledger` that is read."""

    @property
    def chain_id(self) -> int: ...

    @property
    def origin(self) -> str: ...

    @property
    def log(self) -> LogSource: ...

    @property
    def mempool(self) -> PoolSource: ...

    def head(self) -> Block: ...

    def subscribe(self, callback: Callable[[CommittedBlock], None], /) -> Callable[[], None]: ...


class ProjectionSource(Protocol):
    """The part of the `Projector` that is read."""

    def status(self) -> ProjectorStatus: ...


class DriverSource(Protocol):
    """The part of a consensus driver that is read."""

    def status(self) -> DriverStatus: ...


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that an observation is taken from. What a node has not stays None.

    The functions are called from worker threads, only when somebody asks, at most about once a
    second, and may take a moment.
    """

    name: str
    """The node's name in node.toml."""
    folders: Mapping[str, Path]
    """Parts of the node on disk by name: chain, database, engine, snapshots, evidence, keys."""
    ledger: LedgerSource
    projector: ProjectionSource
    driver: DriverSource
    refusals: Callable[[], Mapping[str, int]] | None = None
    """Refused submissions since the start, by the name of the refusal."""
    capture: Callable[[], CaptureView] | None = None
    engine: Callable[[], EngineView] | None = None
    membership: Callable[[], MembershipView] | None = None
    witness: Callable[[], WitnessView] | None = None
    evidence: Callable[[], Sequence[EvidenceView]] | None = None
    snapshots: Callable[[], Sequence[SnapshotView]] | None = None
    backup: Work | None = None
    snapshot: Work | None = None
