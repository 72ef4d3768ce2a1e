"""Settings of an alignment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from federation.alignment.errors import SettingsInvalid

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with the stage ("own", "theirs"), the rows done so far and all rows of the stage."""

ROWS_MAX = 10_000_000
HOSTS_MAX = 16
ID_BYTES_MAX = 1024
CHUNK_ROWS = 2048
"""Points of one message: small enough that a slow party is still heard of in time."""


@dataclass(frozen=True, slots=True)
class AlignmentSettings:
    """What a party agrees to; each has its own. Raises `SettingsInvalid`."""

    rows_max: int = 5_000_000
    """No party may bring more rows than this, dummies included."""
    pad_to: int = 1
    """Our number of rows is padded with dummies to a multiple of this, to hide it."""
    common_min: int = 0
    """With fewer common rows we stop: the result would speak of single rows."""
    threads: int | None = None
    """Threads for the multiplications; None: one for each core that this process may use."""

    def __post_init__(self) -> None:
        if not 1 <= self.rows_max <= ROWS_MAX:
            raise SettingsInvalid(f"rows_max {self.rows_max}: 1 to {ROWS_MAX} are meant")
        if not 1 <= self.pad_to <= self.rows_max:
            raise SettingsInvalid(f"pad_to {self.pad_to}: 1 to rows_max ({self.rows_max}) is meant")
        if not 0 <= self.common_min <= self.rows_max:
            raise SettingsInvalid(f"common_min {self.common_min}: 0 to rows_max is meant")
        if self.threads is not None and not 1 <= self.threads <= 256:
            raise SettingsInvalid(f"threads {self.threads}: 1 to 256, or None, are meant")

    def padded(self, rows: int) -> int:
        """How many points stand for `rows` rows."""
        return -(-rows // self.pad_to) * self.pad_to


DEFAULT_SETTINGS = AlignmentSettings()
