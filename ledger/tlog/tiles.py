"""The tree as tiles of height 8 (C2SP tlog-tiles): append, roots and proofs.

A tile at level L, index N holds the hashes MTH(D[(N*256+i) * 256**L : (N*256+i+1) * 256**L]).
Nothing here reads or writes storage: tiles come through a `TileReader`, changed tiles go back
to the caller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256

from ledger.tlog.errors import TileMissing
from ledger.tlog.merkle import EMPTY_ROOT, HASH_SIZE_BYTES, node_hash, split_point
from ledger.tlog.protocol import TileReader

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
TILE_SIZE_BYTES = TILE_WIDTH * HASH_SIZE_BYTES
_TILES_CACHED_MAX = 512


def append_leaves(
    reader: TileReader, size: int, leaf_hashes: Sequence[bytes]
) -> dict[tuple[int, int], bytes]:
    """Append to the tree of `size` leaves.

    Returns the tiles that changed, (level, index) to their whole new contents. Every tile that
    the new tree needs and the old one lacked is among them.
    """
    changed: dict[tuple[int, int], bytes] = {}
    level, hashes = 0, leaf_hashes
    while hashes:
        start = size >> (TILE_HEIGHT * level)
        hashes = _append_level(reader, level, start, hashes, changed)
        level += 1
    return changed


def _append_level(
    reader: TileReader,
    level: int,
    start: int,
    hashes: Sequence[bytes],
    changed: dict[tuple[int, int], bytes],
) -> list[bytes]:
    """Append `hashes` at position `start` of a level; the roots of tiles that became full."""
    index, width = divmod(start, TILE_WIDTH)
    tile = b""
    if width:
        # A crash or a follower may have stored more than `size` covers: take what it covers.
        tile = _tile_prefix(reader, level, index, width)[: width * HASH_SIZE_BYTES]
    roots: list[bytes] = []
    taken = 0
    while taken < len(hashes):
        room = TILE_WIDTH - len(tile) // HASH_SIZE_BYTES
        tile += b"".join(hashes[taken : taken + room])
        taken += room
        changed[level, index] = tile
        if len(tile) == TILE_SIZE_BYTES:
            roots.append(_rows(tile)[-1])
            tile, index = b"", index + 1
    return roots


def tree_root(reader: TileReader, size: int) -> bytes:
    """Root of the tree of `size` leaves. Raises `TileMissing`."""
    return _range_hash(reader, 0, size) if size else EMPTY_ROOT


def inclusion_proof(reader: TileReader, index: int, size: int) -> tuple[bytes, ...]:
    """PATH(index, D[size]) of RFC 6962. Requires 0 <= index < size. Raises `TileMissing`."""
    if not 0 <= index < size:
        raise IndexError(f"leaf {index} of a tree of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + split_point(end - start)
        if index < middle:
            path.append(_range_hash(reader, middle, end))
            end = middle
        else:
            path.append(_range_hash(reader, start, middle))
            start = middle
    path.reverse()
    return tuple(path)


def consistency_proof(reader: TileReader, size1: int, size2: int) -> tuple[bytes, ...]:
    """PROOF(size1, D[size2]) of RFC 6962. Requires 1 <= size1 <= size2. Raises `TileMissing`."""
    if not 1 <= size1 <= size2:
        raise IndexError(f"no proof leads from size {size1} to size {size2}")
    path: list[bytes] = []
    start, end = 0, size2
    while size1 != end:
        middle = start + split_point(end - start)
        if size1 <= middle:
            path.append(_range_hash(reader, middle, end))
            end = middle
        else:
            path.append(_range_hash(reader, start, middle))
            start = middle
    if start:
        path.append(_range_hash(reader, start, end))
    path.reverse()
    return tuple(path)


def _range_hash(reader: TileReader, start: int, end: int) -> bytes:
    """MTH(D[start:end]), where `start` is a multiple of a power of two >= end - start."""
    hashes: list[bytes] = []
    while start < end:
        height = (end - start).bit_length() - 1
        hashes.append(_perfect_hash(reader, start >> height, height))
        start += 1 << height
    result = hashes.pop()
    while hashes:
        result = node_hash(hashes.pop(), result)
    return result


def _perfect_hash(reader: TileReader, position: int, height: int) -> bytes:
    """Hash of the perfect subtree over leaves [position << height, (position+1) << height)."""
    level, row = divmod(height, TILE_HEIGHT)
    index, within = divmod(position << row, TILE_WIDTH)
    tile = _tile_prefix(reader, level, index, within + (1 << row))
    offset = (within >> row) * HASH_SIZE_BYTES
    return _rows(tile)[row][offset : offset + HASH_SIZE_BYTES]


def _tile_prefix(reader: TileReader, level: int, index: int, width: int) -> bytes:
    """The first hashes of a stored tile: at least `width`, and all that are stored if more."""
    tile = reader.tile(level, index)
    if tile is None or len(tile) < width * HASH_SIZE_BYTES:
        stored = 0 if tile is None else len(tile) // HASH_SIZE_BYTES
        raise TileMissing(
            f"tile {index} of level {level} has {stored} hashes stored, {width} are needed"
        )
    return tile


@lru_cache(maxsize=_TILES_CACHED_MAX)
def _rows(tile: bytes) -> tuple[bytes, ...]:
    """The rows of the subtree above a tile, from its own hashes upwards, complete nodes only.

    Cached by content, because proofs of neighbouring leaves share their tiles.
    """
    rows = [tile]
    while len(rows[-1]) >= 2 * HASH_SIZE_BYTES:
        row = rows[-1]
        rows.append(
            b"".join(
                [
                    sha256(b"\x01" + row[offset : offset + 64]).digest()
                    for offset in range(0, len(row) - 63, 64)
                ]
            )
        )
    return tuple(rows)


class TileOverlay:
    """A `TileReader` that shows changed tiles over stored ones, before they are written."""

    def __init__(self, reader: TileReader, changed: Mapping[tuple[int, int], bytes]) -> None:
        self._reader = reader
        self._changed = changed

    def tile(self, level: int, index: int) -> bytes | None:
        """See `TileReader.tile`."""
        tile = self._changed.get((level, index))
        return self._reader.tile(level, index) if tile is None else tile


def tile_width(size: int, level: int, index: int) -> int:
    """How many hashes a tile has in the tree of `size` leaves: 0 (none) to 256 (full)."""
    hashes = size >> (TILE_HEIGHT * level)
    return min(max(hashes - index * TILE_WIDTH, 0), TILE_WIDTH)
