"""Consensus encodings of what a block holds: headers, receipts, blooms and ordered tries.

Sources: yellow paper sections 4.3-4.4; EIP-2718 (typed envelopes), EIP-7685 (requests hash).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

from ledger.state.errors import RlpMalformed
from ledger.state.keccak import EMPTY_TRIE_ROOT, keccak
from ledger.state.rlp import (
    EMPTY_LIST,
    Item,
    as_bytes,
    as_list,
    as_uint,
    decode_list,
    encode_bytes,
    encode_list,
    encode_uint,
)
from ledger.state.trie import ordered_root
from ledger.types import Address, Hash32, Header, Log, Receipt, Transaction

EMPTY_ROOT = Hash32(EMPTY_TRIE_ROOT)
"""Root of an empty transactions, receipts or withdrawals trie."""
EMPTY_UNCLES_HASH = Hash32(keccak(EMPTY_LIST))
EMPTY_REQUESTS_HASH = Hash32(sha256(b"").digest())
"""EIP-7685: SHA-256 over no requests."""
BLOOM_SIZE_BYTES = 256
_UINT64_SIZE_BYTES = 8


def encode_header(header: Header) -> bytes:
    """RLP of a Prague header."""
    return encode_list(
        (
            encode_bytes(header.parent_hash),
            encode_bytes(header.uncles_hash),
            encode_bytes(header.coinbase),
            encode_bytes(header.state_root),
            encode_bytes(header.transactions_root),
            encode_bytes(header.receipts_root),
            encode_bytes(header.bloom.to_bytes(BLOOM_SIZE_BYTES, "big")),
            encode_uint(header.difficulty),
            encode_uint(header.number),
            encode_uint(header.gas_limit),
            encode_uint(header.gas_used),
            encode_uint(header.timestamp),
            encode_bytes(header.extra_data),
            encode_bytes(header.mix_hash),
            encode_bytes(header.nonce),
            encode_uint(header.base_fee_per_gas),
            encode_bytes(header.withdrawals_root),
            encode_uint(header.blob_gas_used),
            encode_uint(header.excess_blob_gas),
            encode_bytes(header.parent_beacon_block_root),
            encode_bytes(header.requests_hash),
        )
    )


def decode_header(data: bytes) -> Header:
    """Inverse of `encode_header`. Raises `RlpMalformed`."""
    items = decode_list(data, fields=21)

    def hash32(index: int, what: str) -> Hash32:
        return Hash32(as_bytes(items[index], what, 32))

    def uint64(index: int, what: str) -> int:
        return as_uint(items[index], what, _UINT64_SIZE_BYTES)

    return Header(
        parent_hash=hash32(0, "parentHash"),
        uncles_hash=hash32(1, "sha3Uncles"),
        coinbase=Address(as_bytes(items[2], "miner", 20)),
        state_root=hash32(3, "stateRoot"),
        transactions_root=hash32(4, "transactionsRoot"),
        receipts_root=hash32(5, "receiptsRoot"),
        bloom=int.from_bytes(as_bytes(items[6], "logsBloom", BLOOM_SIZE_BYTES), "big"),
        difficulty=as_uint(items[7], "difficulty"),
        number=uint64(8, "number"),
        gas_limit=uint64(9, "gasLimit"),
        gas_used=uint64(10, "gasUsed"),
        timestamp=uint64(11, "timestamp"),
        extra_data=as_bytes(items[12], "extraData"),
        mix_hash=hash32(13, "mixHash"),
        nonce=as_bytes(items[14], "nonce", 8),
        base_fee_per_gas=as_uint(items[15], "baseFeePerGas"),
        withdrawals_root=hash32(16, "withdrawalsRoot"),
        blob_gas_used=uint64(17, "blobGasUsed"),
        excess_blob_gas=uint64(18, "excessBlobGas"),
        parent_beacon_block_root=hash32(19, "parentBeaconBlockRoot"),
        requests_hash=hash32(20, "requestsHash"),
    )


def header_hash(header: Header) -> Hash32:
    """The block's hash."""
    return Hash32(keccak(encode_header(header)))


def encode_log(log: Log) -> bytes:
    """RLP of a log entry."""
    return encode_list(
        (
            encode_bytes(log.address),
            encode_list(map(encode_bytes, log.topics)),
            encode_bytes(log.data),
        )
    )


def decode_log(item: Item) -> Log:
    """A log entry from its decoded RLP. Raises `RlpMalformed`."""
    address, topics, data = as_list(item, "log", 3)
    return Log(
        address=Address(as_bytes(address, "log address", 20)),
        topics=tuple(
            Hash32(as_bytes(topic, "log topic", 32)) for topic in as_list(topics, "log topics")
        ),
        data=as_bytes(data, "log data"),
    )


def encode_receipt(receipt: Receipt) -> bytes:
    """Consensus encoding of a receipt (EIP-2718): what the receipts root covers.

    It leaves out `gas_used` and `contract_address`, which follow from the block's other parts.
    """
    payload = encode_list(
        (
            encode_uint(receipt.status),
            encode_uint(receipt.cumulative_gas_used),
            encode_bytes(receipt.bloom.to_bytes(BLOOM_SIZE_BYTES, "big")),
            encode_list(map(encode_log, receipt.logs)),
        )
    )
    return bytes((receipt.type,)) + payload if receipt.type else payload


def decode_receipt(
    data: bytes, cumulative_gas_before: int, contract_address: Address | None
) -> Receipt:
    """Inverse of `encode_receipt`, given the gas used before it. Raises `RlpMalformed`."""
    if not data:
        raise RlpMalformed("receipt is empty")
    kind = data[0] if data[0] < 0x80 else 0
    items = decode_list(data[1:] if kind else data, fields=4)
    cumulative = as_uint(items[1], "cumulativeGasUsed", _UINT64_SIZE_BYTES)
    status = as_uint(items[0], "status", 1)
    if status > 1 or cumulative < cumulative_gas_before:
        raise RlpMalformed(f"receipt with status {status}, cumulative gas {cumulative}")
    return Receipt(
        type=kind,
        status=status,
        gas_used=cumulative - cumulative_gas_before,
        cumulative_gas_used=cumulative,
        logs=tuple(map(decode_log, as_list(items[3], "logs"))),
        bloom=int.from_bytes(as_bytes(items[2], "logsBloom", BLOOM_SIZE_BYTES), "big"),
        contract_address=contract_address,
    )


def transactions_root(transactions: Sequence[Transaction]) -> Hash32:
    """Root of the trie of a block's transactions."""
    return list_root([transaction.raw for transaction in transactions])


def receipts_root(receipts: Sequence[Receipt]) -> Hash32:
    """Root of the trie of a block's receipts."""
    return list_root([encode_receipt(receipt) for receipt in receipts])


def bloom_of(logs: Iterable[Log]) -> int:
    """The 2048-bit bloom filter of logs (yellow paper, section 4.3.1)."""
    bloom = 0
    for log in logs:
        bloom |= bloom_bits(log.address)
        for topic in log.topics:
            bloom |= bloom_bits(topic)
    return bloom


def bloom_bits(value: bytes) -> int:
    """The three bits that an address or a topic sets in the bloom filter."""
    digest = keccak(value)
    return (
        1 << (((digest[0] & 7) << 8) | digest[1])
        | 1 << (((digest[2] & 7) << 8) | digest[3])
        | 1 << (((digest[4] & 7) << 8) | digest[5])
    )


def list_root(values: Sequence[bytes]) -> Hash32:
    """Root of the trie of a list: each encoding under the RLP of its index."""
    return Hash32(ordered_root(values, [encode_uint(index) for index in range(len(values))]))
