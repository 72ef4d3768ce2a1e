"""The `[operations]` and `[log]` sections of `node.toml`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MIB = 1 << 20


class OperationsSettings(BaseModel):
    """The operator's own listener, and the bounds within which a node counts as ready."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    host: str = "127.0.0.1"
    """Loopback by default: /metrics and /health answer whoever can reach them."""
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """0 takes a free port; it stands in run.json. Prometheus wants a fixed one: 9464."""
    requests_per_minute: Annotated[int, Field(ge=10, le=60_000)] = 600
    """From one address, and four times as many from all."""
    projection_lag_blocks_max: Annotated[int, Field(ge=1)] = 500
    """Ready up to here: the SQL tables may be this many blocks behind."""
    height_lag_max: Annotated[int, Field(ge=1)] = 50
    """Ready up to here: consensus heights behind the furthest peer."""
    disk_free_mib_min: Annotated[int, Field(ge=1)] = 2048
    """Not ready with less room on any disk that the node writes to."""
    peers_min: Annotated[int, Field(ge=0)] = 1
    """Not ready with fewer peers, where other nodes stand in the Network contract."""


class LogSettings(BaseModel):
    """How the node writes its log to stderr. `TALLY_LOG` (`format:level`) goes before it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    format: Literal["text", "json"] = "text"
    level: Literal["debug", "info", "warning", "error", "critical"] = "info"
