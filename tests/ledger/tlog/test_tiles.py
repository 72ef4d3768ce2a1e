"""Tiles hold the same tree as RFC 6962 lists do, however it grew."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.tlog import (
    EMPTY_ROOT,
    TILE_SIZE_BYTES,
    TILE_WIDTH,
    TileMissing,
    TileOverlay,
    append_leaves,
    consistency_path,
    consistency_proof,
    inclusion_path,
    inclusion_proof,
    leaf_hash,
    root_of,
    tile_width,
    tree_root,
    verify_consistency,
    verify_inclusion,
)

pytestmark = pytest.mark.feature("L4")

LEAVES = [leaf_hash(index.to_bytes(4, "big")) for index in range(70_000)]
SIZES = st.one_of(
    st.integers(0, 1200),
    st.sampled_from([255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 65_793, 70_000]),
)


class Tiles(dict[tuple[int, int], bytes]):
    def tile(self, level: int, index: int) -> bytes | None:
        return self.get((level, index))


def grown(*chunks: int) -> Tiles:
    """Tiles of a tree that grew by `chunks`."""
    tiles, size = Tiles(), 0
    for chunk in chunks:
        tiles.update(append_leaves(tiles, size, LEAVES[size : size + chunk]))
        size += chunk
    return tiles


WHOLE = grown(70_000)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.one_of(st.integers(0, 5), st.integers(200, 600)), max_size=8))
def test_the_tree_is_the_same_in_whatever_chunks_it_grew(chunks: list[int]) -> None:
    tiles, size = grown(*chunks), sum(chunks)
    assert tiles == grown(size)
    assert tree_root(tiles, size) == root_of(LEAVES[:size])


@settings(deadline=None, max_examples=80)
@given(st.data())
def test_proofs_equal_those_of_the_definition(data: Any) -> None:
    size = data.draw(SIZES.filter(bool))
    index = data.draw(st.one_of(st.integers(0, size - 1), st.just(size - 1)))
    leaves = LEAVES[:size]
    assert tree_root(WHOLE, size) == root_of(leaves)
    path = inclusion_proof(WHOLE, index, size)
    assert path == inclusion_path(leaves, index)
    verify_inclusion(leaves[index], index, size, path, root_of(leaves))


@settings(deadline=None, max_examples=80)
@given(SIZES.filter(bool), SIZES.filter(bool))
def test_any_two_sizes_are_consistent(one: int, other: int) -> None:
    size1, size2 = sorted((one, other))
    path = consistency_proof(WHOLE, size1, size2)
    assert path == consistency_path(LEAVES[:size2], size1)
    verify_consistency(size1, size2, path, tree_root(WHOLE, size1), tree_root(WHOLE, size2))


def test_tiles_hold_what_the_specification_says_of_70_000_leaves() -> None:
    full = {(0, index): TILE_SIZE_BYTES for index in range(273)} | {(1, 0): TILE_SIZE_BYTES}
    partial = {(0, 273): 112 * 32, (1, 1): 17 * 32, (2, 0): 32}
    assert {place: len(tile) for place, tile in WHOLE.items()} == full | partial
    for (level, index), tile in WHOLE.items():
        assert tile_width(70_000, level, index) * 32 == len(tile)
    assert tile_width(70_000, 0, 274) == 0
    assert tile_width(256, 1, 0) == 1
    assert WHOLE[1, 0][:32] == root_of(LEAVES[:256])
    assert WHOLE[2, 0] == root_of(LEAVES[:65_536])


def test_only_changed_tiles_come_back_whole() -> None:
    tiles = grown(300)
    changed = append_leaves(tiles, 300, LEAVES[300:302])
    assert changed.keys() == {(0, 1)}
    assert changed[0, 1] == b"".join(LEAVES[256:302])
    assert append_leaves(tiles, 300, []) == {}


def test_appending_trusts_the_size_and_not_what_lies_beyond_it() -> None:
    tiles = grown(300)
    assert append_leaves(tiles, 290, LEAVES[290:310]) == append_leaves(
        grown(290), 290, LEAVES[290:310]
    )


def test_an_overlay_answers_before_anything_is_stored() -> None:
    stored = grown(500)
    before = dict(stored)
    changed = append_leaves(stored, 500, LEAVES[500:600])
    assert tree_root(TileOverlay(stored, changed), 600) == root_of(LEAVES[:600])
    assert dict(stored) == before


def test_an_empty_tree_has_the_empty_root() -> None:
    assert tree_root(Tiles(), 0) == EMPTY_ROOT


@pytest.mark.parametrize("lost", [(0, 0), (0, 1), (1, 0)])
def test_a_missing_tile_is_named(lost: tuple[int, int]) -> None:
    tiles = grown(700)
    del tiles[lost]
    with pytest.raises(TileMissing, match=f"tile {lost[1]} of level {lost[0]}"):
        [inclusion_proof(tiles, index, 700) for index in (0, 300, 699)]


def test_a_tile_too_narrow_is_named() -> None:
    tiles = grown(100)
    with pytest.raises(TileMissing, match="100 hashes stored"):
        tree_root(tiles, 101)
    with pytest.raises(TileMissing):
        append_leaves(tiles, 101, LEAVES[:1])


@pytest.mark.parametrize(("index", "size"), [(-1, 10), (10, 10), (0, 0)])
def test_an_index_outside_the_tree_is_refused(index: int, size: int) -> None:
    with pytest.raises(IndexError):
        inclusion_proof(WHOLE, index, size)


@pytest.mark.parametrize(("size1", "size2"), [(0, 10), (11, 10), (-1, 10)])
def test_sizes_out_of_order_are_refused(size1: int, size2: int) -> None:
    with pytest.raises(IndexError):
        consistency_proof(WHOLE, size1, size2)


def test_appending_keeps_up_with_the_chain() -> None:
    """20,000 leaves a second at least, with the root after every block of 100."""
    tiles, size = Tiles(), 0
    start = time.perf_counter()
    while size < 20_000:
        tiles.update(append_leaves(tiles, size, LEAVES[size : size + 100]))
        size += 100
        tree_root(tiles, size)
    assert time.perf_counter() - start < 1
    assert len(tiles[0, 0]) == TILE_WIDTH * 32
