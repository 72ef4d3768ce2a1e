"""Where tiles come from."""

from __future__ import annotations

from typing import Protocol


class TileReader(Protocol):
    """Stored tiles of one log."""

    def tile(self, level: int, index: int) -> bytes | None:
        """The widest stored tile: 1 to 256 hashes, 32 bytes each; None where there is none."""
