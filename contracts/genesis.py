"""Contracts in a genesis file: entries of geth's `alloc`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypedDict

from contracts.storage import Words
from ledger.types import Address


def _predeployed(number: int) -> Address:
    return Address(bytes.fromhex(f"7a11{number:036x}"))


CONSORTIUM_ADDRESS: Final = _predeployed(1)
PROVENANCE_ADDRESS: Final = _predeployed(2)
NETWORK_ADDRESS: Final = _predeployed(3)
GOVERNANCE_ADDRESS: Final = _predeployed(4)
DIRECTORY_ADDRESS: Final = _predeployed(5)
PARAMETERS_ADDRESS: Final = _predeployed(6)


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


def words_of(entry: AllocEntry) -> Words:
    """Storage of an entry. Raises `KeyError` or `ValueError` where it is malformed."""
    return {int(slot, 16): int(word, 16) for slot, word in entry["storage"].items()}


def enumerable_set(values: Sequence[bytes]) -> dict[str, object]:
    """OpenZeppelin's EnumerableSet for `Layout.write`: values, and each one's index plus one."""
    positions = {value: index for index, value in enumerate(values, 1)}
    return {"_inner": {"_values": list(values), "_positions": positions}}
