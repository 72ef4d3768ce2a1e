"""Writing rows as CSV."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.tables import Table, TableMalformed, TablesError, read_csv, write_csv

pytestmark = pytest.mark.feature("D1")

numbers = st.one_of(
    st.floats(allow_infinity=False),
    st.integers(-(2**60), 2**60).map(float),
    st.sampled_from([0.0, -0.0, 1e15, 1e16, 5e-324]),
)


@settings(max_examples=40)
@given(st.lists(numbers, min_size=1, max_size=30))
def test_every_number_comes_back_to_the_bit_and_the_sign_of_zero(
    tmp_path_factory: pytest.TempPathFactory, values: list[float]
) -> None:
    path = tmp_path_factory.getbasetemp() / "written.csv"
    array = np.array(values)
    table = Table(tuple(f'firm, "{n}"' for n in range(len(values))), {"a, b": array})
    write_csv(table, path, id_field="firm")
    back = read_csv(path, id_field="firm")
    assert back == table
    present = ~np.isnan(array)
    assert back.column("a, b")[present].tobytes() == array[present].tobytes()


def test_whole_numbers_have_no_point_and_missing_ones_are_empty(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    write_csv(Table(("x", "y"), {"a": np.array([3.0, np.nan]), "b": np.array([0.5, -2])}), path)
    assert path.read_bytes() == b"id,a,b\nx,3,0.5\ny,,-2\n"


def test_a_table_of_many_blocks_is_written_whole(tmp_path: Path) -> None:
    table = Table(tuple(f"r{n}" for n in range(10_000)), {"a": np.arange(10_000.0)})
    write_csv(table, tmp_path / "rows.csv")
    assert read_csv(tmp_path / "rows.csv") == table


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableMalformed, match="name of the id"):
        write_csv(Table(("x",), {"id": np.zeros(1)}), tmp_path / "rows.csv")
    with pytest.raises(TablesError, match="cannot be written"):
        write_csv(Table(("x",), {"a": np.zeros(1)}), tmp_path / "nowhere" / "rows.csv")
