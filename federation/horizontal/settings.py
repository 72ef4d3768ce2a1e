"""What the banks agree on before a training; its hash is what each holds the others to."""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict, dataclass
from typing import Final

import rfc8785

from federation.horizontal.errors import SettingsRefused

FIELDS_MAX: Final = 200
ROWS_MAX: Final = 10_000_000
"""Of one bank."""
SCALE_BITS: Final = 24
"""Sums of numbers with a point are of their 2^24-fold, rounded."""
SCORE_MAX: Final = 4.0
"""Weights of evidence are cut at this, so that what a row adds is bounded."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column that all banks have, and between which public values it is cut."""

    name: str
    low: float
    """From the field's meaning, never from anybody's rows; what lies below is in the first cell."""
    high: float
    """As `low`; what lies above is in the last cell."""
    codes: tuple[float, ...] = ()
    """Where it has few possible values, these, in order: each has a cell of its own."""


@dataclass(frozen=True, slots=True)
class Cutting:
    """How bins are found by sums of counts over a public grid."""

    bins: int = 5
    cells: int = 256
    """Of the first grid, over each field's range."""
    parts: int = 32
    """Into so many a cell in which a bin ends is cut once more; 1: it is not (nor with noise)."""


@dataclass(frozen=True, slots=True)
class Privacy:
    """Differential privacy of every sum, for one row that is there or is not."""

    epsilon_millionths: int = 1_000_000
    delta_units: int = 10_000_000_000_000
    """In 10^-18; the default is 10^-5."""
    knowing: int = 1
    """So many members' shares of noise do not count: who knows its own can take it away."""
    cells_share: float = 0.1
    woe_share: float = 0.4
    moments_share: float = 0.2
    gradient_share: float = 0.3
    """How the budget is divided among what is released."""
    gradients: int = 1
    """Steps after the first solution."""
    row_norm: float = 2.0
    """A row's weights of evidence are shortened to this before they are multiplied."""
    gradient_norm: float = 1.5
    """A row's gradient is shortened to this."""
    pull: float = 50.0
    """How strongly weights are held where they are, against noise; as a ridge."""


@dataclass(frozen=True, slots=True)
class Common:
    """What all algorithms have."""

    fields: tuple[Field, ...]
    cutting: Cutting = Cutting()

    def check(self) -> None:
        """Raises `SettingsRefused`."""
        names = [field.name for field in self.fields]
        require(0 < len(names) <= FIELDS_MAX, f"{len(names)} fields; 1 to {FIELDS_MAX}")
        require(len(set(names)) == len(names), "a field stands there twice")
        for field in self.fields:
            fine = math.isfinite(field.low) and math.isfinite(field.high)
            require(fine and field.low < field.high, f"the range of {field.name!r} is none")
            pairs = zip(field.codes, field.codes[1:], strict=False)
            rising = all(one < other for one, other in pairs) and len(field.codes) <= 255
            whole = all(map(math.isfinite, field.codes)) and len(field.codes) != 1
            require(rising and whole, f"the codes of {field.name!r} are 2 to 255 rising numbers")
        require(2 <= self.cutting.bins <= 64, "2 to 64 bins")
        require(2 <= self.cutting.cells <= 1024, "2 to 1024 cells")
        require(1 <= self.cutting.parts <= 256, "1 to 256 parts of a cell")

    @property
    def names(self) -> tuple[str, ...]:
        """The fields' names, in order."""
        return tuple(field.name for field in self.fields)

    def digest(self) -> bytes:
        """SHA-256 of the settings as RFC 8785 JSON, with the algorithm's name."""
        document = {"algorithm": type(self).__name__, **asdict(self)}
        return hashlib.sha256(rfc8785.dumps(document)).digest()


@dataclass(frozen=True, slots=True)
class ScorecardSettings(Common):
    """Logistic regression on weight of evidence, by Newton's method."""

    ridge: float = 1.0
    """Half of it times the squares of the coefficients is added to the log loss of all rows."""
    rounds: int = 8
    """At most so many Newton steps."""
    tolerance: float = 1e-6
    """It ends when no coefficient has moved by more."""
    smoothing: float = 1.0
    """So many rows of the average kind are added to each bin."""
    privacy: Privacy | None = None

    def check(self) -> None:
        """Raises `SettingsRefused`."""
        Common.check(self)
        require(0 < self.ridge <= 1e9, "a ridge above 0")
        require(1 <= self.rounds <= 100, "1 to 100 rounds")
        require(0 < self.tolerance < 1, "a tolerance of 0 to 1")
        require(0 < self.smoothing <= 1e6, "a smoothing above 0")
        if self.privacy is not None:
            _check_privacy(self.privacy)


