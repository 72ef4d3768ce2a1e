"""The transparency log's side of a block: leaves, tiles, checkpoint, and reading them back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from ledger.chain.encoding import decode_number, encode_number
from ledger.chain.errors import ChainDamaged
from ledger.chain.records import read_log_head
from ledger.chain.types import BlockLogs, LogHead
from ledger.store import Snapshot, Table, WriteBatch
from ledger.tlog import (
    TILE_WIDTH,
    BlockLeaf,
    Checkpoint,
    EventLeaf,
    KeyIdentity,
    Note,
    NoteSigner,
    NoteVerifier,
    TileOverlay,
    append_leaves,
    consistency_proof,
    encode_entries,
    identity_of,
    inclusion_proof,
    leaf_hash,
    sign_checkpoint,
    tile_width,
    tree_root,
)
from ledger.tlog.merkle import HASH_SIZE_BYTES
from ledger.types import Block, Hash32, Header, PlacedLog, Receipt


class StoredTiles:
    """A `TileReader` over a snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def tile(self, level: int, index: int) -> bytes | None:
        """The stored tile, as wide as it is."""
        return self._snapshot.get(Table.TILES, tile_key(level, index))


def place_logs(block: Block, receipts: tuple[Receipt, ...], first_leaf: int) -> BlockLogs:
    """The events of a block in their places, and its leaves."""
    header, block_hash = block.header, block.hash
    placed: list[PlacedLog] = []
    for index, (transaction, receipt) in enumerate(zip(block.transactions, receipts, strict=True)):
        for log in receipt.logs:
            placed.append(
                PlacedLog(
                    log=log,
                    block_hash=block_hash,
                    block_number=header.number,
                    block_time=header.timestamp,
                    transaction_hash=transaction.hash,
                    transaction_index=index,
                    log_index=len(placed),
                    leaf_index=first_leaf + len(placed),
                )
            )
    hashes = [transaction.hash for transaction in block.transactions]
    return BlockLogs(tuple(placed), tuple(leaves_of(header, block_hash, hashes, receipts)))


def leaves_of(
    header: Header,
    block_hash: Hash32,
    transaction_hashes: Sequence[Hash32],
    receipts: Sequence[Receipt],
) -> list[bytes]:
    """The leaves of a block: each event in order, then the block (docs/proof-format.md, 3)."""
    leaves: list[bytes] = []
    for transaction_hash, receipt in zip(transaction_hashes, receipts, strict=True):
        for log in receipt.logs:
            leaf = EventLeaf(
                address=log.address,
                topics=log.topics,
                data=log.data,
                block_number=header.number,
                block_time=header.timestamp,
                transaction_hash=transaction_hash,
                log_index=len(leaves),
            )
            leaves.append(leaf.encode())
    leaves.append(BlockLeaf(block_hash, header.number, header.timestamp).encode())
    return leaves


def extend_log(
    snapshot: Snapshot, size: int, leaves: tuple[bytes, ...]
) -> tuple[dict[tuple[int, int], bytes], int, bytes]:
    """The tiles that a block's leaves change, and the log's new size and root."""
    stored = StoredTiles(snapshot)
    changed = append_leaves(stored, size, [leaf_hash(leaf) for leaf in leaves])
    size += len(leaves)
    return changed, size, tree_root(TileOverlay(stored, changed), size)


def write_leaves(
    batch: WriteBatch,
    tiles: Mapping[tuple[int, int], bytes],
    first: int,
    number: int,
    leaves: tuple[bytes, ...],
) -> None:
    """Add a block's leaves, `first` being the index of the first one, and the changed tiles."""
    for (level, index), tile in tiles.items():
        batch.put(Table.TILES, tile_key(level, index), tile)
    for offset, leaf in enumerate(leaves):
        batch.put(Table.ENTRIES, encode_number(first + offset), leaf)
    batch.put(Table.LEAF_INDEX, encode_number(number), encode_number(first))


def sign_head(origin: str, size: int, root: bytes, signer: NoteSigner) -> LogHead:
    """The log's head, signed."""
    return LogHead(size, root, sign_checkpoint(Checkpoint(origin, size, root), (signer,)))


def first_leaf(snapshot: Snapshot, number: int) -> int:
    """Index of a block's first leaf. Raises `ChainDamaged` where it is not stored."""
    stored = snapshot.get(Table.LEAF_INDEX, encode_number(number))
    if stored is None:
        raise ChainDamaged(f"the leaf index of block {number} is not stored")
    return decode_number(stored)


class CheckpointSource(Protocol):
    """What knows more signatures of the log's checkpoints than its own: a witness."""

    def checkpoint(self) -> str:
        """See `LogView.checkpoint`."""

    def witnessed(
        self, size_min: int, threshold: int, keys: Sequence[NoteVerifier] | None = None
    ) -> str | None:
        """See `LogView.witnessed`."""


