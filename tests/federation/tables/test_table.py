"""A table: rows that nobody changes."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from federation.tables import FieldUnknown, Table, TableMalformed, split_label
from tests.federation.credit import TEST_ROWS, is_test_row, load_credit

pytestmark = pytest.mark.feature("D1")


def table(rows: int = 4) -> Table:
    return Table(
        tuple(f"id-{n}" for n in range(rows)),
        {"a": np.arange(rows, dtype=np.float64), "b": np.full(rows, np.nan)},
    )


def test_its_arrays_cannot_be_written_to_nor_can_those_it_was_made_of_change_it() -> None:
    given = np.array([1.0, 2.0])
    made = Table(("x", "y"), {"a": given})
    given[0] = 9.0
    assert made.column("a").tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        made.column("a")[0] = 9.0
    with pytest.raises(TypeError):
        made.columns["a"] = given  # type: ignore[index]


def test_a_read_only_view_of_an_array_that_can_be_written_is_copied() -> None:
    given = np.array([1.0, 2.0, 3.0])
    view = given[:2]
    view.setflags(write=False)
    made = Table(("x", "y"), {"a": view})
    given[0] = 9.0
    assert made.column("a").tolist() == [1.0, 2.0]


def test_an_array_that_nobody_can_write_to_is_not_copied() -> None:
    given = np.array([1.0, 2.0])
    given.setflags(write=False)
    assert Table(("x", "y"), {"a": given}).column("a") is given


def test_rows_are_taken_in_the_order_asked_for() -> None:
    taken = table().take(np.array([2, 0]))
    assert taken.ids == ("id-2", "id-0")
    assert taken.column("a").tolist() == [2.0, 0.0]


@pytest.mark.parametrize("places", [[0, 0], [4], [-1]])
def test_a_row_is_not_taken_twice_nor_from_beyond(places: list[int]) -> None:
    with pytest.raises(TableMalformed):
        table().take(np.array(places))


def test_rows_are_not_taken_by_a_mask() -> None:
    with pytest.raises(TableMalformed, match="whole numbers"):
        table().take(np.array([True, False, True, False]))  # type: ignore[arg-type]


def test_fields_are_selected_left_out_and_laid_side_by_side() -> None:
    made = table()
    assert made.select(["b", "a"]).fields == ("b", "a")
    assert made.without("b").fields == ("a",)
    assert made.matrix(["a"]).shape == (4, 1)
    assert made.matrix().flags.writeable
    for act in (lambda: made.column("c"), lambda: made.select(["c"]), lambda: made.without("c")):
        with pytest.raises(FieldUnknown, match="'c'"):
            act()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Table(("x", "x"), {}), "unique"),
        (lambda: Table(("",), {}), "empty"),
        (lambda: Table(("x\n",), {}), "printed"),
        (lambda: Table(("x" * 201,), {}), "longer"),
        (lambda: Table(("x",), {"a": np.zeros(2)}), "shape"),
        (lambda: Table(("x",), {"a": np.array([np.inf])}), "infinity"),
        (lambda: Table(("x",), {"a": np.array(["1"])}), "numbers"),  # type: ignore[dict-item]
        (lambda: Table(("x",), {" a": np.zeros(1)}), "space"),
        (lambda: Table(("x",), {"a" * 65: np.zeros(1)}), "characters"),
        (lambda: Table(("x",), {str(n): np.zeros(1) for n in range(1001)}), "fields"),
    ],
)
def test_what_makes_no_table_is_refused(make: Callable[[], Table], reason: str) -> None:
    with pytest.raises(TableMalformed, match=reason):
        make()


def test_it_goes_to_another_process_whole_and_still_frozen() -> None:
    made = pickle.loads(pickle.dumps(table()))
    assert made == table()
    assert not made.column("a").flags.writeable


def test_what_is_printed_of_it_shows_no_row() -> None:
    assert repr(Table(("secret-id",), {"a": np.array([8642.5])})) == "Table(1 rows, fields a)"


def test_a_label_is_zero_or_one_and_leaves_the_features() -> None:
    features, label = split_label(
        Table(("x", "y"), {"y": np.array([0.0, 1.0]), "a": np.zeros(2)}), "y"
    )
    assert (features.fields, label.tolist(), label.dtype) == (("a",), [0, 1], np.dtype("uint8"))
    for wrong in (2.0, np.nan):
        with pytest.raises(TableMalformed, match="label"):
            split_label(Table(("x",), {"y": np.array([wrong])}), "y")


def test_the_public_data_has_its_fixed_test_set(shared_data: Path) -> None:
    credit = load_credit(shared_data)
    assert credit.test.size == TEST_ROWS
    assert all(is_test_row(credit.guest.ids[row]) for row in credit.test[:50].tolist())
    assert credit.guest.ids == credit.host.ids
    assert credit.label.sum() == 6_636  # UCI: 22.12 % of 30,000
    assert len(credit.pooled().fields) == 23
