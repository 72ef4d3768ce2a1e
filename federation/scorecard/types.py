"""Settings and parts of a scorecard."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from federation.scorecard.errors import SettingsInvalid

ROWS_MAX: Final = 1 << 24
FEATURES_MAX: Final = 256
"""Of one party."""
BINS_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class ScorecardSettings:
    """What all parties of a run agree on; it is part of what the ledger holds of it."""

    bins: int = 16
    """Of a feature, beside that of missing values."""
    rows_min: int = 50
    """Of a bin, lest a count tells of single rows; a smaller bin is joined to its neighbour."""
    smoothing: float = 0.5
    """Added to each bin's bads and goods, so that no weight of evidence is infinite."""
    ridge: float = 1.0
    """On all weights but the intercept."""
    steps: int = 1
    """Newton steps from the guest's own model. After the first, each shows the guest one more
    total of each row's host parts; two are as good as twenty."""
    keep_signs: bool = True
    """Drop features whose weight has the other sign than their evidence."""
    scheme: str = "paillier"
    key_bits: int = 2048
    rehearsal: bool = False
    """Only with invented data: allows the scheme "plain", which hides nothing."""

    def __post_init__(self) -> None:
        """Raises `SettingsInvalid`."""
        for name, value, least, most in (
            ("bins", self.bins, 2, BINS_MAX),
            ("rows_min", self.rows_min, 1, ROWS_MAX),
            ("smoothing", self.smoothing, 1e-6, 100.0),
            ("ridge", self.ridge, 0.0, 1e6),
            ("steps", self.steps, 1, 5),
        ):
            if not least <= value <= most:
                raise SettingsInvalid(f"{name} is {value}: from {least} to {most}")
        if self.scheme == "plain" and not self.rehearsal:
            raise SettingsInvalid("the scheme plain hides nothing: only a rehearsal may use it")
        if self.scheme not in ("plain", "paillier", "ou"):
            raise SettingsInvalid(f"no scheme {self.scheme!r}: paillier or ou")

    def body(self) -> dict[str, int | float | str | bool]:
        """For messages and records."""
        return {one.name: getattr(self, one.name) for one in fields(self)}
