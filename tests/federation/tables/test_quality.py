"""How good a table is, without telling of any one row."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.generating import WorldSettings, make_world
from federation.tables import (
    COUNT_BOUND,
    DocumentInvalid,
    QualityReport,
    Table,
    quality,
    schema_of,
)

pytestmark = pytest.mark.feature("D1")

ROWS = 2_000


def normal(name: int, rows: int = ROWS) -> np.ndarray:
    return np.random.Generator(np.random.PCG64(name)).normal(size=rows)


def table(**columns: np.ndarray) -> Table:
    rows = len(next(iter(columns.values())))
    return Table(tuple(f"firm{n}x" for n in range(rows)), columns)


def kinds(report: QualityReport) -> set[tuple[str, str | None]]:
    return {(finding.kind, finding.field) for finding in report.findings}


def test_a_good_table_has_no_findings() -> None:
    report = quality(table(a=normal(1), b=normal(2)))
    assert report.findings == ()
    assert (report.rows, report.ids_alike, report.rows_alike) == (2_000, 0, 0)
    assert [field.name for field in report.fields] == ["a", "b"]
    assert report.fields[0].distinct == 2_000


def test_what_is_wrong_is_found() -> None:
    gaps, default, far = normal(1), normal(2), normal(3)
    gaps[:900] = np.nan
    default[:100] = -999.0
    far[:40] = 1e6
    far[40:80] = -1e6
    report = quality(
        table(gaps=gaps, default=default, far=far, same=np.full(ROWS, 7.25), moved=normal(4) + 1),
        against=table(moved=normal(5), gaps=gaps),
    )
    assert kinds(report) == {
        ("missing", "gaps"),
        ("spike", "default"),
        ("outliers", "default"),
        ("spike", "far"),
        ("outliers", "far"),
        ("constant", "same"),
        ("drift", "moved"),
    }
    by_name = {field.name: field for field in report.fields}
    assert by_name["gaps"].missing == 900
    assert by_name["gaps"].drift == 0.0
    assert by_name["same"].drift is None
    assert [(s.value, s.rows) for s in by_name["default"].spikes] == [(-999.0, 100)]
    assert (by_name["far"].outliers_low, by_name["far"].outliers_high) == (40, 40)
    assert by_name["moved"].drift > 0.5
    assert b"7.25" not in report.to_json()  # it would be every row's value


def test_one_firm_written_in_two_ways_is_found() -> None:
    ids = ("91-35 0100M000100Y43", "91350100m000100y43", "９１350100M000100Y43", "other")
    report = quality(Table(ids, {"a": np.arange(4.0)}))
    assert report.ids_alike == COUNT_BOUND  # three, told as about ten
    assert ("ids-alike", None) in kinds(report)
    assert ("few-rows", None) in kinds(report)


def test_ids_of_another_width_or_case_are_alike_and_others_are_not() -> None:
    plain = [f"9135{n:04d}XY" for n in range(20)]
    wide = [name.replace("9135", "９１３５").lower() for name in plain]
    report = quality(Table((*plain, *wide), {"a": np.arange(40.0)}))
    assert report.ids_alike == 40
    assert quality(Table(tuple(plain), {"a": np.arange(20.0)})).ids_alike == 0


def test_rows_that_repeat_another_are_found_gaps_and_signs_of_zero_included() -> None:
    a, b = normal(1), normal(2)
    a[30:60], b[30:60] = a[:30], b[:30]
    a[[3, 33]] = np.nan
    a[4:14], a[34:44] = 0.0, -0.0
    assert quality(table(a=a, b=b)).rows_alike == 60
    b[30:60] += 1
    assert quality(table(a=a, b=b)).rows_alike == 0
    empty = np.full(ROWS, np.nan)
    assert quality(table(a=empty, b=empty)).rows_alike == 0
    assert quality(table(a=np.zeros(ROWS))).rows_alike == 0


def test_fields_of_few_values_have_no_spikes() -> None:
    report = quality(table(flag=(normal(1) > 1.5).astype(float), count=np.rint(normal(2))))
    assert all(field.spikes == () for field in report.fields)


columns = st.lists(
    st.one_of(st.floats(-1e6, 1e6), st.just(float("nan")), st.integers(-3, 3).map(float)),
    min_size=1,
    max_size=80,
)


@settings(max_examples=50)
@given(columns)
def test_no_report_and_no_schema_tells_a_small_count_or_a_value_of_few_rows(
    values: list[float],
) -> None:
    made = table(a=np.array(values))
    report = quality(made)
    (field,) = report.fields
    for count in (
        report.rows, report.ids_alike, report.rows_alike, field.present, field.missing,
        field.distinct, field.outliers_low, field.outliers_high,
    ):  # fmt: skip
        assert count % COUNT_BOUND == 0
    for spike in field.spikes:
        assert values.count(spike.value) >= COUNT_BOUND
    told = schema_of(made).fields[0]
    for end in (told.low, told.high):
        assert end is None or told.kind == "flag" or sum(v == v for v in values) >= 2 * COUNT_BOUND
    assert QualityReport.from_json(report.to_json()) == report


@settings(max_examples=25)
@given(st.lists(st.floats(-1e3, 1e3), min_size=120, max_size=140), st.floats(2e3, 1e6))
def test_one_row_more_or_less_is_hardly_seen(values: list[float], new: float) -> None:
    """One row moves counts by a whole bound or not at all, never by one."""
    without = quality(table(a=np.array(values))).fields[0]
    with_it = quality(table(a=np.array([*values, new]))).fields[0]
    assert (with_it.present - without.present) % COUNT_BOUND == 0
    assert repr(new).encode() not in quality(table(a=np.array([*values, new]))).to_json()


def test_ids_and_single_values_of_a_real_table_are_in_no_document() -> None:
    source = make_world(WorldSettings(firms=1_000)).bank.source
    text = (quality(source.table).to_json() + source.schema().to_json()).decode()
    for name in source.table.ids:
        assert name not in text
    told = set(_numbers(json.loads(quality(source.table).to_json())))
    told |= set(_numbers(json.loads(source.schema().to_json())))
    for field in ("turnover", "leverage", "profit_margin"):
        values, counts = np.unique(source.table.column(field), return_counts=True)
        rare = {float(v) for v in values[counts < COUNT_BOUND] if v == v and v % 10}
        # Ends of ranges are on a grid of two digits; no value of one row with more is told.
        assert not {v for v in rare if len(repr(v).strip("0.-")) > 3} & told


def _numbers(value: object) -> list[float]:
    if isinstance(value, dict):
        return [n for item in value.values() for n in _numbers(item)]
    if isinstance(value, list):
        return [n for item in value for n in _numbers(item)]
    return [float(value)] if isinstance(value, int | float) else []


def test_the_invented_sources_have_the_findings_they_were_given() -> None:
    world = make_world(WorldSettings(firms=4_000))
    found = {
        source.name: {(f.kind, f.field) for f in quality(source.table).findings}
        for source in world.sources
    }
    assert {("spike", "bureau"), ("spike", "overdue_days")} <= found["bank"]
    assert ("spike", "age") not in found["bank"]
    assert ("spike", "order_gap") in found["manufacturer"]
    assert ("spike", "power") in found["platform"]


def test_a_report_is_read_strictly() -> None:
    good = json.loads(quality(table(a=normal(1))).to_json())
    for wrong in (
        {**good, "rows": 2_001},
        {**good, "rows": -10},
        {**good, "more": 1},
        {**good, "countBound": 5},
        {**good, "findings": [{"kind": "other", "field": None, "text": ""}]},
        {**good, "fields": [{**good["fields"][0], "missing": 3}]},
    ):
        with pytest.raises(DocumentInvalid, match="quality report"):
            QualityReport.from_json(json.dumps(wrong).encode())


def test_extreme_and_empty_columns_are_reported() -> None:
    extreme = np.where(np.arange(200) % 2 == 0, 1.7e308, -1.7e308)
    report = quality(table(a=extreme, b=np.full(200, np.nan)), against=table(a=-extreme))
    assert report.fields[1].present == 0
    assert QualityReport.from_json(report.to_json()) == report
    assert quality(Table((), {"a": np.empty(0)})).rows == 0
