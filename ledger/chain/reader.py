"""Reading the chain: through snapshots, never waiting for the writer, recent blocks at hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ledger.chain.cache import WeighedCache
from ledger.chain.encoding import sized_block
from ledger.chain.errors import BlockUnknown, ChainDamaged, StateNotKept
from ledger.chain.logs import first_leaf
from ledger.chain.records import (
    Location,
    read_header,
    read_location,
    read_number,
    read_raw_transactions,
    read_receipts,
    read_state_from,
    read_transaction,
    read_transactions,
)
from ledger.state import FlatState, StateReader, TrieState, keccak
from ledger.store import Snapshot, Store
from ledger.types import (
    Block,
    CommittedBlock,
    Hash32,
    Header,
    MinedTransaction,
    PlacedLog,
    Receipt,
)

BLOCKS_CACHED_BYTES = 48 << 20
HEADERS_CACHED = 16_384
_TRANSACTION_WEIGHT = 1_500
"""What a decoded transaction or receipt takes beside its bytes, roughly."""
_LOG_WEIGHT = 800


class ChainReader:
    """Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._headers: WeighedCache[int, tuple[Header, Hash32]] = WeighedCache(HEADERS_CACHED)
        self._blocks: WeighedCache[int, Block] = WeighedCache(BLOCKS_CACHED_BYTES)
        self._receipts: WeighedCache[int, tuple[Receipt, ...]] = WeighedCache(
            BLOCKS_CACHED_BYTES // 2
        )
        self._logs: WeighedCache[int, tuple[PlacedLog, ...]] = WeighedCache(
            BLOCKS_CACHED_BYTES // 2
        )

    def remember(self, committed: CommittedBlock) -> None:
        """Keep a block at hand that was just committed."""
        self._remember_block(committed.block)
        self._remember_receipts(committed.block.header.number, committed.receipts)
        self._remember_logs(committed.block.header.number, committed.logs)

    def header(self, key: int | Hash32) -> tuple[Header, Hash32] | None:
        """A header with its hash, by number or hash; None where there is none."""
        number = self._number(key)
        if number is None or number < 0:
            return None
        found = self._headers.get(number)
        if found is None:
            with self._store.snapshot() as snapshot:
                found = read_header(snapshot, number)
            if found is not None:
                self._headers.put(number, found, 1)
        return found

    def block(self, key: int | Hash32) -> Block | None:
        """A block by number or hash; None where there is none."""
        number = self._number(key)
        if number is None or number < 0:
            return None
        block = self._blocks.get(number)
        if block is not None:
            return block
        with self._store.snapshot() as snapshot:
            header = read_header(snapshot, number)
            if header is None:
                return None
            block = sized_block(header[0], read_transactions(snapshot, number))
        self._remember_block(block)
        return block

    def block_hash(self, number: int) -> Hash32 | None:
        """Hash of a block by its number."""
        found = self.header(number)
        return None if found is None else found[1]

    def mined(self, transaction_hash: Hash32) -> MinedTransaction | None:
        """A transaction in its place, None where it is in no block."""
        with self._store.snapshot() as snapshot:
            location = read_location(snapshot, transaction_hash)
            if location is None:
                return None
            return self._mined_at(snapshot, location)

    def _mined_at(self, snapshot: Snapshot, location: Location) -> MinedTransaction:
        number, index = location.block_number, location.index
        block = self._blocks.get(number)
        if block is not None:
            transaction = block.transactions[index]
            header, block_hash = block.header, block.hash
        else:
            stored = read_header(snapshot, number)
            if stored is None:
                raise ChainDamaged(f"the header of block {number} is not stored")
            header, block_hash = stored
            transaction = read_transaction(snapshot, location)
        return MinedTransaction(transaction, block_hash, number, header.timestamp, index)

    def receipts(self, number: int) -> tuple[Receipt, ...]:
        """Receipts of a block. Raises `BlockUnknown`."""
        receipts = self._receipts.get(number)
        if receipts is None:
            self._need(number)
            with self._store.snapshot() as snapshot:
                receipts = read_receipts(snapshot, number)
            self._remember_receipts(number, receipts)
        return receipts

    def logs(self, number: int) -> tuple[PlacedLog, ...]:
        """Logs of a block, in order. Raises `BlockUnknown`."""
        logs = self._logs.get(number)
        if logs is None:
            header, block_hash = self._need(number)
            receipts = self.receipts(number)
            with self._store.snapshot() as snapshot:
                raws = read_raw_transactions(snapshot, number)
                leaf = first_leaf(snapshot, number)
            logs = _place(header, block_hash, raws, receipts, leaf)
            self._remember_logs(number, logs)
        return logs

    def committed(self, number: int) -> CommittedBlock:
        """A block with receipts and logs. Raises `BlockUnknown`."""
        block = self.block(number)
        if block is None:
            raise BlockUnknown(f"block {number} does not exist")
        return CommittedBlock(block, self.receipts(number), self.logs(number))

    @contextmanager
    def state(self, number: int | None) -> Iterator[StateReader]:
        """The state after a block, after the last one where None.

        Raises `BlockUnknown`, `StateNotKept`.

        For one thread; close it soon.
        """
        with self._store.snapshot() as snapshot:
            latest = FlatState(snapshot)
            if number is None:
                yield latest
                return
            found = read_header(snapshot, number) if number >= 0 else None
            if found is None:
                raise BlockUnknown(f"block {number} does not exist")
            kept_from = read_state_from(snapshot)
            if number < kept_from:
                raise StateNotKept(
                    f"state before block {kept_from} is not kept here: this node began with a "
                    "snapshot of that block; ask a node that has executed all blocks"
                )
            root = found[0].state_root
            yield latest if root == latest.root else TrieState(snapshot, root)

    def _number(self, key: int | Hash32) -> int | None:
        if isinstance(key, int):
            return key
        with self._store.snapshot() as snapshot:
            return read_number(snapshot, key)

    def _need(self, number: int) -> tuple[Header, Hash32]:
        found = self.header(number)
        if found is None:
            raise BlockUnknown(f"block {number} does not exist")
        return found

    def _remember_block(self, block: Block) -> None:
        number = block.header.number
        weight = 2 * block.size_bytes + _TRANSACTION_WEIGHT * (1 + len(block.transactions))
        self._blocks.put(number, block, weight)
        self._headers.put(number, (block.header, block.hash), 1)

    def _remember_receipts(self, number: int, receipts: tuple[Receipt, ...]) -> None:
        weight = _TRANSACTION_WEIGHT * (1 + len(receipts)) + sum(
            _LOG_WEIGHT + len(log.data) for receipt in receipts for log in receipt.logs
        )
        self._receipts.put(number, receipts, weight)

    def _remember_logs(self, number: int, logs: tuple[PlacedLog, ...]) -> None:
        self._logs.put(number, logs, _LOG_WEIGHT + sum(_LOG_WEIGHT + len(x.log.data) for x in logs))


def _place(
    header: Header,
    block_hash: Hash32,
    raws: list[bytes],
    receipts: tuple[Receipt, ...],
    leaf: int,
) -> tuple[PlacedLog, ...]:
    placed: list[PlacedLog] = []
    for index, (raw, receipt) in enumerate(zip(raws, receipts, strict=True)):
        if not receipt.logs:
            continue
        transaction_hash = Hash32(keccak(raw))
        for log in receipt.logs:
            placed.append(
                PlacedLog(
                    log=log,
                    block_hash=block_hash,
                    block_number=header.number,
                    block_time=header.timestamp,
                    transaction_hash=transaction_hash,
                    transaction_index=index,
                    log_index=len(placed),
                    leaf_index=leaf + len(placed),
                )
            )
    return tuple(placed)
