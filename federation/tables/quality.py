"""How good a table is, told without telling of any one row (see `disclosure`)."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, TypeAdapter

from federation.documents import STRICT, decode, encode
from federation.measures import psi, psi_of_counts
from federation.tables.disclosure import COUNT_BOUND, told_count
from federation.tables.errors import DocumentInvalid
from federation.tables.table import FIELD_CHARACTERS_MAX, FIELDS_MAX, ROWS_MAX, Table

SPIKES_MAX = 5
SPIKE_SHARE = 0.02
"""Share of present rows from which on one value may be a default."""
SPIKE_OVER_NEIGHBOURS = 5
"""How many times as often as the values next to it it then occurs."""
DISTINCT_MIN = 20
"""Fields of fewer values have none that is out of the ordinary."""
FENCE = 3.0
"""Outliers lie further outside the quartiles than so many times their distance (Tukey's outer
fences, Exploratory Data Analysis, 1977)."""
MISSING_SHARE = 0.3
OUTLIER_SHARE = 0.01
DRIFT_ROWS_MIN = 100
DRIFT_WATCH = 0.1
"""From these on a finding says so."""

Count = Annotated[int, Field(ge=0, le=ROWS_MAX + COUNT_BOUND, multiple_of=COUNT_BOUND)]
Name = Annotated[str, Field(min_length=1, max_length=FIELD_CHARACTERS_MAX)]
_HIDDEN_FIELDS_MIN = 2


@dataclass(frozen=True, slots=True)
class Spike:
    """One value that occurs far more often than others: mostly a default that was filled in."""

    value: float
    rows: Count
    __pydantic_config__: ClassVar[ConfigDict] = STRICT


@dataclass(frozen=True, slots=True)
class FieldQuality:
    """One field. Counts are of rows, in multiples of `COUNT_BOUND`."""

    name: Name
    present: Count
    missing: Count
    constant: bool
    """All present rows have the same value (which is not told)."""
    distinct: Count
    """About how many values there are."""
    spikes: Annotated[tuple[Spike, ...], Field(max_length=SPIKES_MAX)]
    outliers_low: Count
    outliers_high: Count
    drift: Annotated[float, Field(ge=0)] | None
    """Population stability index against the other table, of such counts; None without one, or
    with too few rows."""
    __pydantic_config__: ClassVar[ConfigDict] = STRICT


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a reader should know before the rest."""

    kind: Literal[
        "few-rows", "ids-alike", "rows-alike", "missing", "constant", "spike", "outliers", "drift"
    ]
    field: Name | None
    """None: the table as a whole."""
    text: Annotated[str, Field(max_length=200)]
    __pydantic_config__: ClassVar[ConfigDict] = STRICT


@dataclass(frozen=True, slots=True)
class QualityReport:
    """A table's quality; in canonical JSON its hash stands on the ledger."""

    rows: Count
    ids_alike: Count
    """Rows whose ids differ from another's only in case, width, spaces or punctuation: mostly one
    firm written in two ways, which alignment would miss."""
    rows_alike: Count
    """Rows that have all values like another's, under another id."""
    fields: Annotated[tuple[FieldQuality, ...], Field(max_length=FIELDS_MAX)]
    """In the order of their names."""
    findings: Annotated[tuple[Finding, ...], Field(max_length=8 * FIELDS_MAX)]
    count_bound: Literal[10] = 10
    """Counts are multiples of it; where there are any, at least that."""
    format: Literal["tallystick-quality/1"] = "tallystick-quality/1"
    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    def to_json(self) -> bytes:
        """Canonical JSON."""
        return encode(_REPORT, self)

    @staticmethod
    def from_json(data: bytes) -> QualityReport:
        """What `to_json` wrote. Raises `DocumentInvalid`."""
        return decode(_REPORT, data, "quality report", DocumentInvalid)


_REPORT = TypeAdapter(QualityReport)


def quality(table: Table, *, against: Table | None = None) -> QualityReport:
    """The report of a table; `against`: an earlier one, from which drift is measured field by
    field (those that both have)."""
    fields = tuple(_field(name, table, against) for name in sorted(table.fields))
    ids_alike = told_count(_ids_alike(table.ids))
    rows_alike = told_count(_rows_alike(table))
    rows = told_count(table.rows)
    findings = [
        *_findings_of_rows(table.rows, ids_alike, rows_alike),
        *(finding for field in fields for finding in _findings(field)),
    ]
    return QualityReport(rows, ids_alike, rows_alike, fields, tuple(findings))


