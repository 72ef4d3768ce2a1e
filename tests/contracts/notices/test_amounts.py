"""Amounts and quantities are decimal text in every notice, whatever event they come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from eth_abi.abi import encode

from contracts.abi import canonical_type
from contracts.artifact import Artifact
from contracts.financing.genesis import (
    APPLICATIONS_ARTIFACT,
    FINANCING_ARTIFACT,
    PRICING_ARTIFACT,
)
from contracts.instruments.notices import Json, Notice, as_json
from contracts.models.genesis import MODELS_ARTIFACT, RELEASES_ARTIFACT, RUNS_ARTIFACT
from contracts.notices.sources import SOURCES
from contracts.pledges.genesis import PLEDGES_ARTIFACT
from contracts.pools.genesis import POOL_BOOK_ARTIFACT, POOLS_ARTIFACT
from contracts.receipts.genesis import RECEIPTS_ARTIFACT
from contracts.receivables.genesis import RECEIVABLES_ARTIFACT
from contracts.settlement.genesis import DEPOSITS_ARTIFACT, SETTLEMENT_ARTIFACT
from contracts.stock.genesis import STOCK_ARTIFACT
from ledger.state.keccak import keccak
from ledger.types import Address, Hash32, Log

pytestmark = [pytest.mark.feature("A2"), pytest.mark.feature("A1")]

ARTIFACTS: Mapping[str, Artifact] = {
    "applications": APPLICATIONS_ARTIFACT,
    "deposits": DEPOSITS_ARTIFACT,
    "financing": FINANCING_ARTIFACT,
    "models": MODELS_ARTIFACT,
    "model-releases": RELEASES_ARTIFACT,
    "model-runs": RUNS_ARTIFACT,
    "pledges": PLEDGES_ARTIFACT,
    "pool-book": POOL_BOOK_ARTIFACT,
    "pools": POOLS_ARTIFACT,
    "pricing": PRICING_ARTIFACT,
    "receipts": RECEIPTS_ARTIFACT,
    "receivables": RECEIVABLES_ARTIFACT,
    "settlement": SETTLEMENT_ARTIFACT,
    "stock": STOCK_ARTIFACT,
}
FIRST = 7_000_001
"""Marks of amounts count from here: within 53 bits, where only its name makes a number text."""
WIDER = frozenset({"accrued"})
"""Amounts that are not uint128."""
SELDOM = frozenset({"Advised", "StockMoved", "TablePublished"})
"""Events with amounts of which nobody is told."""


class Specimen:
    """An event of which every amount is a number of its own."""

    def __init__(self, entry: Mapping[str, Any], small: int) -> None:
        self.entry, self.small = entry, small
        self.marks: dict[int, str] = {}

    @property
    def log(self) -> Log:
        inputs = self.entry["inputs"]
        types = [canonical_type(one) for one in inputs]
        topics = [keccak(f"{self.entry['name']}({','.join(types)})".encode())]
        rest: list[tuple[str, object]] = []
        for kind, one in zip(types, inputs, strict=True):
            value = self._value(one, one["type"])
            if one["indexed"]:
                topics.append(encode([kind], [value]))
            else:
                rest.append((kind, value))
        data = encode([kind for kind, _ in rest], [value for _, value in rest])
        return Log(Address(bytes(20)), tuple(Hash32(topic) for topic in topics), data)

    def _value(self, one: Mapping[str, Any], kind: str) -> object:
        if kind.endswith("]"):
            item, _, size = kind[:-1].rpartition("[")
            return [self._value(one, item) for _ in range(int(size or 2))]
        if kind == "tuple":
            return tuple(self._value(part, part["type"]) for part in one["components"])
        if kind == "uint128" or one["name"] in WIDER:
            mark = FIRST + len(self.marks)
            self.marks[mark] = one["name"]
            return mark
        if kind.startswith(("uint", "int")):
            return self.small
        if kind.startswith("bytes"):
            size = int(kind[5:] or 2)
            return (b"CNY" if size == 3 else b"bank").ljust(size, b"\0")
        return {"address": f"0x{'ab' * 20}", "bool": True, "string": "words"}[kind]


@dataclass(frozen=True)
class Told:
    """Notices of one event, and the amounts in it by their marks."""

    marks: Mapping[int, str]
    notices: tuple[Notice, ...]


def told(source: str, entry: Mapping[str, Any]) -> Told:
    """What is told of an event with valid codes: acts, states and kinds are tried out."""
    errors = []
    for small in range(1, 40):
        specimen = Specimen(entry, small)
        log = specimen.log
        try:
            notices = SOURCES[source](log)
        except ValueError as error:
            errors.append(error)
        else:
            if notices:
                return Told(specimen.marks, notices)
            errors.append(ValueError("nothing told"))
    return Told({}, ()) if entry["name"] in SELDOM else pytest.fail(f"{entry['name']}: {errors}")


def numbers(value: Json | Mapping[str, Json]) -> Iterator[int]:
    """Whole numbers in JSON that are no text."""
    if isinstance(value, Mapping):
        for one in value.values():
            yield from numbers(one)
    elif isinstance(value, list):
        for one in value:
            yield from numbers(one)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield value


def with_amounts() -> list[tuple[str, Mapping[str, Any]]]:
    return [
        (source, entry)
        for source, artifact in ARTIFACTS.items()
        for entry in artifact.abi
        if entry["type"] == "event" and "uint128" in str(entry["inputs"])
    ]


def test_every_source_is_looked_at() -> None:
    assert ARTIFACTS.keys() == SOURCES.keys()


@pytest.mark.parametrize(
    ("source", "entry"),
    with_amounts(),
    ids=lambda one: one if isinstance(one, str) else one["name"],
)
def test_every_amount_of_an_event_is_text_in_its_notices(
    source: str, entry: Mapping[str, Any]
) -> None:
    found = told(source, entry)
    for notice in found.notices:
        bare = {found.marks[one] for one in numbers(notice.body) if one in found.marks}
        assert not bare, f"{notice.kind}: {bare} are no text: add them to QUANTITIES"
    if found.notices:
        shown = str([notice.body for notice in found.notices])
        assert any(f"'{mark}'" in shown for mark in found.marks), "no amount is told at all"


@dataclass(frozen=True)
class Odd:
    """Names of amounts on what may be something else."""

    limit: int | None
    overdue: bool
    fees: tuple[int, ...]
    residual: str
    revision: int


def test_only_numbers_become_text() -> None:
    assert as_json(Odd(None, True, (5, 6), "bank", 7)) == {
        "limit": None,
        "overdue": True,
        "fees": ["5", "6"],
        "residual": "bank",
        "revision": 7,
    }
