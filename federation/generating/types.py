"""An invented world: firms, and what three parties know of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from federation.generating.errors import SettingsInvalid
from federation.tables import FieldKind, Schema, Table, schema_of

FIRMS_MIN, FIRMS_MAX = 100, 5_000_000
QUARTERS_MAX = 40
REGIONS = ("east", "central", "west")


@dataclass(frozen=True, slots=True)
class WorldSettings:
    """What a world is made of. Raises `SettingsInvalid`."""

    firms: int = 10_000
    """In the whole world; each party knows a part of them."""
    seed: int = 1
    quarters: int = 8
    """Over which the bank's loans were made, evenly."""
    bad_rate: float = 0.1
    """Share of all firms that went bad; in later quarters more do."""
    bank: float = 0.75
    manufacturer: float = 0.6
    platform: float = 0.8
    """Share of all firms that each party knows."""
    drift: float = 1.0
    """How much the world changes from the first quarter to the last; 0: not at all."""

    def __post_init__(self) -> None:
        if not FIRMS_MIN <= self.firms <= FIRMS_MAX:
            raise SettingsInvalid(f"{self.firms} firms; {FIRMS_MIN} to {FIRMS_MAX} can be made")
        if not 0 <= self.seed < 2**53:
            raise SettingsInvalid("a seed lies from 0 to 2**53 - 1")
        if not 1 <= self.quarters <= QUARTERS_MAX:
            raise SettingsInvalid(f"{self.quarters} quarters; 1 to {QUARTERS_MAX} can be made")
        if not 0.01 <= self.bad_rate <= 0.5:
            raise SettingsInvalid("the bad rate lies within 0.01 and 0.5")
        if not all(0.1 <= share <= 1 for share in (self.bank, self.manufacturer, self.platform)):
            raise SettingsInvalid("a party knows from a tenth to all of the firms")
        if not 0.0 <= self.drift <= 3.0:
            raise SettingsInvalid("drift lies within 0 and 3")


@dataclass(frozen=True, slots=True)
class FieldNote:
    """What a field is."""

    meaning: str
    unit: str = ""
    kind: FieldKind | None = None
    """None: to be seen from the values."""


@dataclass(frozen=True, slots=True)
class Source:
    """What one party knows: its rows, in an order of its own, and what its fields are."""

    name: str
    title: str
    table: Table
    notes: Mapping[str, FieldNote]

    def schema(self) -> Schema:
        """The schema that the party would register."""
        return schema_of(
            self.table,
            kinds={name: note.kind for name, note in self.notes.items() if note.kind is not None},
            units={name: note.unit for name, note in self.notes.items()},
            meanings={name: note.meaning for name, note in self.notes.items()},
        )


@dataclass(frozen=True, slots=True)
class Book:
    """The bank's loans: its source, and by row of it what only the bank has besides."""

    source: Source
    label: NDArray[np.uint8]
    """1: not paid back within 90 days of its date."""
    quarter: NDArray[np.int64]
    """In which the loan was made, from 0."""
    region: tuple[str, ...]
    """Of the firm: east, central or west. No feature; what fairness is measured by."""

    def take(self, rows: NDArray[np.int64]) -> Book:
        """The loans at those places, in that order."""
        table = self.source.table.take(rows)
        return Book(
            Source(self.source.name, self.source.title, table, self.source.notes),
            self.label[rows],
            self.quarter[rows],
            tuple(self.region[row] for row in rows.tolist()),
        )


@dataclass(frozen=True, slots=True)
class World:
    """One invented world."""

    settings: WorldSettings
    bank: Book
    manufacturer: Source
    platform: Source

    @property
    def sources(self) -> tuple[Source, Source, Source]:
        """The three parties' sources, the bank's first."""
        return self.bank.source, self.manufacturer, self.platform

    def common(self) -> tuple[str, ...]:
        """The ids that all three know, in order: what alignment must find."""
        known = [set(source.table.ids) for source in self.sources]
        return tuple(sorted(known[0] & known[1] & known[2]))
