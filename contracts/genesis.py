"""Contracts in a genesis file: entries of geth's `alloc`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypedDict, TypeVar

from contracts.artifact import Artifact
from contracts.errors import GenesisError, StorageError
from contracts.storage import Layout, Words
from ledger.types import Address

Found = TypeVar("Found")


def _predeployed(number: int) -> Address:
    return Address(bytes.fromhex(f"7a11{number:036x}"))


CONSORTIUM_ADDRESS: Final = _predeployed(1)
PROVENANCE_ADDRESS: Final = _predeployed(2)
NETWORK_ADDRESS: Final = _predeployed(3)
GOVERNANCE_ADDRESS: Final = _predeployed(4)
DIRECTORY_ADDRESS: Final = _predeployed(5)
PARAMETERS_ADDRESS: Final = _predeployed(6)
CLAIMS_ADDRESS: Final = _predeployed(7)
STOCK_ADDRESS: Final = _predeployed(8)
PLEDGES_ADDRESS: Final = _predeployed(9)
RECEIPTS_ADDRESS: Final = _predeployed(10)
RECEIVABLES_ADDRESS: Final = _predeployed(11)
SETTLEMENT_ADDRESS: Final = _predeployed(12)
FINANCING_ADDRESS: Final = _predeployed(13)
POOLS_ADDRESS: Final = _predeployed(14)
PRICING_ADDRESS: Final = _predeployed(15)
DEPOSITS_ADDRESS: Final = _predeployed(16)
POOL_BOOK_ADDRESS: Final = _predeployed(17)
APPLICATIONS_ADDRESS: Final = _predeployed(18)
MODELS_ADDRESS: Final = _predeployed(19)
MODEL_RUNS_ADDRESS: Final = _predeployed(20)
MODEL_RELEASES_ADDRESS: Final = _predeployed(21)


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


def constructed(artifact: Artifact, fixed: Address, variables: Mapping[str, Any]) -> AllocEntry:
    """The entry of a contract that a constructor with one address would have made.

    `fixed` is the address that its code has; `variables` are values of state variables as
    `Layout.write` takes them. Raises `StorageError`.
    """
    layout, words = Layout.of(artifact), Words()
    for label, value in variables.items():
        layout.write(words, label, value)
    return alloc(artifact.runtime(fixed.rjust(32, b"\0")), words)


def read_back(
    name: str,
    parts: str,
    account: AllocEntry,
    read: Callable[[Words], Found],
    write: Callable[[Found], AllocEntry],
) -> Found:
    """What an entry was made from, found by `read` in its storage.

    Raises `GenesisError` for anything that `write` would not make of it, so that what is shown is
    all that the contract knows. `name` of the contract, and `parts`, what it is made from, are
    for the message.
    """
    try:
        words = words_of(account)
        found = read(words)
        expected = write(found)
    except (StorageError, KeyError, ValueError) as error:
        raise GenesisError(f"genesis: the {name} entry is not understood: {error}") from error
    if words_of(expected) != words:
        raise GenesisError(f"genesis: the {name}'s storage is not what its {parts} make")
    return found


def listed(layout: Layout, words: Words, most: int, *path: str) -> list[bytes]:
    """Elements of an array of words, at most one more than `most`. Raises `StorageError`."""
    label, *rest = path
    count = layout.number(words, label, *rest)
    return [
        layout.number(words, label, *rest, index).to_bytes(32, "big")
        for index in range(min(count, most + 1))
    ]


def words_of(entry: AllocEntry) -> Words:
    """Storage of an entry. Raises `KeyError` or `ValueError` where it is malformed."""
    return {int(slot, 16): int(word, 16) for slot, word in entry["storage"].items()}


def enumerable_set(values: Sequence[bytes]) -> dict[str, object]:
    """OpenZeppelin's EnumerableSet for `Layout.write`: values, and each one's index plus one."""
    positions = {value: index for index, value in enumerate(values, 1)}
    return {"_inner": {"_values": list(values), "_positions": positions}}
