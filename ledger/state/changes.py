"""From what a block changed to the next state root, and from there into the store."""

from __future__ import annotations

from collections.abc import Mapping

from ledger.state.account import (
    account_key,
    encode_account,
    encode_slot_value,
    flat_slot_key,
    flat_slot_value,
    slot_key,
)
from ledger.state.keccak import EMPTY_TRIE_ROOT
from ledger.state.protocol import Account, StateChanges, StateReader
from ledger.state.readers import STATE_ROOT_KEY
from ledger.state.trie import NodeCache, Trie
from ledger.store import Table, WriteBatch
from ledger.types import Address, Hash32


def seal_changes(
    parent: StateReader,
    accounts: Mapping[Address, Account | None],
    storage: Mapping[Address, Mapping[int, int]],
    cleared: frozenset[Address],
    code: Mapping[Hash32, bytes],
    cache: NodeCache | None = None,
) -> StateChanges:
    """The state after these changes to `parent`.

    `accounts` must name every account of `storage`; the storage roots in it are the old ones and
    come out as the new ones. `cleared` storage is empty before `storage` applies.
    Raises `NodeMissing`.
    """
    nodes: dict[bytes, bytes] = {}

    def source(node_hash: bytes) -> bytes | None:
        return parent.node(Hash32(node_hash))

    sealed: dict[Address, Account | None] = {}
    leaves: dict[bytes, bytes | None] = {}
    for address, account in accounts.items():
        if account is None:
            sealed[address] = None
            leaves[account_key(address)] = None
            continue
        root: bytes = EMPTY_TRIE_ROOT if address in cleared else account.storage_root
        slots = storage.get(address)
        if slots:
            root = Trie(source, root, nodes, cache).update(
                {
                    slot_key(slot): encode_slot_value(value) if value else None
                    for slot, value in slots.items()
                }
            )
        changed = Account(account.nonce, account.balance, Hash32(root), account.code_hash)
        sealed[address] = changed
        leaves[account_key(address)] = encode_account(changed)
    state_root = Trie(source, parent.root, nodes, cache).update(leaves)
    return StateChanges(
        root=Hash32(state_root),
        accounts=sealed,
        storage=storage,
        cleared=cleared,
        code=code,
        nodes={Hash32(node_hash): data for node_hash, data in nodes.items()},
    )


def write_changes(batch: WriteBatch, changes: StateChanges) -> None:
    """Add a block's changes to the batch that makes the block durable."""
    batch.put(Table.META, STATE_ROOT_KEY, changes.root)
    for node_hash, data in changes.nodes.items():
        batch.put(Table.NODES, node_hash, data)
    for code_hash, code in changes.code.items():
        batch.put(Table.CODE, code_hash, code)
    for address in changes.cleared:
        batch.delete_prefix(Table.SLOTS, address)
    for address, slots in changes.storage.items():
        for slot, value in slots.items():
            key = flat_slot_key(address, slot)
            if value:
                batch.put(Table.SLOTS, key, flat_slot_value(value))
            else:
                batch.delete(Table.SLOTS, key)
    for address, account in changes.accounts.items():
        if account is None:
            batch.delete(Table.ACCOUNTS, address)
        else:
            batch.put(Table.ACCOUNTS, address, encode_account(account))
