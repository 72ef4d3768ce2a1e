"""What the HTTP interface stands on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Engine

from api.hooks import HookService
from api.keys import KeyStore
from api.operations import Operations
from api.settings import ApiSettings
from ledger.chain import Ledger
from ledger.projection import Projector
from ledger.witness import Witness
from traceability.bundle import Trust
from traceability.capture import CaptureService


@dataclass(frozen=True, slots=True)
class EngineAccess:
    """What others may have of the consensus engine."""

    chain_id: str
    genesis: bytes
    """The engine's own genesis.json."""
    rpc: Callable[[str, Mapping[str, object]], dict[str, object]]
    """Read-only methods for light clients. Raises `MethodNotAllowed`, `EngineRefused`,
    `EngineUnreachable`."""
    height: Callable[[], int]
    snapshots: Callable[[], Sequence[tuple[int, int]]]
    """Heights and sizes in bytes, newest first."""


@dataclass(frozen=True, slots=True)
class Services:
    """All of one node. The caller starts and stops them; the application only uses them."""

    ledger: Ledger
    projector: Projector
    capture: CaptureService
    engine: Engine
    """The projection's database."""
    keys: KeyStore
    trust: Trust
    witness: Witness | None = None
    """Where the node cosigns checkpoints and gathers the others' cosignatures."""
    consensus: EngineAccess | None = None
    """None: this node orders alone."""
    webhooks: HookService | None = None
    """None: this node sends nothing."""
    operations: Operations | None = None
    """What signs for members; None: this node changes nothing over HTTP but by capture."""
    settings: ApiSettings = field(default_factory=ApiSettings)
    public_url: str = ""
    """Where QR codes lead, e.g. `https://trace.example`; empty: where the request came to."""
    name: str = "Tallystick node"
