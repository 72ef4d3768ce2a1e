"""Making a world, and writing it as the files that its parties would have."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from federation.generating.draws import Draws, Floats, largest
from federation.generating.errors import GeneratingError, SettingsInvalid
from federation.generating.firms import Firms, make_firms, region_names
from federation.generating.sources import (
    BANK_NOTES,
    MANUFACTURER_NOTES,
    PLATFORM_NOTES,
    bank_columns,
    manufacturer_columns,
    platform_columns,
)
from federation.generating.types import Book, FieldNote, Source, World, WorldSettings
from federation.tables import Table, write_csv

LABEL = "bad"
QUARTER = "quarter"
BANKS_MAX = 50


def make_world(settings: WorldSettings | None = None) -> World:
    """The world of those settings: the same, bit for bit, on every machine."""
    settings = settings or WorldSettings()
    draws = Draws(settings.seed, settings.firms)
    firms = make_firms(settings, draws)
    known = _who_knows_whom(settings, firms, draws)
    bank = known["bank"]
    return World(
        settings=settings,
        bank=Book(
            source=_source("bank", "Bank: loan book", firms, bank, bank_columns(firms, draws)),
            label=firms.label[bank],
            quarter=firms.quarter[bank],
            region=region_names(firms, bank),
        ),
        manufacturer=_source(
            "manufacturer",
            "Manufacturer: orders, deliveries, quality",
            firms,
            known["manufacturer"],
            manufacturer_columns(firms, draws),
        ),
        platform=_source(
            "platform",
            "Platform: power, invoices, tax",
            firms,
            known["platform"],
            platform_columns(firms, draws),
        ),
    )


_NOTES: Mapping[str, Mapping[str, FieldNote]] = {
    "bank": BANK_NOTES,
    "manufacturer": MANUFACTURER_NOTES,
    "platform": PLATFORM_NOTES,
}


def deal_banks(book: Book, banks: int, *, seed: int) -> tuple[Book, ...]:
    """One book dealt out to several banks that are not alike: each has its favourite region and
    size of loan, and its share of the whole (the first the largest, about twice the last's).

    Raises `SettingsInvalid` for fewer than 50 loans a bank, or none or too many banks.
    """
    rows = book.source.table.rows
    if not 1 <= banks <= BANKS_MAX or rows < 50 * banks:
        raise SettingsInvalid(f"{rows} loans cannot be dealt to {banks} banks")
    draws = Draws(seed, rows)
    amount = book.source.table.column("amount")
    size = np.argsort(np.argsort(amount, kind="stable"), kind="stable") / rows
    places = {name: place for place, name in enumerate(sorted(set(book.region)))}
    region = np.array([places[name] for name in book.region], dtype=np.int64)
    liking: list[Floats] = []
    for bank in range(banks):
        favourite = (region == bank % len(places)).astype(np.float64)
        apart = size - (bank + 0.5) / banks
        liking.append(favourite - apart * apart + draws.normal(f"bank {bank}") * 0.5)
    left = np.ones(rows, dtype=np.bool_)
    weights = [2.0 - bank / max(1, banks - 1) for bank in range(banks)]
    dealt: list[Book] = []
    for bank in range(banks):
        share = int(rows * weights[bank] / sum(weights))
        chosen = left
        if bank < banks - 1:
            chosen = largest(np.where(left, liking[bank], -np.inf), share)
        dealt.append(book.take(np.flatnonzero(chosen)))
        left = left & ~chosen
    return tuple(dealt)


def write_world(world: World, folder: Path) -> dict[str, Path]:
    """One CSV file a party (`bank.csv` …), as `read_csv` reads them; the bank's has the label
    `bad` and the `quarter` besides its fields. Raises `GeneratingError` where the folder cannot be
    made, `TablesError` where a file cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GeneratingError(f"{folder.name} cannot be made: {error.strerror}") from error
    bank = world.bank.source.table
    columns = dict(bank.columns)
    columns[QUARTER] = world.bank.quarter.astype(np.float64)
    columns[LABEL] = world.bank.label.astype(np.float64)
    paths: dict[str, Path] = {}
    for source in world.sources:
        table = Table(bank.ids, columns) if source.name == "bank" else source.table
        paths[source.name] = folder / f"{source.name}.csv"
        write_csv(table, paths[source.name])
    return paths


def _who_knows_whom(
    settings: WorldSettings, firms: Firms, draws: Draws
) -> dict[str, NDArray[np.int64]]:
    """The firms of each party, in an order of its own: banks like the sound and large ones, a
    manufacturer knows those that have supplied it long enough, a platform the small ones too."""
    likes = {
        "bank": (settings.bank, 0.4 * firms.soundness + 0.4 * firms.size),
        "manufacturer": (settings.manufacturer, 0.3 * firms.operations),
        "platform": (settings.platform, -0.2 * firms.size),
    }
    known: dict[str, NDArray[np.int64]] = {}
    for party, (share, liking) in likes.items():
        chosen = largest(liking + draws.normal(f"{party}/knows"), round(share * firms.rows))
        shuffled = np.argsort(draws.uniform(f"{party}/order"), kind="stable")
        known[party] = shuffled[chosen[shuffled]]
    return known


def _source(
    name: str, title: str, firms: Firms, rows: NDArray[np.int64], columns: dict[str, Floats]
) -> Source:
    ids = tuple(firms.ids[row] for row in rows.tolist())
    table = Table(ids, {field: values[rows] for field, values in columns.items()})
    return Source(name, title, table, _NOTES[name])