def _field(name: str, table: Table, against: Table | None) -> FieldQuality:
    values = table.column(name)
    present = values[~np.isnan(values)]
    found, counts = np.unique(present, return_counts=True)
    low, high = _outliers(present)
    drift = None
    if against is not None and name in against.columns:
        drift = _drift(against.column(name), values)
    return FieldQuality(
        name=name,
        present=told_count(present.size),
        missing=told_count(values.size - present.size),
        constant=found.size == 1 and present.size >= COUNT_BOUND,
        distinct=told_count(found.size),
        spikes=_spikes(found, counts, present.size),
        outliers_low=told_count(low),
        outliers_high=told_count(high),
        drift=drift,
    )


def _spikes(
    values: NDArray[np.float64], counts: NDArray[np.int64], present: int
) -> tuple[Spike, ...]:
    if values.size < DISTINCT_MIN:
        return ()
    often = max(COUNT_BOUND, SPIKE_SHARE * present)
    places = np.flatnonzero(
        (counts >= often) & (counts >= SPIKE_OVER_NEIGHBOURS * _next_to(counts))
    )
    places = places[np.argsort(-counts[places], kind="stable")][:SPIKES_MAX]
    return tuple(Spike(float(values[p]), told_count(int(counts[p]))) for p in places.tolist())


def _next_to(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean of the counts of the two values below and the two above, of those that there are."""
    around = np.zeros(counts.size)
    number = np.zeros(counts.size)
    for step in (1, 2):
        for here, there in ((slice(step, None), slice(-step)), (slice(-step), slice(step, None))):
            around[here] += counts[there]
            number[here] += 1
    return around / number


def _outliers(present: NDArray[np.float64]) -> tuple[int, int]:
    if present.size < COUNT_BOUND:
        return 0, 0
    # Made small, so that the distance of the largest doubles stays finite.
    small = present / 8
    first, third = np.quantile(small, (0.25, 0.75))
    reach = FENCE * (third - first)
    if reach == 0.0:
        return 0, 0
    return int((small < first - reach).sum()), int((small > third + reach).sum())


def _drift(before: NDArray[np.float64], after: NDArray[np.float64]) -> float | None:
    if min(before.size, after.size) < DRIFT_ROWS_MIN:
        return None
    exact = psi(before, after)
    counts = [
        [told_count(round(share * rows)) for share in shares]
        for shares, rows in ((exact.reference, before.size), (exact.current, after.size))
    ]
    return round(psi_of_counts(*counts).psi, 3)


def _ids_alike(ids: tuple[str, ...]) -> int:
    counts = Counter(
        "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name).casefold())) for name in ids
    )
    return sum(count for count in counts.values() if count > 1)


def _rows_alike(table: Table) -> int:
    """Rows that share all their values, by a 64-bit hash of them.

    Of a single field, or of missing values alone, sharing means nothing.
    """
    if len(table.fields) < _HIDDEN_FIELDS_MIN:
        return 0
    mixed = np.zeros(table.rows, dtype=np.uint64)
    known = np.zeros(table.rows, dtype=np.bool_)
    for column in table.columns.values():
        missing = np.isnan(column)
        known |= ~missing
        bits = np.where(missing, np.inf, column + 0.0).view(np.uint64)
        mixed = _mix(mixed ^ bits)
    counts = np.unique(mixed[known], return_counts=True)[1]
    return int(counts[counts > 1].sum())


def _mix(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): every bit counts."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def _findings_of_rows(rows: int, ids_alike: int, rows_alike: int) -> list[Finding]:
    found: list[Finding] = []
    if rows < DRIFT_ROWS_MIN:
        found.append(Finding("few-rows", None, f"fewer than {DRIFT_ROWS_MIN} rows"))
    if ids_alike:
        found.append(
            Finding("ids-alike", None, f"about {ids_alike} rows have ids that are nearly another's")
        )
    if rows_alike:
        found.append(
            Finding("rows-alike", None, f"about {rows_alike} rows have all values of another")
        )
    return found


def _findings(field: FieldQuality) -> list[Finding]:
    found: list[Finding] = []
    rows = field.present + field.missing
    if field.missing > MISSING_SHARE * rows:
        share = 100 * field.missing / rows
        found.append(Finding("missing", field.name, f"about {share:.0f} % of rows are missing"))
    if field.constant:
        found.append(Finding("constant", field.name, "all rows have the same value"))
    for spike in field.spikes:
        text = f"about {spike.rows} rows have the value {spike.value:g}"
        found.append(Finding("spike", field.name, text))
    outliers = field.outliers_low + field.outliers_high
    if outliers > OUTLIER_SHARE * field.present:
        found.append(Finding("outliers", field.name, f"about {outliers} rows lie far outside"))
    if field.drift is not None and field.drift >= DRIFT_WATCH:
        text = f"its distribution has moved: stability index {field.drift:g}"
        found.append(Finding("drift", field.name, text))
    return found
