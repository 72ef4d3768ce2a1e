"""The transparency log out of a snapshot: entries, tiles and the root after each block."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.chain.encoding import encode_number
from ledger.chain.logs import tile_key
from ledger.snapshot.writing import Appender
from ledger.store import StagedStore, Table, WriteBatch
from ledger.tlog import EMPTY_ROOT, TILE_SIZE_BYTES, append_leaves, leaf_hash, node_hash

_GATHERED_MAX = 16_384


class LeafIntake:
    """Leaves in order. Holds one path of the tree and the tiles on its edge."""

    def __init__(self, staged: StagedStore) -> None:
        self._staged = staged
        self._entries = Appender(staged, Table.ENTRIES)
        self._firsts = Appender(staged, Table.LEAF_INDEX)
        self._size = 0
        self._peaks: list[tuple[int, bytes]] = []
        """Perfect subtrees from left to right: height and hash (RFC 6962, section 2.1)."""
        self._gathered: list[bytes] = []
        self._tiled = 0
        """How many leaves are in tiles already."""
        self._edge = _Edge()

    @property
    def size(self) -> int:
        """Leaves so far."""
        return self._size

    def root(self) -> bytes:
        """Root of the tree so far."""
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1][1]
        for _, peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def begin_block(self, number: bytes) -> None:
        """The next leaves are those of the block of this key."""
        self._firsts.add(number, encode_number(self._size))

    def take(self, leaves: Sequence[bytes]) -> None:
        """The next leaves."""
        for leaf in leaves:
            self._entries.add(encode_number(self._size), leaf)
            self._size += 1
            digest = leaf_hash(leaf)
            self._gathered.append(digest)
            height = 0
            while self._peaks and self._peaks[-1][0] == height:
                digest = node_hash(self._peaks.pop()[1], digest)
                height += 1
            self._peaks.append((height, digest))
        if len(self._gathered) >= _GATHERED_MAX:
            self._tile()

    def finish(self) -> None:
        """After the last leaf: write the rest."""
        self._tile()
        self._put(self._edge.tiles)
        self._entries.flush()
        self._firsts.flush()

    def _tile(self) -> None:
        changed = append_leaves(self._edge, self._tiled, self._gathered)
        self._tiled += len(self._gathered)
        self._gathered = []
        self._edge.tiles |= changed
        full = {place: t for place, t in self._edge.tiles.items() if len(t) == TILE_SIZE_BYTES}
        self._put(full)
        for place in full:
            del self._edge.tiles[place]

    def _put(self, tiles: dict[tuple[int, int], bytes]) -> None:
        batch = WriteBatch()
        for (level, index), tile in sorted(tiles.items()):
            batch.put(Table.TILES, tile_key(level, index), tile)
        self._staged.put(batch)


class _Edge:
    """A `TileReader` of the tiles that are not full yet."""

    def __init__(self) -> None:
        self.tiles: dict[tuple[int, int], bytes] = {}

    def tile(self, level: int, index: int) -> bytes | None:
        """See `TileReader.tile`."""
        return self.tiles.get((level, index))
