"""What consensus drivers tell about themselves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DriverState(StrEnum):
    """What a driver does."""

    STOPPED = "stopped"
    RUNNING = "running"
    PAUSED = "paused"
    """The disk is full: nothing is taken until there is room."""
    FAILING = "failing"
    """The last block could not be made. It is tried again, unless the driver is halted."""


@dataclass(frozen=True, slots=True)
class DriverStatus:
    """Whether it runs, and what is wrong if anything is."""

    state: DriverState
    error: str | None
    blocks: int
    """Blocks made since it was created."""
    halted: bool = False
    """It does not go on by itself, because this node may hold something else than the others:
    the node must not serve."""
