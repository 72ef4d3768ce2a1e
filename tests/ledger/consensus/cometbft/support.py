"""A small consortium in genesis storage: nodes and bounds as the Network and Parameters hold them.

The echo contract of `tests.ledger.chain.support` stands in for all contracts: a call of it stores
a number under itself, so that a test changes any slot whose number is the value it wants; and
`Registry` below is a contract that stores any value in any slot.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from ledger.chain import Genesis
from ledger.chain.permission import mapping_slot
from ledger.state import keccak
from ledger.types import Address
from tests.ledger.chain.support import Sender, genesis_document, permission_storage, sender, word

REGISTRY = Address(bytes.fromhex("7a11000000000000000000000000000000000003"))
IDS_SLOT = 10
NODES_SLOT = 11
VALUES_SLOT = 12
ACTIVE = 1
ORGANISATION = b"acme"


def _registry_code() -> bytes:
    """For each pair of words of calldata: store the second under the first.

    0: PUSH0; 1: JUMPDEST (offset on the stack); CALLDATASIZE; DUP2; LT; PUSH1 body; JUMPI; STOP;
    body: JUMPDEST; value = calldata[offset + 32]; slot = calldata[offset]; SSTORE; offset += 64.
    """
    loop = bytes.fromhex("5f" + "5b" + "36" + "81" + "10" + "6009" + "57" + "00")
    body = bytes.fromhex("5b" + "80" + "6020" + "01" + "35" + "81" + "35" + "55" + "6040" + "01")
    return loop + body + bytes.fromhex("6001" + "56")


@dataclass(frozen=True)
class Node:
    """What the Network contract holds of a node."""

    id: bytes
    validator_key: bytes | None
    power: int = 1
    status: int = ACTIVE
    organisation: bytes = ORGANISATION


def node_slots(node: Node) -> dict[int, int]:
    """The storage of one node's entry."""
    place = mapping_slot(node.id.ljust(32, b"\0"), NODES_SLOT)
    return {
        place: int.from_bytes(node.organisation.ljust(32, b"\0"), "big"),
        place + 1: node.status | node.power << 8,
        place + 2: int.from_bytes(node.validator_key or bytes(32), "big"),
    }


def nodes_slots(nodes: list[Node]) -> dict[int, int]:
    """The whole storage of these nodes, with the list of their ids."""
    first = int.from_bytes(keccak(IDS_SLOT.to_bytes(32, "big")), "big")
    slots = {IDS_SLOT: len(nodes)}
    for index, node in enumerate(nodes):
        slots[first + index] = int.from_bytes(node.id.ljust(32, b"\0"), "big")
        slots |= node_slots(node)
    return slots


def parameter_slot(name: str) -> int:
    """Where Parameters keeps a bound."""
    return mapping_slot(name.encode().ljust(32, b"\0"), VALUES_SLOT)


def organisation_slot(organisation: bytes = ORGANISATION) -> int:
    """Where the registry keeps an organisation's status."""
    return mapping_slot(organisation.ljust(32, b"\0"), 1)


def account_slot(address: Address) -> int:
    """Where the registry keeps an account's status (lowest byte)."""
    return mapping_slot(bytes(12) + address, 0) + 1


def registry_calldata(slots: dict[int, int]) -> bytes:
    """Store these values, any of them."""
    return b"".join(
        slot.to_bytes(32, "big") + value.to_bytes(32, "big") for slot, value in slots.items()
    )


def store(by: Sender, slots: dict[int, int], **changes: Any) -> bytes:
    """A signed transaction that stores these values in the registry."""
    raw = by.sign(to=REGISTRY, data=registry_calldata(slots), gas=2_000_000, **changes)
    by.nonce += 1
    return raw


def consortium_genesis(nodes: list[Node], *, permitted: int = 4, **changes: Any) -> Genesis:
    """Genesis with these nodes; senders 1 to `permitted` may transact."""
    slots = permission_storage(
        {sender(i).address: (ORGANISATION, ACTIVE) for i in range(1, permitted + 1)},
        {ORGANISATION: ACTIVE},
    )
    slots |= {word(slot): word(value) for slot, value in nodes_slots(nodes).items() if value}
    document = genesis_document(permitted=permitted, timestamp=hex(int(time.time()) - 60))
    registry = f"0x{REGISTRY.hex()}"
    document["alloc"][registry] = {
        "nonce": "0x1",
        "code": f"0x{_registry_code().hex()}",
        "storage": slots,
    }
    document["tallystick"] |= {
        "permission": {"contract": registry, "accountsSlot": 0, "organisationsSlot": 1},
        "nodes": {"contract": registry, "idsSlot": IDS_SLOT, "nodesSlot": NODES_SLOT},
        "parameters": {"contract": registry, "valuesSlot": VALUES_SLOT},
    }
    document.update(changes)
    return Genesis.parse(document)
