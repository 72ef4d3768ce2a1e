"""The words of the Stock contract. Quantities are in thousandths of the lot's unit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from ledger.types import Address, Hash32


class Nature(IntEnum):
    """What a lot's goods do while they lie there; the numbers are the contract's."""

    FIXED = 1
    LIVING = 2
    """They dry, grow or die."""

    @property
    def word(self) -> str:
        """As JSON says it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Agreement:
    """What those who lend on the goods rely on."""

    nature: Nature
    unit: str
    """UN/ECE Recommendation 20 code."""
    shortfall_bp: int
    """What may be missing before issuing stops, in hundredths of a percent of what live receipts
    stand for."""
    adjustment_bp: int
    """How far the warehouse may adjust a count, in hundredths of a percent of it; 0 for goods that
    stay as they are."""
    count_age_max_seconds: int
    """For how long a count is good for issuing."""


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot as the contract keeps it."""

    warehouse: str
    place: Hash32
    lot: Hash32
    agreement: Agreement
    counted: int
    """What is there by the last count, adjustments and deliveries since."""
    live: int
    """What live receipts stand for."""
    last_count: int
    counted_at: int
    """By the counter's clock; 0: never."""
    short: bool
    """More is missing than was agreed: nothing is issued."""


@dataclass(frozen=True, slots=True)
class Count:
    """What a counter tells."""

    key: Hash32
    quantity: int
    counted_at: int
    sequence: int
    """Above that of the counter's last count of the lot."""
    evidence: Hash32
    """SHA-256 of what supports the count."""


@dataclass(frozen=True, slots=True)
class LotRegistered:
    """Goods can stand behind receipts from now on."""

    key: Hash32
    warehouse: str
    place: Hash32
    lot: Hash32
    agreement: Agreement
    counters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AgreementChanged:
    """What was agreed has changed, while no receipt relied on it."""

    key: Hash32
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class LotEntrusted:
    """Another warehouse keeps the goods from now on, by the decision of an authority."""

    key: Hash32
    warehouse: str
    by: str
    former: str
    decision: Hash32
    """SHA-256 of the decision's document."""


@dataclass(frozen=True, slots=True)
class CounterChanged:
    """An organisation counts the lot from now on, or no longer."""

    key: Hash32
    organisation: str
    may: bool


@dataclass(frozen=True, slots=True)
class Counted:
    """A count, with the lot as it is afterwards."""

    key: Hash32
    counter: Address
    organisation: str
    count: Count
    lot: Lot


@dataclass(frozen=True, slots=True)
class Adjusted:
    """The warehouse has booked what grew, dried or died."""

    key: Hash32
    by: str
    former: int
    counted: int
    reason: str


@dataclass(frozen=True, slots=True)
class StockMoved:
    """A receipt has changed what live receipts stand for, or what is there."""

    key: Hash32
    instrument: Address
    counted: int
    live: int


@dataclass(frozen=True, slots=True)
class ShortfallBegan:
    """More is missing than was agreed."""

    key: Hash32
    warehouse: str
    counted: int
    live: int


@dataclass(frozen=True, slots=True)
class ShortfallEnded:
    """Enough is there again."""

    key: Hash32
    warehouse: str
    counted: int
    live: int


StockEvent: TypeAlias = (
    LotRegistered
    | AgreementChanged
    | CounterChanged
    | LotEntrusted
    | Counted
    | Adjusted
    | StockMoved
    | ShortfallBegan
    | ShortfallEnded
)

ENTRY_KINDS = (
    "registered",
    "agreement",
    "counter-added",
    "counter-removed",
    "entrusted",
    "counted",
    "adjusted",
    "moved",
    "shortfall-began",
    "shortfall-ended",
)
"""What an entry of a lot's history tells."""
