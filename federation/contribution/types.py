"""What a measured contribution is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from federation.documents import STRICT

PARTIES_MAX = 64
COALITIONS_MAX = 20_000
PAIRS_MAX = 10_000
VALUE_MAX = 1e9
"""Largest magnitude of a value, so that all that follows from values stays exact in JSON."""

Coalition = frozenset[str]
Value = Callable[[Coalition], float]
"""What a coalition's data is worth: say the AUC, on fixed test rows, of a model trained with the
features of its members. Of the empty coalition it is the baseline (an AUC of 0.5)."""

PartyId = Annotated[str, Field(min_length=1, max_length=64)]
Finite = Annotated[float, Field(allow_inf_nan=False, ge=-4 * VALUE_MAX, le=4 * VALUE_MAX)]


class Method(StrEnum):
    """How Shapley values were had."""

    EXACT = "exact"
    """From the values of all coalitions."""
    SAMPLED = "sampled"
    """From seeded orders of the parties, each with its reverse."""


@dataclass(frozen=True, slots=True)
class CoalitionValue:
    """A coalition and what it is worth."""

    members: Annotated[tuple[PartyId, ...], Field(max_length=PARTIES_MAX)]
    """Ascending."""
    value: Finite
    __pydantic_config__: ClassVar[ConfigDict] = STRICT


@dataclass(frozen=True, slots=True)
class PartyContribution:
    """What one party adds."""

    party: PartyId
    shapley: Finite
    """Its part of value(all) - value(nobody); all parts sum to that."""
    error: Finite
    """Standard error of the Shapley value; 0 where it is exact."""
    first: Finite
    """value(it alone) - value(nobody)."""
    last: Finite
    """value(all) - value(all but it): leave one out."""
    share_bp: Annotated[int, Field(ge=0, le=10_000)]
    """Its share in hundredths of a percent."""
    __pydantic_config__: ClassVar[ConfigDict] = STRICT


@dataclass(frozen=True, slots=True)
class Contribution:
    """Every party's part, and all that it follows from."""

    measure: Annotated[str, Field(min_length=1, max_length=64)]
    """What values are, such as `auc`."""
    method: Method
    seed: Annotated[int, Field(ge=0, lt=2**53)] | None
    """Of the sampled orders; None where all coalitions are known."""
    pairs: Annotated[int, Field(ge=1, le=PAIRS_MAX)] | None
    """Sampled orders, each with its reverse; None where all coalitions are known."""
    coalitions: Annotated[tuple[CoalitionValue, ...], Field(max_length=COALITIONS_MAX)]
    """By size, then by members: each value that was used."""
    parties: Annotated[tuple[PartyContribution, ...], Field(min_length=1, max_length=PARTIES_MAX)]
    """In the order of their ids."""
    rule: Literal["negative-nothing/1"] = "negative-nothing/1"
    """How shares follow from Shapley values: see `shares_bp`."""
    format: Literal["tallystick-contribution/1"] = "tallystick-contribution/1"
    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    @property
    def shares_bp(self) -> dict[str, int]:
        """Share by party, in hundredths of a percent; together 10,000."""
        return {one.party: one.share_bp for one in self.parties}
