"""What the driver tells about the engine."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.consensus.cometbft.misbehaviour import Misbehaviour


@dataclass(frozen=True, slots=True)
class Peer:
    """A node that the engine is connected to."""

    id: bytes
    """20 bytes."""
    moniker: str
    address: str
    """`ip:port`, as far as known."""
    outbound: bool
    """Whether we dialled."""
    connected_s: float
    sent_bytes: int
    received_bytes: int


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """The engine as last seen; everything is None or 0 while it does not answer."""

    chain_id: str
    node_id: bytes
    """Our own, 20 bytes."""
    pid: int | None
    starts: int
    """How often it was started since the driver was."""
    restarts: int
    """How often of these because it had ended by itself: planned ones do not count."""
    height: int
    """The last height that the ledger has made durable."""
    block_time_ns: int
    """Of that height; 0 before the first."""
    catching_up: bool | None
    """Whether it still fetches blocks of others; None where it does not say."""
    peers: int
    mempool: int
    """Transactions in the engine's mempool, as far as known."""
    validator_address: bytes | None
    """Of the key that it signs with, 20 bytes."""
    power: int
    """Of that key, in the engine's present set."""
    errors: tuple[str, ...]
    """Last errors of its log, oldest first."""
    misbehaviour: tuple[Misbehaviour, ...] = ()
    """Validators that were caught voting twice, oldest first."""
