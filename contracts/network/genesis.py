"""The Network contract in genesis: code and founding nodes' storage, and the way back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from contracts.artifact import load_artifact
from contracts.consortium.ids import organisation_id_text, organisation_id_word
from contracts.errors import GenesisError
from contracts.genesis import (
    CONSORTIUM_ADDRESS,
    NETWORK_ADDRESS,
    AllocEntry,
    constructed,
    enumerable_set,
    listed,
    read_back,
)
from contracts.network.types import Contact, FoundingNode, NodeStatus
from contracts.storage import Layout, Words
from ledger.state.keccak import keccak
from ledger.types import Address

NETWORK_ARTIFACT: Final = load_artifact("contracts.network", "Network")
_LAYOUT: Final = Layout.of(NETWORK_ARTIFACT)

NODE_ID_SIZE_BYTES: Final = 20
NODES_MAX: Final = 128
POWER_MAX: Final = 1_000_000_000
P2P_BYTES_MAX: Final = 256
API_BYTES_MAX: Final = 512
WITNESS_KEY_BYTES_MAX: Final = 512
_TEXT: Final = re.compile(r"[!-~]+")


def nodes_layout(network: Address = NETWORK_ADDRESS) -> dict[str, str | int]:
    """The `nodes` part of a genesis file: where the ledger finds nodes and validators."""
    return {
        "contract": f"0x{network.hex()}",
        "idsSlot": _LAYOUT.place("_ids", "_inner", "_values").slot,
        "nodesSlot": _LAYOUT.place("_nodes").slot,
    }


def node_id_word(node: bytes) -> bytes:
    """A node id as bytes32, left-aligned. Raises `GenesisError` where it is not 20 bytes."""
    if len(node) != NODE_ID_SIZE_BYTES or not any(node):
        raise GenesisError(f"a node id is 20 bytes and not zero, not {node[:40].hex()!r}")
    return node.ljust(32, b"\0")


def genesis_account(*nodes: FoundingNode, consortium: Address = CONSORTIUM_ADDRESS) -> AllocEntry:
    """The `alloc` entry of the contract, its nodes active and their powers settled.

    Their organisations are founders (`consortium_alloc` checks). Raises `GenesisError`.
    """
    _check(nodes)
    return constructed(NETWORK_ARTIFACT, consortium, _values(nodes))


def founding_nodes_of(account: AllocEntry) -> tuple[FoundingNode, ...]:
    """The nodes in an `alloc` entry, in their order.

    Raises `GenesisError` for anything that `genesis_account` would not have written.
    """
    return read_back("Network", "nodes", account, _nodes, lambda nodes: genesis_account(*nodes))


def stored_node(words: Mapping[int, int], node: bytes) -> FoundingNode:
    """A node that is registered, as the contract's storage has it now; `words` by slot.

    Raises `OrganisationIdError`, `StorageError`.
    """
    return _node(words, node_id_word(node))


def _values(nodes: Sequence[FoundingNode]) -> dict[str, object]:
    """Every state variable of the contract, named as in the source."""
    validators = {n.validator_key: n.power for n in nodes if n.validator_key and n.power}
    users = {key: node_id_word(node.id) for node in nodes for key in _keys(node)}
    owners = {
        key: organisation_id_word(node.organisation)
        for node in nodes
        for key in (node_id_word(node.id), *_keys(node))
    }
    return {
        "_ids": enumerable_set([node_id_word(node.id) for node in nodes]),
        "_nodes": {node_id_word(node.id): _struct(node) for node in nodes},
        "_owners": owners,
        "_users": users,
        "_settledKeys": list(validators),
        "_settledPowers": validators,
        "_settledPower": sum(validators.values()),
    }


def _struct(node: FoundingNode) -> dict[str, object]:
    contact = node.contact
    return {
        "organisation": organisation_id_word(node.organisation),
        "status": int(NodeStatus.ACTIVE),
        "power": node.power,
        "validatorKey": node.validator_key or bytes(32),
        "contact": {"p2p": contact.p2p, "api": contact.api, "witnessKey": contact.witness_key},
    }


def _keys(node: FoundingNode) -> list[bytes]:
    """What no other node may use: its validator key, and of its witness the name and the key."""
    text = node.contact.witness_key.encode()
    name, _, rest = text.partition(b"+")
    _, found, key = rest.partition(b"+")
    keys = [keccak(keccak(name)), keccak(key if found else text)]
    return [node.validator_key, *keys] if node.validator_key else keys


def _nodes(words: Words) -> tuple[FoundingNode, ...]:
    ids = listed(_LAYOUT, words, NODES_MAX, "_ids", "_inner", "_values")
    return tuple(_node(words, node) for node in ids)


def _node(words: Mapping[int, int], key: bytes) -> FoundingNode:
    def number(label: str) -> int:
        return _LAYOUT.number(words, "_nodes", key, label)

    p2p, api, witness_key = (
        _LAYOUT.text(words, "_nodes", key, "contact", part) for part in ("p2p", "api", "witnessKey")
    )
    validator_key = number("validatorKey").to_bytes(32, "big")
    return FoundingNode(
        id=key[:NODE_ID_SIZE_BYTES],
        organisation=organisation_id_text(number("organisation").to_bytes(32, "big")),
        power=number("power"),
        validator_key=validator_key if any(validator_key) else None,
        contact=Contact(p2p, api, witness_key),
    )


def _check(nodes: Sequence[FoundingNode]) -> None:
    if len(nodes) > NODES_MAX:
        raise GenesisError(f"genesis: {len(nodes)} nodes, at most {NODES_MAX}")
    for node in nodes:
        _check_node(node)
    names = [name for node in nodes for name in (node_id_word(node.id), *_keys(node))]
    if len(set(names)) != len(names):
        raise GenesisError("genesis: a node id, key or witness name stands twice among the nodes")


def _check_node(node: FoundingNode) -> None:
    name = node.id[:NODE_ID_SIZE_BYTES].hex()
    node_id_word(node.id)
    organisation_id_word(node.organisation)
    if not 0 <= node.power <= POWER_MAX:
        raise GenesisError(f"genesis: node {name}: power {node.power} is not 0 to {POWER_MAX}")
    if node.validator_key is not None and (
        len(node.validator_key) != 32 or not any(node.validator_key)
    ):
        raise GenesisError(f"genesis: node {name}: a validator key is 32 bytes and not zero")
    if node.power and node.validator_key is None:
        raise GenesisError(f"genesis: node {name} has power but no validator key")
    check_contact(node.contact)


def check_contact(contact: Contact) -> None:
    """Raises `GenesisError` for texts that the contract would refuse."""
    for what, text, size_max in (
        ("p2p address", contact.p2p, P2P_BYTES_MAX),
        ("API address", contact.api or "-", API_BYTES_MAX),
        ("witness key", contact.witness_key, WITNESS_KEY_BYTES_MAX),
    ):
        if len(text) > size_max or not _TEXT.fullmatch(text):
            raise GenesisError(
                f"genesis: {what} {text[:60]!r} is not 1 to {size_max} printable ASCII characters "
                "without spaces"
            )
