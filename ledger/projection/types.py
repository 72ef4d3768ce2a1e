"""What the projector says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ProjectorState(StrEnum):
    """What the projector is doing."""

    STOPPED = "stopped"
    """Its thread does not run."""
    FOLLOWING = "following"
    """Its thread runs and applies each block as it comes."""
    WAITING = "waiting"
    """The database cannot be reached just now; tried again."""
    FAILED = "failed"
    """A handler or the database failed; nothing is applied until a restart."""


@dataclass(frozen=True, slots=True)
class ProjectorStatus:
    """One moment of the projector."""

    state: ProjectorState
    block_number: int
    """Last block that every handler has applied."""
    head_number: int
    """Last block of the ledger."""
    error: str | None
    """Why it waits or has failed."""

    @property
    def behind(self) -> int:
        """Blocks still to apply."""
        return max(0, self.head_number - self.block_number)
