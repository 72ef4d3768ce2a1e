"""The state that a chain begins with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ledger.state.account import NEW_ACCOUNT
from ledger.state.changes import seal_changes
from ledger.state.errors import AllocationInvalid
from ledger.state.keccak import EMPTY_TRIE_ROOT, keccak
from ledger.state.protocol import Account, StateChanges
from ledger.types import Address, Hash32

_UINT256 = 1 << 256
_NONCE_LIMIT = (1 << 64) - 1
"""EIP-2681: a nonce is below 2**64 - 1."""


@dataclass(frozen=True, slots=True)
class GenesisAccount:
    """One entry of the allocation (geth `genesis.json`, `alloc`)."""

    balance: int = 0
    """Wei."""
    nonce: int = 0
    code: bytes = b""
    storage: Mapping[int, int] = field(default_factory=dict)
    """Slot to value."""


def build_genesis_state(alloc: Mapping[Address, GenesisAccount]) -> StateChanges:
    """The genesis state, ready to be written. Raises `AllocationInvalid`."""
    accounts: dict[Address, Account | None] = {}
    storage: dict[Address, dict[int, int]] = {}
    code: dict[Hash32, bytes] = {}
    for address, entry in alloc.items():
        _check(address, entry)
        code_hash = NEW_ACCOUNT.code_hash
        if entry.code:
            code_hash = Hash32(keccak(entry.code))
            code[code_hash] = entry.code
        accounts[address] = Account(entry.nonce, entry.balance, NEW_ACCOUNT.storage_root, code_hash)
        slots = {slot: value for slot, value in entry.storage.items() if value}
        if slots:
            storage[address] = slots
    return seal_changes(EmptyState(), accounts, storage, frozenset(), code)


class EmptyState:
    """No accounts at all: the parent of genesis."""

    @property
    def root(self) -> Hash32:
        """Root of the empty trie."""
        return Hash32(EMPTY_TRIE_ROOT)

    def account(self, address: Address) -> Account | None:  # noqa: ARG002
        """None."""
        return None

    def storage(self, address: Address, slot: int) -> int:  # noqa: ARG002
        """0."""
        return 0

    def code(self, code_hash: Hash32) -> bytes:  # noqa: ARG002
        """Empty."""
        return b""

    def node(self, node_hash: Hash32) -> bytes | None:  # noqa: ARG002
        """None."""
        return None


def _check(address: Address, entry: GenesisAccount) -> None:
    place = f"genesis account 0x{address.hex()}"
    if len(address) != 20:
        raise AllocationInvalid(f"{place}: an address has 20 bytes")
    if not 0 <= entry.balance < _UINT256:
        raise AllocationInvalid(f"{place}: balance is not a 256-bit number")
    if not 0 <= entry.nonce < _NONCE_LIMIT:
        raise AllocationInvalid(f"{place}: nonce is out of range")
    for slot, value in entry.storage.items():
        if not (0 <= slot < _UINT256 and 0 <= value < _UINT256):
            raise AllocationInvalid(f"{place}: slot {slot:#x} or its value is not a 256-bit number")
