"""Accounts as bytes: the trie's RLP and keys, and the flat tables' keys and values."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from ledger.state.keccak import EMPTY_CODE_HASH, EMPTY_TRIE_ROOT, keccak
from ledger.state.protocol import Account
from ledger.state.rlp import (
    as_bytes,
    as_uint,
    decode,
    decode_list,
    encode_bytes,
    encode_list,
    encode_uint,
)
from ledger.types import Address, Hash32

NEW_ACCOUNT: Final = Account(
    nonce=0,
    balance=0,
    storage_root=Hash32(EMPTY_TRIE_ROOT),
    code_hash=Hash32(EMPTY_CODE_HASH),
)


def encode_account(account: Account) -> bytes:
    """RLP of an account, as the account trie and the flat table hold it."""
    return encode_list(
        (
            encode_uint(account.nonce),
            encode_uint(account.balance),
            encode_bytes(account.storage_root),
            encode_bytes(account.code_hash),
        )
    )


def decode_account(data: bytes) -> Account:
    """Inverse of `encode_account`. Raises `RlpMalformed`."""
    nonce, balance, storage_root, code_hash = decode_list(data, fields=4)
    return Account(
        nonce=as_uint(nonce, "nonce", 8),
        balance=as_uint(balance, "balance"),
        storage_root=Hash32(as_bytes(storage_root, "storage root", 32)),
        code_hash=Hash32(as_bytes(code_hash, "code hash", 32)),
    )


def encode_slot_value(value: int) -> bytes:
    """RLP of a slot's value, as a storage trie holds it."""
    return encode_uint(value)


def decode_slot_value(data: bytes) -> int:
    """Inverse of `encode_slot_value`. Raises `RlpMalformed`."""
    return as_uint(decode(data), "slot value")


@lru_cache(maxsize=1 << 16)
def account_key(address: bytes) -> bytes:
    """Key of an account in the account trie."""
    return keccak(address)


@lru_cache(maxsize=1 << 16)
def slot_key(slot: int) -> bytes:
    """Key of a slot in a storage trie."""
    return keccak(slot.to_bytes(32, "big"))


def flat_slot_key(address: Address, slot: int) -> bytes:
    """Key of a slot in the flat table."""
    return address + slot.to_bytes(32, "big")


def flat_slot_value(value: int) -> bytes:
    """Value of a slot in the flat table: big-endian, shortest. Requires value > 0."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")
