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
    batch_time_s_max: float = 30.0
    """What a batch has not got to by then is answered with an error."""
    log_blocks_max: int = 10_000
    """Blocks that one eth_getLogs may span."""
    logs_max: int = 10_000
    """Logs in one answer; a single block is answered whatever it holds."""
    logs_read_max: int = 100_000
    """Logs that one request may make the node look at."""
    call_gas_max: int = 50_000_000
    """Gas that eth_call and eth_estimateGas may burn: what a transaction with the largest payload
    needs. Their time is bounded by the engine."""
    calls_at_once_max: int = 2
    """Long requests that run at the same time; the interpreter is shared with the chain."""
    reads_at_once_max: int = 4
    calls_waiting_max: int = 256
    """Long requests that wait for their turn; more are refused."""
    waits_at_once_max: int = 64
    """eth_sendRawTransactionSync requests that wait for their block."""
    filters_max: int = 1_000
    filter_idle_s: float = 300.0
    subscriptions_max: int = 64
    """Subscriptions of one WebSocket."""
    websockets_max: int = 256
    notifications_queued_max: int = 1_024
    """A follower that falls further behind is disconnected."""
    outgoing_bytes_max: int = 32 * 1024 * 1024
    """The same in bytes; answers wait for room instead."""


@dataclass(frozen=True, slots=True)
class RpcContext:
    """What every method may reach."""

    ledger: Ledger
    settings: RpcSettings
