"""Eligibility looked at again: over a file of assets, or over a book as it is now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from contracts.pools.eligibility import Concentration, Excess, Rules, Value
from contracts.pools.loading import Refusal, entrant
from contracts.pools.rows import AssetRow

_SALT: Final = bytes(16)
"""Ids do not matter to rules."""


@dataclass(frozen=True, slots=True)
class Examined:
    """One asset as rules see it."""

    line: int
    """Of the file; of a book the asset's index."""
    reference: str
    balance: int
    fields: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Examination:
    """What rules say of assets."""

    assets: int
    refused: int
    """Assets that the rules do not take; each was told."""
    excesses: tuple[Excess, ...]
    """Values that have a larger share of the balance of those taken than the rules allow."""


def examine(
    assets: Iterable[Examined], rules: Rules, refuse: Callable[[Refusal], None] | None = None
) -> Examination:
    """Hold assets against rules. Raises what reading them does, and `RulesError`."""
    limits = Concentration(rules.limits)
    count = refused = 0
    for one in assets:
        count += 1
        if reasons := rules.reasons(one.fields):
            refused += 1
            if refuse:
                refuse(Refusal(one.line, one.reference, reasons))
            continue
        limits.add(one.fields, one.balance)
    return Examination(count, refused, limits.excesses())


def examined_rows(rows: Iterable[AssetRow]) -> Iterator[Examined]:
    """Lines of a file of new assets. Raises `AssetRefused`."""
    for row in rows:
        found = entrant(row, _SALT)
        yield Examined(row.line, row.reference, found.asset.balance, dict(found.fields))
