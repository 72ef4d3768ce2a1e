"""The words of the parameters instrument."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ledger.types import Address

BOUNDS: Final = {
    "blockGasLimit": (20_000_000, 150_000_000),
    "blockSizeBytesMax": (131_072, 16_777_216),
    "transactionSizeBytesMax": (131_072, 16_777_216),
    "witnessThreshold": (1, 128),
}
"""Known names with the lowest and the highest value, as in the contract; 0 is "as in genesis"."""


@dataclass(frozen=True, slots=True)
class ParameterChanged:
    """A parameter has another value; 0 for that of genesis."""

    name: str
    by: Address
    former: int
    value: int


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter as the projection knows it."""

    name: str
    value: int
    """0 where genesis says it."""
    since_block: int
    """Block of the last change; 0 from genesis."""
