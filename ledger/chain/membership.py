"""Which nodes there are, and which bounds hold: read from a state's storage alone.

The ledger knows the contracts only by address and storage layout, which genesis names
(docs/consortium.md, "Who is in"). Storage layout: Solidity "Layout of State Variables in Storage".
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Protocol

from ledger.chain.genesis import Genesis
from ledger.chain.permission import ACTIVE, mapping_slot
from ledger.chain.types import Limits, NodeEntry, NodesLayout, PermissionLayout
from ledger.state import StateChanges, keccak
from ledger.types import Address

NODES_MAX: Final = 1_024
"""More than the contract admits; a bound on what a damaged state can make a node read."""
NODE_ID_SIZE_BYTES: Final = 20
BLOCK_GAS_LIMIT_MIN: Final = 1_000_000
BLOCK_GAS_LIMIT_MAX: Final = 150_000_000
SIZE_BYTES_MIN: Final = 1 << 16
TRANSACTION_SIZE_BYTES_MAX: Final = 16 << 20
BLOCK_SIZE_BYTES_MAX: Final = 16 << 20
_STATUS_MASK: Final = 0xFF
_POWER_SHIFT: Final = 8
_POWER_MASK: Final = 2**64 - 1
_WORD: Final = 2**256


class Storage(Protocol):
    """The part of a state that is read here."""

    def storage(self, address: Address, slot: int) -> int:
        """Value of a storage slot; 0 where unset."""


class ChangedStorage:
    """Storage as it is once `changes` apply to the state below."""

    def __init__(self, below: Storage, changes: StateChanges) -> None:
        self._below = below
        self._changes = changes

    def storage(self, address: Address, slot: int) -> int:
        """Value of a storage slot; 0 where unset."""
        changed = self._changes.storage.get(address)
        if changed is not None and slot in changed:
            return changed[slot]
        return 0 if address in self._changes.cleared else self._below.storage(address, slot)


def touches_membership(genesis: Genesis, changes: StateChanges) -> bool:
    """Whether nodes or bounds may be others after these changes."""
    layouts = (genesis.permission, genesis.nodes, genesis.parameters)
    return any(
        layout is not None
        and (layout.contract in changes.storage or layout.contract in changes.cleared)
        for layout in layouts
    )


# ---- nodes ----------------------------------------------------------------------------------


def read_nodes(genesis: Genesis, state: Storage) -> tuple[NodeEntry, ...]:
    """The consortium's nodes in the order of their admission; empty where genesis names none."""
    if genesis.nodes is None or genesis.permission is None:
        return ()
    layout, permission = genesis.nodes, genesis.permission
    count = min(state.storage(layout.contract, layout.ids_slot), NODES_MAX)
    first = int.from_bytes(keccak(layout.ids_slot.to_bytes(32, "big")), "big")
    ids = (state.storage(layout.contract, (first + index) % _WORD) for index in range(count))
    return tuple(_node(layout, permission, state, node_id) for node_id in ids)


def _node(
    layout: NodesLayout, permission: PermissionLayout, state: Storage, node_id: int
) -> NodeEntry:
    key = node_id.to_bytes(32, "big")
    place = mapping_slot(key, layout.nodes_slot)
    organisation = state.storage(layout.contract, place)
    packed = state.storage(layout.contract, (place + 1) % _WORD)
    validator_key = state.storage(layout.contract, (place + 2) % _WORD)
    name = organisation.to_bytes(32, "big")
    entry = mapping_slot(name, permission.organisations_slot)
    standing = state.storage(permission.contract, entry) & _STATUS_MASK
    active = packed & _STATUS_MASK == ACTIVE and standing == ACTIVE
    validates = active and validator_key != 0
    return NodeEntry(
        id=key[:NODE_ID_SIZE_BYTES],
        organisation=name.rstrip(b"\0").decode("ascii", "replace"),
        active=active,
        power=packed >> _POWER_SHIFT & _POWER_MASK if validates else 0,
        validator_key=validator_key.to_bytes(32, "big") if validator_key else None,
    )


# ---- bounds ---------------------------------------------------------------------------------


def read_limits(genesis: Genesis, state: Storage) -> Limits:
    """The bounds of the block that is built on this state.

    A value outside what software can bear counts as unset, so that no vote can stop the chain.
    """
    limits = genesis.limits
    if genesis.parameters is None:
        return limits

    def value(name: str, low: int, high: int, otherwise: int) -> int:
        assert genesis.parameters is not None
        slot = mapping_slot(name.encode().ljust(32, b"\0"), genesis.parameters.values_slot)
        found = state.storage(genesis.parameters.contract, slot)
        return found if low <= found <= high else otherwise

    block_size = value(
        "blockSizeBytesMax", SIZE_BYTES_MIN, BLOCK_SIZE_BYTES_MAX, limits.block_size_bytes_max
    )
    transaction_size = value(
        "transactionSizeBytesMax",
        SIZE_BYTES_MIN,
        TRANSACTION_SIZE_BYTES_MAX,
        limits.transaction_size_bytes_max,
    )
    return replace(
        limits,
        block_size_bytes_max=block_size,
        transaction_size_bytes_max=min(transaction_size, block_size),
        block_gas_limit=value(
            "blockGasLimit", BLOCK_GAS_LIMIT_MIN, BLOCK_GAS_LIMIT_MAX, limits.block_gas_limit
        ),
    )
