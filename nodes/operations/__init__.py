"""A node's daily operation: the operator's listener, metrics, readiness, status, logs."""

from nodes.operations.errors import (
    JobRequestInvalid,
    JobUnavailable,
    JobUnderWay,
    NotRunning,
    OperationsError,
    RunFileInvalid,
)
from nodes.operations.protocol import Progress, Sources, Work
from nodes.operations.runfile import RUN_FILE, RunFile, new_token
from nodes.operations.server import OperationsServer
from nodes.operations.settings import LogSettings, OperationsSettings
from nodes.operations.types import (
    CaptureView,
    EngineView,
    EvidenceView,
    Finding,
    MembershipView,
    MisbehaviourView,
    Observation,
    PeerView,
    SnapshotView,
    WitnessView,
)

__all__ = [
    "RUN_FILE",
    "CaptureView",
    "EngineView",
    "EvidenceView",
    "Finding",
    "JobRequestInvalid",
    "JobUnavailable",
    "JobUnderWay",
    "LogSettings",
    "MembershipView",
    "MisbehaviourView",
    "NotRunning",
    "Observation",
    "OperationsError",
    "OperationsServer",
    "OperationsSettings",
    "PeerView",
    "Progress",
    "RunFile",
    "RunFileInvalid",
    "SnapshotView",
    "Sources",
    "WitnessView",
    "Work",
    "new_token",
]
