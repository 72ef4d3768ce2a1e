"""Contracts by name, with the history of their versions."""

from contracts.directory.binding import (
    add_version,
    count_calldata,
    current_calldata,
    decode_count,
    decode_current,
    decode_log,
)
from contracts.directory.following import (
    FollowingHandler,
)
from contracts.directory.genesis import (
    founding_contracts_of,
    genesis_account,
    stored_versions,
)
from contracts.directory.projection import (
    DirectoryHandler,
    contract_addresses,
    contract_of,
    contract_versions,
    find_contract,
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
    "DirectoryHandler",
    "FollowingHandler",
    "FoundingContract",
    "VersionAdded",
    "add_version",
    "contract_addresses",
    "contract_of",
    "contract_versions",
    "count_calldata",
    "current_calldata",
    "decode_count",
    "decode_current",
    "decode_log",
    "find_contract",
    "founding_contracts_of",
    "genesis_account",
    "stored_versions",
]
