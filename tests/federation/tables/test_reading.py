"""Reading rows from CSV: strictly, and saying where it is wrong."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.tables import TableInvalid, read_csv
from federation.tables import reading as module

pytestmark = pytest.mark.feature("D1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows.csv"


def test_numbers_missing_values_and_quoted_cells_are_read(path: Path) -> None:
    path.write_bytes(
        '\ufeffid,power,"orders, placed"\r\n"a ""1""",1.5,-2e3\r\n公司,NA,\r\n'.encode()
    )
    table = read_csv(path)
    assert table.ids == ('a "1"', "公司")
    assert table.fields == ("power", "orders, placed")
    assert table.column("power").tolist()[0] == 1.5
    assert math.isnan(table.column("power")[1])
    assert table.column("orders, placed")[0] == -2000.0


def test_only_the_wanted_fields_are_looked_at_in_the_order_wanted(path: Path) -> None:
    path.write_text("name,a,firm,b\nworks,1,x,2\nmills,3,y,4\n")
    table = read_csv(path, id_field="firm", fields=["b", "a"])
    assert (table.ids, table.fields) == (("x", "y"), ("b", "a"))


@pytest.mark.parametrize(
    ("text", "line", "column", "reason"),
    [
        ("", 0, None, "empty"),
        ("id,a\n", 0, None, "no rows"),
        ("name,a\nx,1\n", 1, None, "no column 'id'"),
        ("id,a,a\nx,1,2\n", 1, None, "more than once"),
        ("id, a\nx,1\n", 1, None, "space"),
        ("id,\nx,1\n", 1, None, "field name"),
        ("id,a\nx,1\ny\n", 3, None, "1 cells, the header has 2"),
        ("id,a\nx,1,2\n", 2, None, "3 cells"),
        ("id,a\nx,1\n\ny,2\n", 3, None, "0 cells"),
        ("id,a\n,1\n", 2, "id", "empty"),
        ("id,a\n x,1\n", 2, "id", "space"),
        ('id,a\n"x\ny",1\n', 3, "id", "printable"),
        (f"id,a\n{'x' * 201},1\n", 2, "id", "200"),
        ("id,a\nx,1\ny,2\nx,3\nx,4\n", 4, "id", "line 2 already; so it is with 2 rows"),
        ("id,a\nx,one\n", 2, "a", "decimal"),
        ("id,a\nx,1_000\n", 2, "a", "decimal"),
        ("id,a\nx, 1\n", 2, "a", "decimal"),
        ("id,a\nx,nan\n", 2, "a", "decimal"),
        ("id,a\nx,NAN\n", 2, "a", "decimal"),
        ("id,a\nx,N\n", 2, "a", "decimal"),
        ("id,a\nx,١\n", 2, "a", "decimal"),
        ("id,a\nx,inf\n", 2, "a", "decimal"),
        ("id,a\nx,1e\n", 2, "a", "decimal"),
        ("id,a\nx,0x10\n", 2, "a", "decimal"),
        ("id,a\nx,-\n", 2, "a", "decimal"),
        ("id,a\nx,1e999\n", 2, "a", "64 bits"),
        ('id,a\nx,"1\n', 2, None, "not CSV"),
        ('id,a\nx,"1"2\n', 2, None, "not CSV"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    path: Path, text: str, line: int, column: str | None, reason: str
) -> None:
    path.write_text(text)
    with pytest.raises(TableInvalid, match=reason) as raised:
        read_csv(path)
    assert (raised.value.line, raised.value.column) == (line, column)
    assert str(raised.value).startswith("rows.csv")


def test_a_message_shows_no_value(path: Path) -> None:
    path.write_text("id,a\nx,secret-8642\n")
    with pytest.raises(TableInvalid) as raised:
        read_csv(path)
    assert "8642" not in str(raised.value)


def test_lines_are_counted_beyond_the_first_block_and_across_quoted_breaks(path: Path) -> None:
    rows = "".join(f'r{n},"two\nlines",{n}\n' for n in range(10_000))
    path.write_text(f"id,note,a\n{rows}bad,,x\n")
    with pytest.raises(TableInvalid) as raised:
        read_csv(path, fields=["a"])
    assert raised.value.line == 20_002


def test_what_is_no_utf_8_is_refused(path: Path) -> None:
    path.write_bytes(b"id,a\nx\xff,1\n")
    with pytest.raises(TableInvalid, match="UTF-8"):
        read_csv(path)


def test_a_missing_file_an_id_among_the_fields_and_an_unknown_field_are_refused(
    path: Path,
) -> None:
    with pytest.raises(TableInvalid, match="cannot be read"):
        read_csv(path)
    path.write_text("id,a\nx,1\n")
    with pytest.raises(TableInvalid, match="field as well"):
        read_csv(path, fields=["id"])
    with pytest.raises(TableInvalid, match="'b'"):
        read_csv(path, fields=["b"])


def test_bounds_are_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text("id,a\n" + "".join(f"r{n},{n}\n" for n in range(20)))
    with pytest.raises(TableInvalid, match="bytes, at most"):
        read_csv(path, size_bytes_max=10)
    monkeypatch.setattr(module, "ROWS_MAX", 19)
    with pytest.raises(TableInvalid, match="more than 19 rows"):
        read_csv(path)
    monkeypatch.setattr(module, "LINE_CHARACTERS_MAX", 50)
    path.write_text("id,a\nx," + "1" * 100 + "\n")
    with pytest.raises(TableInvalid, match="50 characters"):
        read_csv(path)


cells = st.one_of(st.floats(allow_nan=True, allow_infinity=False), st.integers(-(10**6), 10**6))


@settings(max_examples=40)
@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=30))
def test_what_is_written_is_read_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, float]]
) -> None:
    path = tmp_path_factory.mktemp("csv") / "rows.csv"
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["id", "a", "b"])
    for number, row in enumerate(rows):
        writer.writerow([f"r{number}", *("" if value != value else repr(value) for value in row)])
    path.write_text(text.getvalue(), newline="")
    read = read_csv(path).matrix()
    assert np.array_equal(read, np.array(rows, dtype=np.float64), equal_nan=True)


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_rubbish_is_refused_and_nothing_else_happens(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "rubbish.csv"
    path.write_bytes(b"id,a\n" + data)
    try:
        table = read_csv(path)
    except TableInvalid:
        return
    assert table.rows >= 1
