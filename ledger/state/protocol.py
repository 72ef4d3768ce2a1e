"""The seam between execution and stored state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ledger.types import Address, Hash32


@dataclass(frozen=True, slots=True)
class Account:
    """An Ethereum account (yellow paper, section 4.1)."""

    nonce: int
    balance: int
    storage_root: Hash32
    code_hash: Hash32


class StateReader(Protocol):
    """State as it was after one block. Reads are snapshots: later blocks do not show."""

    @property
    def root(self) -> Hash32:
        """State root that this reader answers for."""

    def account(self, address: Address) -> Account | None:
        """The account, or None where none exists."""

    def storage(self, address: Address, slot: int) -> int:
        """Value of a storage slot; 0 where unset."""

    def code(self, code_hash: Hash32) -> bytes:
        """Contract code by its keccak-256 hash."""

    def node(self, node_hash: Hash32) -> bytes | None:
        """RLP of a trie node by its keccak-256 hash."""


@dataclass(frozen=True, slots=True)
class StateChanges:
    """What a block did to the state: everything that the store must write, and nothing else."""

    root: Hash32
    accounts: Mapping[Address, Account | None] = field(default_factory=dict)
    """New values; None where the account was deleted."""
    storage: Mapping[Address, Mapping[int, int]] = field(default_factory=dict)
    """New slot values; 0 deletes."""
    cleared: frozenset[Address] = frozenset()
    """Accounts whose whole storage was wiped before `storage` applies."""
    code: Mapping[Hash32, bytes] = field(default_factory=dict)
    nodes: Mapping[Hash32, bytes] = field(default_factory=dict)
    """New trie nodes (account trie and storage tries), hash to RLP."""
