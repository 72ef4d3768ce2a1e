"""A commitment to rows, of which one row or one field can be shown alone."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.tables import (
    Commitment,
    CommittedTable,
    DocumentInvalid,
    FieldUnknown,
    Hidden,
    Opening,
    OpeningInvalid,
    Shown,
    Table,
    TablesError,
    check_opening,
    commit,
)

pytestmark = pytest.mark.feature("D1")

SECRET = bytes(range(32))


def table(rows: int = 7) -> Table:
    power = np.arange(rows) * 37 % 11 * 1234.5678 - 2e-5
    power[0] = np.nan
    return Table(
        tuple(f"91110000MA{n:03d}" for n in range(rows)),
        {"power": power, "orders": np.arange(rows, dtype=np.float64)},
    )


def test_the_root_is_that_of_the_trees_as_they_are_written_down() -> None:
    one = Table(("x",), {"b": np.array([1.5]), "a": np.array([np.nan])})
    opening = CommittedTable(one, SECRET).open("x")
    cells = [
        b'["","%b","x"]' % opening.shown[0].salt.encode(),
        b'["a","%b",null]' % opening.shown[1].salt.encode(),
        b'["b","%b",1.5]' % opening.shown[2].salt.encode(),
    ]

    def h(data: bytes) -> bytes:
        return sha256(data).digest()

    leaves = [h(b"\0" + cell) for cell in cells]
    row = h(b"\1" + h(b"\1" + leaves[0] + leaves[1]) + leaves[2])
    assert commit(one, SECRET) == Commitment(h(b"\0" + row), 1, ("a", "b"))


def test_this_table_and_secret_have_this_root_for_ever() -> None:
    root = commit(table(), SECRET).root.hex()
    assert root == "7529a815f9b9e36bd2a05f74a5d4ed2c63923aa5418d761e473c1a6ecd45ad6f"


def test_neither_the_order_of_rows_nor_of_columns_matters() -> None:
    turned = table().take(np.array([3, 1, 6, 0, 2, 5, 4])).select(["orders", "power"])
    assert commit(turned, SECRET) == commit(table(), SECRET)


def test_every_value_id_name_and_the_secret_matter() -> None:
    base = table()
    changed = dict(base.columns)
    changed["orders"] = np.nextafter(base.column("orders"), np.inf)
    renamed = {"power": base.column("power"), "Orders": base.column("orders")}
    roots = {
        commit(made, secret).root
        for made, secret in (
            (base, SECRET),
            (base, SECRET + b"\0"),
            (Table(base.ids, changed), SECRET),
            (Table(base.ids, renamed), SECRET),
            (Table(("new", *base.ids[1:]), base.columns), SECRET),
            (base.take(np.arange(6)), SECRET),
        )
    }
    assert len(roots) == 6


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 8])
def test_each_row_and_each_single_field_can_be_shown_alone(rows: int) -> None:
    made = table(rows)
    committed = CommittedTable(made, SECRET)
    for row, name in enumerate(made.ids):
        values = check_opening(committed.commitment, committed.open(name))
        assert values.pop("") == name
        power = made.column("power")[row]
        assert values == {
            "orders": float(row),
            "power": None if np.isnan(power) else float(power),
        }
        for field, value in values.items():
            opening = committed.open(name, [field])
            assert check_opening(committed.commitment, opening) == {field: value}
            assert Opening.from_json(opening.to_json()) == opening


def test_what_is_not_shown_is_not_in_the_opening() -> None:
    committed = CommittedTable(table(), SECRET)
    everything = committed.open("91110000MA003")
    text = committed.open("91110000MA003", ["orders"]).to_json().decode()
    assert "91110000" not in text
    for cell in everything.shown:
        assert (cell.salt in text) == (cell.place == 1)
    assert len({cell.salt for cell in everything.shown}) == 3


def test_a_changed_opening_is_refused_whatever_was_changed() -> None:
    committed = CommittedTable(table(), SECRET)
    commitment, opening = committed.commitment, committed.open("91110000MA003", ["orders"])
    shown, hidden = opening.shown[0], opening.hidden[0]
    for wrong in (
        replace(opening, index=2),
        replace(opening, index=7),
        replace(opening, path=opening.path[:-1]),
        replace(opening, path=(bytes(32), *opening.path[1:])),
        replace(opening, shown=(replace(shown, value=4.0),)),
        replace(opening, shown=(replace(shown, value=None),)),
        replace(opening, shown=(replace(shown, value="3"),)),
        replace(opening, shown=(replace(shown, salt="0" * 32),)),
        replace(opening, shown=(replace(shown, place=0),)),
        replace(opening, shown=()),
        replace(opening, shown=(shown, shown)),
        replace(opening, hidden=(hidden, Hidden(9, hidden.hash))),
        replace(opening, hidden=(Hidden(hidden.place, bytes(32)), *opening.hidden[1:])),
    ):
        with pytest.raises(OpeningInvalid):
            check_opening(commitment, wrong)
    with pytest.raises(OpeningInvalid):
        check_opening(replace(commitment, rows=4), opening)
    with pytest.raises(OpeningInvalid):
        check_opening(replace(commitment, fields=("orders2", "power")), opening)
    assert check_opening(commitment, opening) == {"orders": 3.0}


@settings(max_examples=30)
@given(
    st.lists(st.floats(allow_infinity=False), min_size=1, max_size=6),
    st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=8),
)
def test_every_number_and_every_id_can_be_committed_to_and_shown(
    values: list[float], name: str
) -> None:
    if not name.isprintable():
        return
    made = Table(tuple(f"{name}{n}" for n in range(len(values))), {"a": np.array(values)})
    committed = CommittedTable(made, SECRET)
    for row, value in enumerate(values):
        opening = Opening.from_json(committed.open(made.ids[row]).to_json())
        shown = check_opening(committed.commitment, opening)
        assert shown[""] == made.ids[row]
        assert shown["a"] == (None if np.isnan(value) else value)


def test_documents_are_read_strictly() -> None:
    committed = CommittedTable(table(), SECRET)
    assert Commitment.from_json(committed.commitment.to_json()) == committed.commitment
    good = json.loads(committed.commitment.to_json())
    for wrong in (
        {**good, "extra": 1},
        {**good, "rows": "7"},
        {**good, "rows": -1},
        {**good, "root": good["root"].upper()},
        {**good, "fields": ["power", "orders"]},
        {**good, "fields": ["power", "power"]},
        {**good, "format": "tallystick-commitment/2"},
        {key: value for key, value in good.items() if key != "root"},
    ):
        with pytest.raises(DocumentInvalid, match="commitment"):
            Commitment.from_json(json.dumps(wrong).encode())
    text = committed.commitment.to_json()
    twice = text[:-1] + b',"rows":7}'
    large = text[:-1] + b" " * 5_000_000 + b"}"
    for unreadable, reason in (
        (b"{", "commitment"),
        (b"\xff", "UTF-8"),
        (twice, "twice"),
        (large, "bytes"),
    ):
        with pytest.raises(DocumentInvalid, match=reason):
            Commitment.from_json(unreadable)
    opening = json.loads(committed.open("91110000MA003", ["orders"]).to_json())
    opening["shown"][0]["value"] = "1.5"  # a number has one form only
    with pytest.raises(OpeningInvalid):
        check_opening(committed.commitment, Opening.from_json(json.dumps(opening).encode()))


@pytest.mark.parametrize(
    ("cell", "value"), [("1e+20", 1e20), ("1e20", None), ("1.5", None), ("inf", None), ("x", None)]
)
def test_a_number_beyond_what_json_holds_exactly_is_text_in_one_form_only(
    cell: str, value: float | None
) -> None:
    """Also where the owner committed to another form: two readers would see two values."""
    salt = "0" * 32
    leaves = [
        sha256(b'\0["","%b","x"]' % salt.encode()).digest(),
        sha256(b'\0["a","%b","%b"]' % (salt.encode(), cell.encode())).digest(),
    ]
    row = sha256(b"\1" + b"".join(leaves)).digest()
    commitment = Commitment(sha256(b"\0" + row).digest(), 1, ("a",))
    opening = Opening(0, (), (Shown(0, salt, "x"), Shown(1, salt, cell)), ())
    if value is None:
        with pytest.raises(OpeningInvalid, match="beyond"):
            check_opening(commitment, opening)
    else:
        assert check_opening(commitment, opening) == {"": "x", "a": value}


def test_short_secrets_unknown_rows_and_unknown_fields_are_refused() -> None:
    with pytest.raises(TablesError, match="15 bytes"):
        commit(table(), b"x" * 15)
    committed = CommittedTable(table(), SECRET)
    with pytest.raises(TablesError, match="no row"):
        committed.open("nobody")
    with pytest.raises(FieldUnknown):
        committed.open("91110000MA003", ["secret"])
