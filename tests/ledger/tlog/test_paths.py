"""Names and contents of tiles as resources."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.tlog import EntryMalformed, TilePath, TlogError, decode_entries, encode_entries

pytestmark = pytest.mark.feature("L4")


@pytest.mark.parametrize(
    ("path", "parsed"),
    [
        ("tile/0/000", TilePath(0, 0)),
        ("tile/0/x001/x234/067", TilePath(0, 1_234_067)),
        ("tile/63/999", TilePath(63, 999)),
        ("tile/1/x001/000.p/17", TilePath(1, 1000, 17)),
        ("tile/entries/x273/001.p/255", TilePath(None, 273_001, 255)),
    ],
)
def test_the_specification_s_spellings(path: str, parsed: TilePath) -> None:
    assert TilePath.parse(path) == parsed
    assert str(parsed) == path


@given(st.one_of(st.none(), st.integers(0, 63)), st.integers(0, 2**63 - 1), st.integers(1, 256))
def test_every_tile_has_one_path(level: int | None, index: int, width: int) -> None:
    place = TilePath(level, index, width)
    assert TilePath.parse(str(place)) == place


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/0",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/999",
        "tile/0/000/",
        "/tile/0/000",
        "tile/entries/0",
        "tile/0/../../etc/passwd",
        "tile/0/٠٠٠",
        "tile/0/000\n",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
    ],
)
def test_any_other_spelling_is_refused(path: str) -> None:
    with pytest.raises(TlogError):
        TilePath.parse(path)


@given(st.lists(st.binary(max_size=300), max_size=256))
def test_bundles_of_entries_come_back(entries: list[bytes]) -> None:
    assert decode_entries(encode_entries(entries)) == tuple(entries)


def test_lengths_are_two_bytes_big_endian() -> None:
    assert encode_entries([b"ab", b"", b"c" * 258]) == b"\0\2ab\0\0\1\2" + b"c" * 258


def test_bounds_of_bundles() -> None:
    encode_entries([b"x" * 65_535])
    with pytest.raises(EntryMalformed, match="65536 bytes"):
        encode_entries([b"x" * 65_536])
    with pytest.raises(EntryMalformed, match="257 entries"):
        encode_entries([b""] * 257)
    with pytest.raises(EntryMalformed, match="more than 256"):
        decode_entries(b"\0\0" * 257)


@given(st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=5), st.data())
def test_a_cut_bundle_is_refused_or_shorter(entries: list[bytes], data: st.DataObject) -> None:
    bundle = encode_entries(entries)
    cut = bundle[: data.draw(st.integers(0, len(bundle) - 1))]
    try:
        assert len(decode_entries(cut)) < len(entries)
    except EntryMalformed as error:
        assert "ends within entry" in str(error)  # noqa: PT017 - either outcome is right
