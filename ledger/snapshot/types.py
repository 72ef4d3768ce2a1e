"""What the snapshot room passes around."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Progress = Callable[[int, int], None]
"""Called with what is done and what there is to do, both in blocks, accounts and slots."""


@dataclass(frozen=True, slots=True)
class SnapshotInfo:
    """A snapshot as it is offered (CometBFT's `Snapshot`)."""

    height: int
    """What the consensus mark says; the block number where there is no consensus but solo."""
    format: int
    chunks: int
    hash: bytes
    """SHA-256 over format, height and metadata, and through it over all contents."""
    metadata: bytes
    """See `Manifest`."""
