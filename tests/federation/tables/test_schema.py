"""What others may know of a party's fields."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.tables import (
    COUNT_BOUND,
    DocumentInvalid,
    FieldKind,
    FieldUnknown,
    Schema,
    Table,
    TableMalformed,
    schema_of,
)
from federation.tables.disclosure import told_count, told_range

pytestmark = pytest.mark.feature("D1")


def table(rows: int = 100) -> Table:
    generator = np.random.Generator(np.random.PCG64(1))
    return Table(
        tuple(f"r{n}" for n in range(rows)),
        {
            "power": generator.normal(size=rows) * 1000 + 0.123456,
            "orders": np.arange(rows, dtype=np.float64),
            "listed": (np.arange(rows) % 2).astype(np.float64),
            "industry": np.repeat([10.0, 26.0, 99.0], [60, 37, 3])[:rows],
        },
    )


def test_kinds_are_seen_units_and_meanings_told() -> None:
    schema = schema_of(
        table(),
        kinds={"industry": FieldKind.CATEGORY},
        units={"power": "kWh"},
        meanings={"power": "used in the month"},
    )
    assert schema.names == ("industry", "listed", "orders", "power")
    assert [field.kind.value for field in schema.fields] == ["category", "flag", "whole", "number"]
    assert (schema.field("power").unit, schema.field("power").meaning) == (
        "kWh",
        "used in the month",
    )
    assert schema.field("industry").codes == (10, 26)  # three rows have 99
    assert schema.field("industry").low is None
    assert (schema.field("orders").low, schema.field("orders").high) == (9.0, 90.0)


def test_it_goes_to_json_and_back_whatever_the_order_of_columns() -> None:
    schema = schema_of(table())
    assert Schema.from_json(schema.to_json()) == schema
    turned = table().select(["power", "industry", "listed", "orders"])
    assert schema_of(turned).to_json() == schema.to_json()


@settings(max_examples=60)
@given(st.lists(st.floats(-1e12, 1e12), min_size=20, max_size=60))
def test_a_range_tells_no_single_value(values: list[float]) -> None:
    present = np.array(values)
    told = told_range(present)
    if told is None:
        ordered = np.sort(present)
        assert ordered[COUNT_BOUND - 1] == ordered[-COUNT_BOUND]
        return
    for far in (present.min() - 1e6, present.min()):
        # Whatever the lowest row's value is, the same is told.
        moved = present.copy()
        moved[np.argmin(present)] = far
        assert told_range(moved) == told
    ordered = np.sort(present)
    low, high = told
    assert low <= ordered[COUNT_BOUND - 1] <= ordered[-COUNT_BOUND] <= high


def test_ranges_are_rounded_outward_to_two_digits() -> None:
    assert told_range(np.linspace(0.123456, 7.654321, 1000)) == (0.1, 7.6)
    assert told_range(np.full(100, 5.0)) is None
    assert told_range(np.arange(19.0)) is None
    assert told_range(np.array([-1.7e308] * 10 + [1.7e308] * 10)) == (-1.7e308, 1.7e308)


def test_counts_are_multiples_of_the_bound_and_some_is_never_none() -> None:
    assert [told_count(n) for n in (0, 1, 9, 14, 15, 24, 25, 1_004)] == [
        0, 10, 10, 10, 20, 20, 30, 1_000,
    ]  # fmt: skip


def test_of_few_rows_nothing_is_told_but_the_name() -> None:
    schema = schema_of(Table(("x", "y"), {"a": np.array([0.0, 1.0])}))
    assert schema.field("a").kind is FieldKind.NUMBER
    assert schema.field("a").low is None


def test_a_table_is_held_against_a_schema() -> None:
    schema = schema_of(table(), kinds={"industry": FieldKind.CATEGORY})
    schema.require(table())
    with pytest.raises(FieldUnknown, match="power"):
        schema.require(table().without("power"))
    for field in ("listed", "orders", "industry"):
        wrong = dict(table().columns) | {field: np.full(100, 1.5)}
        with pytest.raises(TableMalformed, match=field):
            schema.require(Table(table().ids, wrong))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(FieldUnknown):
        schema_of(table(), units={"nothing": "kWh"})
    with pytest.raises(TableMalformed, match="no flag"):
        schema_of(table(), kinds={"power": FieldKind.FLAG})
    with pytest.raises(DocumentInvalid, match="unit"):
        schema_of(table(), units={"power": "k" * 33})
    good = json.loads(schema_of(table()).to_json())
    for name, value in (("kind", "text"), ("low", "1"), ("name", ""), ("more", 1)):
        wrong = json.loads(json.dumps(good))
        wrong["fields"][0][name] = value
        with pytest.raises(DocumentInvalid):
            Schema.from_json(json.dumps(wrong).encode())
    for fields in (good["fields"][::-1], good["fields"][:1] * 2):
        with pytest.raises(DocumentInvalid):
            Schema.from_json(json.dumps({**good, "fields": fields}).encode())
