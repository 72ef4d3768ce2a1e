"""What the JSON-RPC room passes around."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ledger.chain import Ledger

Method = Callable[[Sequence[object]], object]
"""Takes the parameters, gives the `result`; raises RpcError."""


@dataclass(frozen=True, slots=True)
class RpcSettings:
    """Bounds of the server. Every one has a test."""

    body_bytes_max: int = 8 * 1024 * 1024
    batch_requests_max: int = 1_000
    batch_answer_bytes_max: int = 32 * 1024 * 1024
    log_blocks_max: int = 10_000
    """Blocks that one eth_getLogs may span."""
    logs_max: int = 10_000
    """Logs in one answer."""
    call_gas_max: int = 50_000_000
    """Gas that eth_call and eth_estimateGas may burn."""
    calls_at_once_max: int = 2
    filters_max: int = 1_000
    filter_idle_s: float = 300.0
    subscriptions_max: int = 64
    """Subscriptions of one WebSocket."""
    websockets_max: int = 256
    notifications_queued_max: int = 1_024
    """A follower that falls further behind is disconnected."""


@dataclass(frozen=True, slots=True)
class RpcContext:
    """What every method may reach."""

    ledger: Ledger
    settings: RpcSettings
