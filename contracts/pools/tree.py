"""Merkle trees (RFC 6962, section 2.1) in parts: what a book on disk keeps and rehashes.

A tree of n leaves is cut into tiles eight levels high, as `ledger.tlog` does: tile `i` of level `L`
stands over the entries 256 i … 256 i + 255 of that level; entries of level 0 are leaf hashes, those
of level L + 1 the roots of the tiles of level L. A tile is kept with all its nodes, so that one
changed leaf costs eight hashes for each level of tiles. A node without sibling is carried up
unchanged, which is the tree of RFC 6962.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise
from typing import Final

from ledger.tlog import EMPTY_ROOT

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT
_HASH: Final = 32


@lru_cache(maxsize=TILE_WIDTH + 1)
def _offsets(width: int) -> tuple[tuple[int, int], ...]:
    """(first node, count) of every level of a tile that stands over `width` entries."""
    found, start = [], 0
    while True:
        found.append((start, width))
        if width == 1:
            return tuple(found)
        start, width = start + width, (width + 1) // 2


def build_tile(entries: Sequence[bytes]) -> bytes:
    """All nodes of a tile, level by level, its root last. 1 to 256 entries."""
    level = list(entries)
    nodes = list(level)
    while len(level) > 1:
        above = [
            sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)
        ]
        if len(level) % 2:
            above.append(level[-1])
        nodes += above
        level = above
    return b"".join(nodes)


def change_tile(tile: bytes, width: int, changes: Mapping[int, bytes]) -> bytes:
    """The tile with other entries at some places: only the paths above them are hashed."""
    nodes = bytearray(tile)
    for place, entry in changes.items():
        nodes[_HASH * place : _HASH * (place + 1)] = entry
    touched = {place >> 1 for place in changes}
    levels = _offsets(width)
    for (below, count), (start, _) in pairwise(levels):
        for place in touched:
            left = _HASH * (below + 2 * place)
            if 2 * place + 1 < count:
                node = sha256(b"\x01" + nodes[left : left + 2 * _HASH]).digest()
            else:
                node = bytes(nodes[left : left + _HASH])
            here = _HASH * (start + place)
            nodes[here : here + _HASH] = node
        touched = {place >> 1 for place in touched}
    return bytes(nodes)


def entries_of(tile: bytes, width: int) -> list[bytes]:
    """What the tile stands over."""
    return [tile[_HASH * place : _HASH * (place + 1)] for place in range(width)]


def root_of_tile(tile: bytes) -> bytes:
    """The topmost node."""
    return tile[-_HASH:]


def path_in_tile(tile: bytes, width: int, place: int) -> list[bytes]:
    """Siblings on the way from an entry to the tile's root."""
    path = []
    for start, count in _offsets(width):
        sibling = place ^ 1
        if sibling < count:
            path.append(tile[_HASH * (start + sibling) : _HASH * (start + sibling + 1)])
        place >>= 1
    return path


def tile_levels(size: int) -> Iterator[tuple[int, int]]:
    """(level, entries of that level) of a tree of `size` leaves, up to the level of one tile."""
    level, count = 0, size
    while True:
        yield level, count
        if count <= TILE_WIDTH:
            return
        level, count = level + 1, -(-count // TILE_WIDTH)


def width_of(index: int, count: int) -> int:
    """Entries under tile `index` of a level that has `count` entries."""
    return min(TILE_WIDTH, count - TILE_WIDTH * index)


class RootHasher:
    """The root of a list of leaf hashes that is seen only once; keeps one hash for each level."""

    def __init__(self) -> None:
        self._full: list[tuple[int, bytes]] = []
        self.size = 0

    def add(self, leaf: bytes) -> None:
        """The next leaf hash."""
        height = 0
        while self._full and self._full[-1][0] == height:
            leaf = sha256(b"\x01" + self._full.pop()[1] + leaf).digest()
            height += 1
        self._full.append((height, leaf))
        self.size += 1

    def root(self) -> bytes:
        """Of what was added so far."""
        if not self._full:
            return EMPTY_ROOT
        root = self._full[-1][1]
        for _, left in reversed(self._full[:-1]):
            root = sha256(b"\x01" + left + root).digest()
        return root


class TileBuilder:
    """Tiles of a list of leaf hashes that is seen only once; keeps one row of entries per level."""

    def __init__(self) -> None:
        self._rows: list[list[bytes]] = [[]]
        self._done: list[int] = [0]

    def add(self, leaf: bytes) -> Iterator[tuple[int, int, bytes]]:
        """The next leaf hash; gives the tiles (level, index, nodes) that are complete now."""
        self._rows[0].append(leaf)
        if len(self._rows[0]) == TILE_WIDTH:
            yield from self._close(0)

    def finish(self) -> Iterator[tuple[int, int, bytes]]:
        """The tiles that are not full; the very last one has the tree's root."""
        level = 0
        while True:
            if self._rows[level]:
                yield from self._close(level)
            if self._done[level] <= 1:  # one tile stands over everything
                return
            level += 1

    def _close(self, level: int) -> Iterator[tuple[int, int, bytes]]:
        tile = build_tile(self._rows[level])
        yield level, self._done[level], tile
        self._rows[level] = []
        self._done[level] += 1
        if level + 1 == len(self._rows):
            self._rows.append([])
            self._done.append(0)
        self._rows[level + 1].append(root_of_tile(tile))
        if len(self._rows[level + 1]) == TILE_WIDTH:
            yield from self._close(level + 1)