class LogView:
    """Reading the transparency log. Thread-safe; never waits for the writer.

    Each answer is of the log as it is at that moment: take `checkpoint` first and ask for proofs
    of its size. The log only grows, so proofs of an earlier size stay available.
    """

    def __init__(
        self, head: Callable[[], LogHead], snapshot: Callable[[], AbstractContextManager[Snapshot]]
    ) -> None:
        """Use `Ledger.log`."""
        self._source: CheckpointSource | None = None
        self._own: set[KeyIdentity] | None = None
        self._head = head
        self._snapshot = snapshot

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._head().size

    @property
    def root(self) -> bytes:
        """Root of the whole log, 32 bytes."""
        return self._head().root

    def head(self) -> LogHead:
        """Size, root and checkpoint that belong together."""
        return self._head()

    def serve_from(self, source: CheckpointSource | None) -> None:
        """From now on checkpoints come from `source`, which adds others' cosignatures."""
        self._source = source

    def checkpoint(self) -> str:
        """The signed note of the log's head, with all signatures that are at hand."""
        source = self._source
        return self._head().checkpoint if source is None else source.checkpoint()

    def witnessed(
        self, size_min: int, threshold: int, keys: Sequence[NoteVerifier] | None = None
    ) -> str | None:
        """The newest checkpoint of at least `size_min` leaves that enough members have signed.

        Only signatures by `keys` count where they are given. None where there is none yet.
        """
        source = self._source
        if source is not None:
            return source.witnessed(size_min, threshold, keys)
        head = self._head()
        if threshold > 1 or size_min > head.size:
            return None
        if keys is not None and self._own is None:
            self._own = {(one.name, one.key_id) for one in Note.decode(head.checkpoint).signatures}
        if keys is not None and not any(identity_of(key) in (self._own or ()) for key in keys):
            return None
        return head.checkpoint

    def root_at(self, size: int) -> bytes:
        """Root of the first `size` leaves. Raises `IndexError` unless 0 <= size <= the log's."""
        head = self._head()
        if size == head.size:
            return head.root
        if size < 0:
            raise IndexError(f"a log of {size} leaves")
        self._check_size(size)
        with self._snapshot() as snapshot:
            return tree_root(StoredTiles(snapshot), size)

    def tile(self, level: int, index: int, width: int | None = None) -> bytes | None:
        """The first `width` hashes of a tile, 32 bytes each; all there are where `width` is None.

        None where the log has not got that far.
        """
        available = self._available(level, index)
        wanted = available if width is None else width
        if not 1 <= wanted <= available:
            return None
        with self._snapshot() as snapshot:
            tile = StoredTiles(snapshot).tile(level, index)
        if tile is None or len(tile) < wanted * HASH_SIZE_BYTES:
            raise ChainDamaged(f"tile {index} of level {level} is not stored as wide as the log is")
        return tile[: wanted * HASH_SIZE_BYTES]

    def entries(self, index: int, width: int | None = None) -> bytes | None:
        """Bundle of the first `width` entries under tile `index` of level 0 (C2SP tlog-tiles).

        All there are where `width` is None; None where the log has not got that far.
        """
        available = self._available(0, index)
        wanted = available if width is None else width
        if not 1 <= wanted <= available:
            return None
        start = index * TILE_WIDTH
        with self._snapshot() as snapshot:
            found = [
                value
                for _, value in snapshot.scan(
                    Table.ENTRIES, encode_number(start), stop=encode_number(start + wanted)
                )
            ]
        if len(found) != wanted:
            raise ChainDamaged(f"entries {start} to {start + wanted - 1} are not all stored")
        return encode_entries(found)

    def entry(self, index: int) -> bytes:
        """Data of a leaf. Raises `IndexError` unless 0 <= index < size."""
        size = self.size
        if not 0 <= index < size:
            raise IndexError(f"leaf {index} of a log of {size}")
        with self._snapshot() as snapshot:
            entry = snapshot.get(Table.ENTRIES, encode_number(index))
        if entry is None:
            raise ChainDamaged(f"log entry {index} is not stored")
        return entry

    def leaf_index(self, block_number: int, log_index: int | None = None) -> int:
        """Index of the leaf of an event, or of the block itself where `log_index` is None.

        Raises `IndexError` where there is no such leaf.
        """
        if block_number < 1:
            raise IndexError(f"block {block_number} has no leaf")
        with self._snapshot() as snapshot:
            if snapshot.get(Table.LEAF_INDEX, encode_number(block_number)) is None:
                raise IndexError(f"block {block_number} is not in the log")
            start = first_leaf(snapshot, block_number)
            after = snapshot.get(Table.LEAF_INDEX, encode_number(block_number + 1))
            # Not the published head: the snapshot may be a block further.
            end = read_log_head(snapshot).size if after is None else decode_number(after)
        block_leaf = max(end, start + 1) - 1
        if log_index is None:
            return block_leaf
        if not 0 <= log_index < block_leaf - start:
            raise IndexError(f"block {block_number} has no event {log_index}")
        return start + log_index

    def inclusion_proof(self, index: int, size: int) -> tuple[bytes, ...]:
        """Path from a leaf to the root of the first `size` leaves.

        Raises `IndexError` unless 0 <= index < size <= the log's size.
        """
        self._check_size(size)
        with self._snapshot() as snapshot:
            return inclusion_proof(StoredTiles(snapshot), index, size)

    def consistency_proof(self, size1: int, size2: int) -> tuple[bytes, ...]:
        """That the first `size2` leaves begin with the first `size1`.

        Raises `IndexError` unless 1 <= size1 <= size2 <= the log's size.
        """
        self._check_size(size2)
        with self._snapshot() as snapshot:
            return consistency_proof(StoredTiles(snapshot), size1, size2)

    def _available(self, level: int, index: int) -> int:
        return tile_width(self.size, level, index) if 0 <= level < 8 and index >= 0 else 0

    def _check_size(self, size: int) -> None:
        present = self.size
        if size > present:
            raise IndexError(f"a proof of size {size} from a log of {present}")


def tile_key(level: int, index: int) -> bytes:
    """Key of a tile in the store."""
    return level.to_bytes(1, "big") + index.to_bytes(8, "big")
