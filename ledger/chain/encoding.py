"""Encodings of whole blocks: Ethereum's RLP on the wire, and the records of the store.

Sources: yellow paper section 4.4.3, EIP-2718 (typed transactions stand as byte strings).
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.chain.errors import BlockInvalid, ChainDamaged
from ledger.chain.types import Limits
from ledger.evm import decode_receipt, decode_transaction, encode_header, encode_receipt
from ledger.evm.codec import decode_header
from ledger.evm.errors import TransactionRefused
from ledger.state import RlpMalformed, keccak
from ledger.state.rlp import EMPTY_LIST, Item, decode_list, encode, encode_bytes, encode_list
from ledger.types import Address, Block, Hash32, Header, Receipt, Transaction

_COUNT_BYTES = 4
_LEGACY_MIN = 0xC0
_FRAME_SIZE_MAX = 4_096
"""Header and list prefixes; a prefix before each transaction is an eighth of it at most."""


def encode_number(number: int) -> bytes:
    """A block number or leaf index as a key: 8 bytes, so that keys are in order of numbers."""
    return number.to_bytes(8, "big")


def decode_number(data: bytes) -> int:
    """Inverse of `encode_number`."""
    return int.from_bytes(data, "big")


def encode_block(header_rlp: bytes, transactions: Sequence[bytes]) -> bytes:
    """RLP of a block: header, transactions, no uncles, no withdrawals."""
    body = encode_list(raw if raw[0] >= _LEGACY_MIN else encode_bytes(raw) for raw in transactions)
    return encode_list((header_rlp, body, EMPTY_LIST, EMPTY_LIST))


def decode_block(data: bytes, limits: Limits) -> tuple[Header, tuple[Transaction, ...]]:
    """Header and transactions of a block's RLP. Raises `BlockInvalid`."""
    size_max = limits.block_size_bytes_max + limits.block_size_bytes_max // 8 + _FRAME_SIZE_MAX
    if len(data) > size_max:
        raise BlockInvalid(f"block of {len(data)} bytes; at most {size_max} are possible")
    try:
        header, transactions, uncles, withdrawals = decode_list(data, fields=4)
        if uncles != [] or withdrawals != []:
            raise BlockInvalid("block has uncles or withdrawals; none exist here")
        if not isinstance(transactions, list) or not isinstance(header, list):
            raise BlockInvalid("block: header and transactions are no lists")
        return decode_header(_encode_item(header)), tuple(
            decode_transaction(
                item if isinstance(item, bytes) else _encode_item(item),
                limits.transaction_size_bytes_max,
            )
            for item in transactions
        )
    except (RlpMalformed, TransactionRefused) as error:
        raise BlockInvalid(f"block is malformed: {error}") from error


def sized_block(header: Header, transactions: tuple[Transaction, ...]) -> Block:
    """The block with its hash and its size on the wire."""
    header_rlp = encode_header(header)
    return Block(
        header=header,
        hash=Hash32(keccak(header_rlp)),
        transactions=transactions,
        size_bytes=_block_size(header_rlp, transactions),
    )


def pack(items: Sequence[bytes]) -> bytes:
    """A record of many byte strings: their count, where each ends, then all of them."""
    ends, end = [len(items).to_bytes(_COUNT_BYTES, "big")], 0
    for item in items:
        end += len(item)
        ends.append(end.to_bytes(_COUNT_BYTES, "big"))
    return b"".join((*ends, *items))


def unpack(data: bytes) -> list[bytes]:
    """All byte strings of a record. Raises `ChainDamaged`."""
    return [unpack_one(data, index) for index in range(_count(data))]


def unpack_one(data: bytes, index: int) -> bytes:
    """One byte string of a record, without reading the others. Raises `ChainDamaged`."""
    count = _count(data)
    if not 0 <= index < count:
        raise ChainDamaged(f"a stored block has no entry {index}, only {count}")
    base = _COUNT_BYTES * (count + 1)
    place = _COUNT_BYTES * index
    start = int.from_bytes(data[place : place + _COUNT_BYTES], "big") if index else 0
    end = int.from_bytes(data[place + _COUNT_BYTES : place + 2 * _COUNT_BYTES], "big")
    if not start <= end <= len(data) - base:
        raise ChainDamaged(f"a stored block is cut off at entry {index}")
    return data[base + start : base + end]


def store_receipt(receipt: Receipt) -> bytes:
    """A receipt as it is stored: address of the created contract, then the consensus encoding."""
    created = receipt.contract_address or b""
    return bytes((len(created),)) + created + encode_receipt(receipt)


def load_receipts(records: Sequence[bytes]) -> tuple[Receipt, ...]:
    """Inverse of `store_receipt` over a whole block. Raises `ChainDamaged`."""
    receipts: list[Receipt] = []
    gas_before = 0
    for record in records:
        size = record[0] if record else 0
        created = Address(record[1 : 1 + size]) if size else None
        try:
            receipt = decode_receipt(record[1 + size :], gas_before, created)
        except RlpMalformed as error:
            raise ChainDamaged(f"a stored receipt is not readable: {error}") from error
        gas_before = receipt.cumulative_gas_used
        receipts.append(receipt)
    return tuple(receipts)


def _count(data: bytes) -> int:
    count = int.from_bytes(data[:_COUNT_BYTES], "big")
    if len(data) < _COUNT_BYTES * (count + 1):
        raise ChainDamaged("a stored block is cut off")
    return count


def _encode_item(item: Item) -> bytes:
    return encode(item) if isinstance(item, bytes) else encode_list(map(_encode_item, item))


def _list_size(payload: int) -> int:
    return payload + 1 + (0 if payload < 56 else (payload.bit_length() + 7) // 8)


def _block_size(header_rlp: bytes, transactions: Sequence[Transaction]) -> int:
    """Length of `encode_block` without building it."""
    body = sum(
        len(transaction.raw)
        if transaction.raw[0] >= _LEGACY_MIN
        else _list_size(len(transaction.raw))
        for transaction in transactions
    )
    return _list_size(len(header_rlp) + _list_size(body) + 2 * len(EMPTY_LIST))
