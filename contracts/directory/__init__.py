"""Contracts by name, with the history of their versions."""

from contracts.directory.genesis import (
    founding_contracts_of,
    genesis_account,
)
from contracts.directory.types import (
    ContractVersion,
    FoundingContract,
    VersionAdded,
)
from contracts.genesis import (
    DIRECTORY_ADDRESS,
)

__all__ = [
    "DIRECTORY_ADDRESS",
    "ContractVersion",
    "FoundingContract",
    "VersionAdded",
    "founding_contracts_of",
    "genesis_account",
]
