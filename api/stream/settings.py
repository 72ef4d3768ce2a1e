"""Bounds of the stream."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """Every one has a safe default; units stand last in the names."""

    connections_max: int = 2_000
    connections_per_organisation_max: int = 50
    heartbeat_s: float = 15.0
    """A comment at least so often: proxies keep the connection, and a dead client is noticed. The
    key is looked at again each time, and before anything is sent."""
    send_timeout_s: float = 30.0
    """Who takes nothing for so long is cut off; he resumes where he was."""
    retry_ms: int = 2_000
    """After which a client connects again (`retry`)."""
    page_size: int = 200
    """Notices read at once for who is behind."""
    memory_notices_max: int = 2_000
    """The newest notices, kept for all who follow."""
