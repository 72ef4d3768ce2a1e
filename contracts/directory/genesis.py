"""The Directory contract in genesis: code and the first versions, and the way back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from contracts.artifact import load_artifact
from contracts.directory.types import FoundingContract
from contracts.errors import CalldataValueError, GenesisError
from contracts.genesis import GOVERNANCE_ADDRESS, AllocEntry, constructed, listed, read_back
from contracts.storage import Layout, Words
from ledger.types import Address, Hash32

DIRECTORY_ARTIFACT: Final = load_artifact("contracts.directory", "Directory")
_LAYOUT: Final = Layout.of(DIRECTORY_ARTIFACT)
NAMES_MAX: Final = 256
VERSIONS_MAX: Final = 1_024
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")


def contract_name_word(name: str) -> bytes:
    """The name as bytes32. Raises `CalldataValueError`."""
    if not _NAME.fullmatch(name):
        raise CalldataValueError(
            f"contract name {name[:40]!r}: a letter of a-z and up to 31 of a-z, 0-9 and - are meant"
        )
    return name.encode("ascii").ljust(32, b"\0")


def contract_name_text(word: bytes) -> str:
    """The name as text. Raises `CalldataValueError`."""
    text = word.rstrip(b"\0").decode("latin-1")
    contract_name_word(text)
    return text


def genesis_account(
    *contracts: FoundingContract, authority: Address = GOVERNANCE_ADDRESS
) -> AllocEntry:
    """The `alloc` entry of the contract, each name with one version. Raises `GenesisError`."""
    _check(contracts)
    return constructed(DIRECTORY_ARTIFACT, authority, _values(contracts))


def founding_contracts_of(account: AllocEntry) -> tuple[FoundingContract, ...]:
    """The contracts in an `alloc` entry, in their order.

    Raises `GenesisError` for anything that `genesis_account` would not have written.
    """
    return read_back(
        "Directory", "contracts", account, _contracts, lambda found: genesis_account(*found)
    )


def stored_versions(words: Mapping[int, int], name: str) -> tuple[tuple[Address, int], ...]:
    """Address of each version of a name and the block that named it (0: genesis), oldest first.

    As the contract's storage has them now; `words` by slot. Raises `CalldataValueError`,
    `StorageError`.
    """
    word = contract_name_word(name)
    count = min(_LAYOUT.number(words, "_versions", word), VERSIONS_MAX)

    def of(index: int) -> tuple[Address, int]:
        address = _LAYOUT.number(words, "_versions", word, index, "place")
        block = _LAYOUT.number(words, "_versions", word, index, "blockNumber")
        return Address(address.to_bytes(20, "big")), block

    return tuple(of(index) for index in range(count))


def _values(contracts: Sequence[FoundingContract]) -> dict[str, object]:
    """Every state variable of the contract, named as in the source."""
    return {
        "_versions": {
            contract_name_word(c.name): [{"place": c.address, "codeHash": c.code_hash}]
            for c in contracts
        },
        "_names": [contract_name_word(c.name) for c in contracts],
        "_nameOf": {c.address: contract_name_word(c.name) for c in contracts},
        "_fixed": {contract_name_word(c.name): 1 for c in contracts if c.fixed},
    }


def _contracts(words: Words) -> tuple[FoundingContract, ...]:
    names = listed(_LAYOUT, words, NAMES_MAX, "_names")
    return tuple(_contract(words, name) for name in names)


def _contract(words: Words, name: bytes) -> FoundingContract:
    address = _LAYOUT.number(words, "_versions", name, 0, "place").to_bytes(20, "big")
    code_hash = _LAYOUT.number(words, "_versions", name, 0, "codeHash").to_bytes(32, "big")
    fixed = _LAYOUT.number(words, "_fixed", name) == 1
    return FoundingContract(contract_name_text(name), Address(address), Hash32(code_hash), fixed)


def _check(contracts: Sequence[FoundingContract]) -> None:
    if len(contracts) > NAMES_MAX:
        raise GenesisError(f"genesis: {len(contracts)} contracts, at most {NAMES_MAX}")
    try:
        for contract in contracts:
            contract_name_word(contract.name)
    except CalldataValueError as error:
        raise GenesisError(f"genesis: {error}") from error
    if len({c.name for c in contracts}) != len(contracts):
        raise GenesisError("genesis: a contract's name stands twice")
    if len({c.address for c in contracts}) != len(contracts):
        raise GenesisError("genesis: a contract's address stands twice")
    for contract in contracts:
        if len(contract.address) != 20 or len(contract.code_hash) != 32:
            raise GenesisError(f"genesis: {contract.name}: address or code hash has a wrong size")
