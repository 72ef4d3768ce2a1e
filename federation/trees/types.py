"""Settings of boosted trees, and what is told while they grow."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Final

import rfc8785

from federation.sums import FEATURES_MAX
from federation.trees.errors import SettingsInvalid

__all__ = ["FEATURES_MAX", "HOSTS_MAX", "ROWS_MAX", "Progress", "TreeSettings"]

ROWS_MAX: Final = 1 << 24
HOSTS_MAX: Final = 16
WHOLE_BP: Final = 10_000


@dataclass(frozen=True, slots=True)
class TreeSettings:
    """What all parties of a run agree on; it is part of what the ledger holds of it.

    Raises `SettingsInvalid`.
    """

    trees: int = 30
    depth: int = 3
    """Splits from the root to a leaf at most."""
    bins: int = 32
    """Of a feature, beside that of missing values."""
    learning_rate: float = 0.3
    l2: float = 1.0
    """Lambda, added to the hessian of each node."""
    gamma: float = 0.0
    """What a split must gain at least."""
    child_weight_min: float = 1.0
    """The hessian that each side of a split must have."""
    node_rows_min: int = 20
    """A node of fewer rows is not split, and no host adds over fewer."""
    top_bp: int = WHOLE_BP
    """GOSS (Ke et al., LightGBM, NIPS 2017): the share of the rows, those with the greatest
    gradients, that each tree is grown from; in hundredths of a percent. Which rows they are tells
    the hosts of the labels; 0 takes rows by chance alone, which tells nothing."""
    other_bp: int = 0
    """GOSS: the share of the rows taken by chance from the others, and weighted up."""
    guest_trees: int = 0
    """How many trees the guest grows by itself first. They cost the hosts nothing."""
    scheme: str = "paillier"
    key_bits: int = 2048
    scale_bits: int = 24
    """Gradients are whole numbers of `2**-scale_bits`."""
    validation_bp: int = 0
    """The share of the rows that no tree is grown from, to judge by when to stop."""
    patience: int = 0
    """Stop when so many trees have not raised the AUC of the validation rows, and keep the trees
    up to the best; 0: never."""
    rehearsal: bool = False
    """Only with invented data: allows the scheme "plain", which hides nothing."""

    def __post_init__(self) -> None:
        for name, least, most in _BOUNDS:
            value = getattr(self, name)
            if isinstance(value, bool) or not least <= value <= most:
                raise SettingsInvalid(f"{name} is {value}: from {least} to {most}")
        if self.scheme == "plain" and not self.rehearsal:
            raise SettingsInvalid("the scheme plain hides nothing: only a rehearsal may use it")
        if self.scheme not in ("plain", "paillier", "ou"):
            raise SettingsInvalid(f"no scheme {self.scheme!r}: paillier or ou")
        if self.guest_trees > self.trees:
            raise SettingsInvalid(f"{self.guest_trees} trees of the guest's, {self.trees} in all")
        if self.top_bp + self.other_bp > WHOLE_BP or self.top_bp + self.other_bp < 1:
            raise SettingsInvalid("top_bp and other_bp are shares of one whole, not both 0")
        if self.top_bp < WHOLE_BP and self.other_bp < 1:
            raise SettingsInvalid(
                "other_bp is 0: trees would see only the rows they are wrong about"
            )
        if bool(self.patience) != bool(self.validation_bp):
            raise SettingsInvalid("patience and validation_bp go together")

    def body(self) -> dict[str, int | float | str | bool]:
        """For messages and records."""
        return {
            name: float(value) if name in _FLOATS else value for name, value in asdict(self).items()
        }

    @property
    def digest(self) -> bytes:
        """SHA-256 of the canonical JSON (RFC 8785)."""
        return hashlib.sha256(rfc8785.dumps(self.body())).digest()


_FLOATS = ("learning_rate", "l2", "gamma", "child_weight_min")
_BOUNDS: Final = (
    ("trees", 1, 1000),
    ("depth", 1, 8),
    ("bins", 2, 255),
    ("learning_rate", 1e-4, 1.0),
    ("l2", 1e-6, 1e6),
    ("gamma", 0.0, 1e6),
    ("child_weight_min", 0.0, 1e6),
    ("node_rows_min", 2, ROWS_MAX),
    ("top_bp", 0, WHOLE_BP),
    ("other_bp", 0, WHOLE_BP),
    ("guest_trees", 0, 1000),
    ("key_bits", 2048, 8192),
    ("scale_bits", 8, 40),
    ("validation_bp", 0, 5000),
    ("patience", 0, 1000),
)


@dataclass(frozen=True, slots=True)
class Progress:
    """Told after each tree."""

    tree: int
    """How many trees there are now."""
    trees: int
    """How many there will be at most."""
    auc: float | None = None
    """Of the rows that trees are grown from; only the guest knows."""
    validation_auc: float | None = None
    """Of the rows kept apart, where some are."""
