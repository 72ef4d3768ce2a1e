"""Contracts in a genesis file: entries of geth's `alloc`."""

from __future__ import annotations

from typing import TypedDict

from contracts.storage import Words


class AllocEntry(TypedDict):
    """One entry of `alloc`; hex with 0x, slots and words of 32 bytes."""

    nonce: str
    balance: str
    code: str
    storage: dict[str, str]


def alloc(code: bytes, words: Words) -> AllocEntry:
    """The entry of a contract. Its nonce is 1, as if it had been created (EIP-161)."""
    return {
        "nonce": "0x1",
        "balance": "0x0",
        "code": f"0x{code.hex()}",
        "storage": {f"0x{slot:064x}": f"0x{words[slot]:064x}" for slot in sorted(words)},
    }
