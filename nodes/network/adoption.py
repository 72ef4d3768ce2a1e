"""Taking a genesis into a node's folder: checked to be about this node, never replaced."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from ledger.chain import Genesis
from nodes.layout import NodeDirectory
from nodes.network.descriptor import Descriptor
from nodes.network.errors import GenesisForeign
from nodes.network.founders import founding_nodes
from nodes.network.founding import consortium_trust
from traceability.bundle import Trust


def adopt_genesis(directory: NodeDirectory, path: Path) -> Trust:
    """Copy the genesis and write the trust file that follows from it.

    Again with the same genesis changes nothing. Raises `GenesisForeign` where the node is not in
    it as its descriptor says, or has another genesis; `GenesisInvalid`.
    """
    descriptor = Descriptor.load(directory.descriptor)
    genesis = Genesis.load(path)
    data = path.read_bytes()
    check_own_node(descriptor, genesis, path)
    if directory.genesis.exists():
        if Genesis.load(directory.genesis) != genesis:
            raise GenesisForeign(
                f"{directory.genesis} is another genesis than {path}; a node's genesis never "
                "changes: make a new node for another ledger"
            )
    else:
        write_new(directory.genesis, data)
    trust = consortium_trust(genesis)
    if not directory.trust.exists():
        trust.save(directory.trust)
    return trust


def check_own_node(descriptor: Descriptor, genesis: Genesis, path: Path) -> None:
    """Raises `GenesisForeign` where the genesis has not this node, with just these keys."""
    member = next((n for n in founding_nodes(genesis) if n.id == descriptor.node_id), None)
    if member is None:
        raise GenesisForeign(
            f"{path}: the node {descriptor.label} of {descriptor.organisation} is not in this "
            "genesis; it was made without its descriptor.json, or the keys were made anew since"
        )
    own = (
        descriptor.organisation,
        descriptor.validator_key,
        descriptor.witness(genesis.origin).vkey,
    )
    for name, mine, theirs in zip(
        ("organisation", "validator key", "witness key"),
        own,
        (member.organisation, member.validator_key, member.contact.witness_key),
        strict=True,
    ):
        if mine != theirs:
            raise GenesisForeign(f"{path}: this node has another {name} there than in its folder")


def write_new(path: Path, data: bytes) -> None:
    """Write whole and durable, or not at all. Raises `FileExistsError`."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()
