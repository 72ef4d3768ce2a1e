"""The words of the Pledges contract. Amounts are in hundredths of the currency."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from ledger.types import Address, Hash32


class State(IntEnum):
    """Where a pledge stands; the numbers are the contract's."""

    PROPOSED = 1
    ACTIVE = 2
    DEFAULTED = 3
    RELEASED = 4
    ENFORCED = 5
    DECLINED = 6
    WITHDRAWN = 7
    ANNULLED = 8
    """Ended by the decision of an authority."""

    @property
    def word(self) -> str:
        """As JSON says it."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> State:
        """The state of that word. Raises `ValueError`."""
        try:
            return cls[word.upper()]
        except KeyError:
            states = ", ".join(state.word for state in cls)
            raise ValueError(f"state {word[:32]!r} is none of {states}") from None


LIVE = (State.ACTIVE, State.DEFAULTED)
"""Of which an instrument has at most one pledge."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is secured."""

    amount: int
    currency: str
    """ISO 4217."""
    due: int
    """When the secured debt is to be paid, unix seconds."""
    notice_seconds: int
    """From default to enforcement."""
    terms: Hash32
    """SHA-256 of the agreement."""


@dataclass(frozen=True, slots=True)
class Pledge:
    """A pledge as the contract keeps it."""

    instrument: Address
    id: Hash32
    """The instrument that it was made for; it covers whatever comes out of it."""
    instrument_revision: int
    pledgor: str
    pledgee: str
    terms: Terms
    state: State
    assets: int
    """How many live instruments it covers."""
    since: int
    """When the state began, unix seconds."""
    loan: Hash32 | None
    """The loan that it secures, where Financing made it."""


@dataclass(frozen=True, slots=True)
class PledgeChanged:
    """An act, with the pledge as it is afterwards."""

    key: Hash32
    by: str
    pledge: Pledge
    remark: str


@dataclass(frozen=True, slots=True)
class PledgeAnnulled:
    """An authority has freed these instruments; told before the change itself."""

    key: Hash32
    by: str
    decision: Hash32
    ids: tuple[Hash32, ...]


@dataclass(frozen=True, slots=True)
class AssetCovered:
    """The pledge covers an instrument from now on."""

    key: Hash32
    instrument: Address
    id: Hash32


@dataclass(frozen=True, slots=True)
class AssetFreed:
    """The pledge covers it no longer."""

    key: Hash32
    instrument: Address
    id: Hash32
    to: str | None
    """Who has got it by enforcement."""


PledgesEvent: TypeAlias = PledgeChanged | PledgeAnnulled | AssetCovered | AssetFreed
