"""State as it is in a store: the latest from flat tables, any past one through its trie."""

from __future__ import annotations

from ledger.state.account import (
    account_key,
    decode_account,
    decode_slot_value,
    flat_slot_key,
    slot_key,
)
from ledger.state.errors import CodeMissing, NodeMissing
from ledger.state.keccak import EMPTY_CODE_HASH, EMPTY_TRIE_ROOT
from ledger.state.protocol import Account
from ledger.state.trie import NodeCache, Trie
from ledger.store import Snapshot, Table
from ledger.types import Address, Hash32

STATE_ROOT_KEY = b"state_root"
"""Key in the meta table: root of the state that the flat tables hold."""


class _StoredState:
    """What both readers share. Not thread-safe: a snapshot is for one thread at a time."""

    def __init__(self, snapshot: Snapshot, root: bytes) -> None:
        self._snapshot = snapshot
        self._root = Hash32(root)

    @property
    def root(self) -> Hash32:
        """State root that this reader answers for."""
        return self._root

    def code(self, code_hash: Hash32) -> bytes:
        """Contract code by its keccak-256 hash. Raises `CodeMissing`."""
        if code_hash == EMPTY_CODE_HASH:
            return b""
        code = self._snapshot.get(Table.CODE, code_hash)
        if code is None:
            raise CodeMissing(code_hash)
        return code

    def node(self, node_hash: Hash32) -> bytes | None:
        """RLP of a trie node by its keccak-256 hash."""
        return self._snapshot.get(Table.NODES, node_hash)


class FlatState(_StoredState):
    """The latest state: one look-up per read."""

    def __init__(self, snapshot: Snapshot) -> None:
        root = snapshot.get(Table.META, STATE_ROOT_KEY)
        super().__init__(snapshot, EMPTY_TRIE_ROOT if root is None else root)

    def account(self, address: Address) -> Account | None:
        """The account, or None where none exists."""
        data = self._snapshot.get(Table.ACCOUNTS, address)
        return None if data is None else decode_account(data)

    def storage(self, address: Address, slot: int) -> int:
        """Value of a storage slot; 0 where unset."""
        data = self._snapshot.get(Table.SLOTS, flat_slot_key(address, slot))
        return 0 if data is None else int.from_bytes(data, "big")


class TrieState(_StoredState):
    """The state under any root that was ever committed. Raises `NodeMissing` for any other."""

    def __init__(self, snapshot: Snapshot, root: Hash32, cache: NodeCache | None = None) -> None:
        super().__init__(snapshot, root)
        self._cache: NodeCache = {} if cache is None else cache
        self._accounts = Trie(self._stored_node, root, cache=self._cache)
        self._read: dict[Address, Account | None] = {}
        if root != EMPTY_TRIE_ROOT and self.node(root) is None:
            raise NodeMissing(root)

    def account(self, address: Address) -> Account | None:
        """The account, or None where none exists."""
        if address not in self._read:
            data = self._accounts.get(account_key(address))
            self._read[address] = None if data is None else decode_account(data)
        return self._read[address]

    def storage(self, address: Address, slot: int) -> int:
        """Value of a storage slot; 0 where unset."""
        account = self.account(address)
        if account is None or account.storage_root == EMPTY_TRIE_ROOT:
            return 0
        trie = Trie(self._stored_node, account.storage_root, cache=self._cache)
        data = trie.get(slot_key(slot))
        return 0 if data is None else decode_slot_value(data)

    def _stored_node(self, node_hash: bytes) -> bytes | None:
        return self._snapshot.get(Table.NODES, node_hash)