@dataclass(frozen=True, slots=True)
class BoostingSettings(Common):
    """Gradient-boosted trees by histograms (as XGBoost: second order, logistic loss)."""

    cutting: Cutting = Cutting(bins=32)
    trees: int = 30
    depth: int = 3
    learning_rate: float = 0.3
    ridge: float = 1.0
    """Lambda: added to the sum of second derivatives of a leaf."""
    gain_min: float = 0.0
    """Gamma: a split must gain more."""
    weight_min: float = 1.0
    """Least sum of second derivatives on either side of a split."""

    def check(self) -> None:
        """Raises `SettingsRefused`."""
        Common.check(self)
        require(1 <= self.trees <= 1_000, "1 to 1000 trees")
        require(1 <= self.depth <= 8, "a depth of 1 to 8")
        require(0 < self.learning_rate <= 1, "a learning rate of 0 to 1")
        require(0 <= self.ridge <= 1e9, "a ridge of 0 or more")
        require(0 <= self.gain_min <= 1e9, "a gain of 0 or more")
        require(0 < self.weight_min <= 1e9, "a weight above 0")


@dataclass(frozen=True, slots=True)
class NetSettings(Common):
    """A net of two layers on weight of evidence, by federated averaging (McMahan et al. 2017)."""

    hidden: int = 16
    rounds: int = 20
    epochs: int = 2
    """Passes over its own rows that a bank makes in a round."""
    batch: int = 64
    learning_rate: float = 0.1
    pull: float = 0.0
    """Mu of FedProx (Li et al. 2020): how strongly a bank is held to the common model."""
    norm_max: float = 10.0
    """Each bank shortens its own update to this."""
    smoothing: float = 1.0
    masked: bool = True
    """Whether updates are summed under masks, or seen one by one by the server."""
    combine: str = "mean"
    """Of updates that are seen: `mean`, `median`, `trimmed` or `clipped`."""
    seed: int = 0

    def check(self) -> None:
        """Raises `SettingsRefused`."""
        Common.check(self)
        require(1 <= self.hidden <= 256, "1 to 256 hidden units")
        require(1 <= self.rounds <= 1_000, "1 to 1000 rounds")
        require(1 <= self.epochs <= 100, "1 to 100 epochs")
        require(1 <= self.batch <= 1 << 20, "a batch of 1 to 2^20 rows")
        require(0 < self.learning_rate <= 10, "a learning rate of 0 to 10")
        require(0 <= self.pull <= 100, "a pull of 0 to 100")
        require(0 < self.norm_max <= 1e4, "a bound of updates of 0 to 10000")
        require(0 < self.smoothing <= 1e6, "a smoothing above 0")
        require(self.combine in ("mean", "median", "trimmed", "clipped"), "no such combining")
        require(
            not self.masked or self.combine == "mean",
            "under masks no single update is seen: only the mean can be taken",
        )
        require(0 <= self.seed < 1 << 63, "a seed of 0 to 2^63")


def require(fine: bool, wanted: str) -> None:
    """Raise `SettingsRefused` unless it is fine."""
    if not fine:
        raise SettingsRefused(f"settings: {wanted}")


def _check_privacy(privacy: Privacy) -> None:
    shares = (
        privacy.cells_share,
        privacy.woe_share,
        privacy.moments_share,
        privacy.gradient_share,
    )
    require(all(share > 0 for share in shares), "each share of the budget is above 0")
    require(math.fsum(shares) <= 1 + 1e-9, "the shares of the budget are more than all of it")
    require(0 < privacy.epsilon_millionths <= 100_000_000, "an epsilon of 0 to 100")
    require(0 < privacy.delta_units < 10**18, "a delta of 0 to 1")
    require(0 <= privacy.knowing <= 63, "0 to 63 members who know their own noise")
    require(1 <= privacy.gradients <= 20, "1 to 20 gradients")
    require(0 < privacy.row_norm <= 100, "a bound of a row above 0")
    require(0 < privacy.gradient_norm <= 100, "a bound of a gradient above 0")
    require(0 < privacy.pull <= 1e9, "a pull above 0")
