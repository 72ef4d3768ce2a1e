"""The chain in the store: which record stands under which key, written and read."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.chain.encoding import (
    decode_number,
    encode_number,
    load_receipts,
    pack,
    store_receipt,
    unpack,
    unpack_one,
)
from ledger.chain.errors import ChainDamaged
from ledger.chain.types import LogHead
from ledger.evm import decode_transaction, encode_header
from ledger.evm.codec import decode_header
from ledger.evm.errors import TransactionRefused
from ledger.state import RlpMalformed, keccak
from ledger.store import Snapshot, Table, WriteBatch
from ledger.types import Block, Hash32, Header, Receipt, Transaction

_HEAD = b"head"
_GENESIS = b"genesis"
_CHECKPOINT = b"checkpoint"
_CONSENSUS_MARK = b"consensus_mark"
_STATE_FROM = b"state_from"
_LOG_SIZE = b"log_size"
_LOG_ROOT = b"log_root"
_STORED_SIZE_MAX = 1 << 30
"""Stored transactions passed the chain's own bound when they came in."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where a transaction stands."""

    block_number: int
    index: int


def write_block(batch: WriteBatch, block: Block, receipts: tuple[Receipt, ...]) -> None:
    """Add a block, its receipts and its place as head to the batch."""
    number = encode_number(block.header.number)
    batch.put(Table.HEADERS, number, encode_header(block.header))
    batch.put(Table.BODIES, number, pack([one.raw for one in block.transactions]))
    batch.put(Table.RECEIPTS, number, pack([store_receipt(one) for one in receipts]))
    batch.put(Table.BLOCK_NUMBER_BY_HASH, block.hash, number)
    for index, transaction in enumerate(block.transactions):
        batch.put(Table.TRANSACTION_LOCATION, transaction.hash, number + index.to_bytes(4, "big"))
    batch.put(Table.META, *encode_head(block.header.number, block.hash))


def encode_head(number: int, block_hash: Hash32) -> tuple[bytes, bytes]:
    """Key and value by which a block is the head."""
    return _HEAD, encode_number(number) + block_hash


def write_log_head(batch: WriteBatch, head: LogHead) -> None:
    """Add the log's head to the batch."""
    batch.put(Table.META, _LOG_SIZE, encode_number(head.size))
    batch.put(Table.META, _LOG_ROOT, head.root)
    batch.put(Table.META, _CHECKPOINT, head.checkpoint.encode())


def write_consensus_mark(batch: WriteBatch, mark: bytes) -> None:
    """Add what the consensus driver wants to find again together with this head."""
    batch.put(Table.META, _CONSENSUS_MARK, mark)


def read_consensus_mark(snapshot: Snapshot) -> bytes | None:
    """What the consensus driver left with the head, None where it never did."""
    return snapshot.get(Table.META, _CONSENSUS_MARK)


def write_genesis(batch: WriteBatch, document: bytes) -> None:
    """Add the genesis file to the batch."""
    batch.put(Table.META, _GENESIS, document)


def read_genesis(snapshot: Snapshot) -> bytes | None:
    """The genesis file, None in a new store."""
    return snapshot.get(Table.META, _GENESIS)


def write_state_from(batch: WriteBatch, number: int) -> None:
    """Say that no state before block `number` is kept: the chain came out of a snapshot."""
    batch.put(Table.META, _STATE_FROM, encode_number(number))


def read_state_from(snapshot: Snapshot) -> int:
    """Number of the first block whose state is kept; 0 where all are."""
    stored = snapshot.get(Table.META, _STATE_FROM)
    return 0 if stored is None else decode_number(stored)


def read_head(snapshot: Snapshot) -> tuple[int, Hash32]:
    """Number and hash of the last block. Raises `ChainDamaged`."""
    stored = _need(snapshot.get(Table.META, _HEAD), "the head")
    return decode_number(stored[:8]), Hash32(stored[8:])


def read_log_head(snapshot: Snapshot) -> LogHead:
    """The log's head. Raises `ChainDamaged`."""
    return LogHead(
        size=decode_number(_need(snapshot.get(Table.META, _LOG_SIZE), "the log's size")),
        root=_need(snapshot.get(Table.META, _LOG_ROOT), "the log's root"),
        checkpoint=_need(snapshot.get(Table.META, _CHECKPOINT), "the checkpoint").decode(),
    )


def read_number(snapshot: Snapshot, block_hash: Hash32) -> int | None:
    """Number of the block with this hash."""
    stored = snapshot.get(Table.BLOCK_NUMBER_BY_HASH, block_hash)
    return None if stored is None else decode_number(stored)


def read_header(snapshot: Snapshot, number: int) -> tuple[Header, Hash32] | None:
    """A header with its hash, None beyond the head. Raises `ChainDamaged`."""
    stored = snapshot.get(Table.HEADERS, encode_number(number))
    if stored is None:
        return None
    try:
        return decode_header(stored), Hash32(keccak(stored))
    except RlpMalformed as error:
        raise ChainDamaged(f"the header of block {number} is not readable: {error}") from error


def read_transactions(snapshot: Snapshot, number: int) -> tuple[Transaction, ...]:
    """All transactions of a stored block. Raises `ChainDamaged`."""
    return tuple(_transaction(raw, number) for raw in read_raw_transactions(snapshot, number))


def read_raw_transactions(snapshot: Snapshot, number: int) -> list[bytes]:
    """Their encodings. Raises `ChainDamaged`."""
    body = snapshot.get(Table.BODIES, encode_number(number))
    return unpack(_need(body, f"the body of block {number}"))


def read_transaction(snapshot: Snapshot, location: Location) -> Transaction:
    """One transaction. Raises `ChainDamaged`."""
    number = location.block_number
    body = _need(snapshot.get(Table.BODIES, encode_number(number)), f"the body of block {number}")
    return _transaction(unpack_one(body, location.index), number)


def read_location(snapshot: Snapshot, transaction_hash: Hash32) -> Location | None:
    """Where a transaction stands, None where it is in no block."""
    stored = snapshot.get(Table.TRANSACTION_LOCATION, transaction_hash)
    if stored is None:
        return None
    return Location(decode_number(stored[:8]), int.from_bytes(stored[8:], "big"))


def read_receipts(snapshot: Snapshot, number: int) -> tuple[Receipt, ...]:
    """Receipts of a stored block. Raises `ChainDamaged`."""
    stored = snapshot.get(Table.RECEIPTS, encode_number(number))
    return load_receipts(unpack(_need(stored, f"the receipts of block {number}")))


def _transaction(raw: bytes, number: int) -> Transaction:
    try:
        return decode_transaction(raw, _STORED_SIZE_MAX)
    except TransactionRefused as error:
        raise ChainDamaged(f"a transaction of block {number} is not readable: {error}") from error


def _need(stored: bytes | None, what: str) -> bytes:
    if stored is None:
        raise ChainDamaged(f"{what} is not stored")
    return stored
