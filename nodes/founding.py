"""Founding a solo ledger: keys, genesis, settings and trust file in a new folder."""

from __future__ import annotations

import json
import secrets
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from contracts.consortium import (
    CONSORTIUM_ADDRESS,
    Founder,
    Profile,
    Role,
)
from contracts.directory import DIRECTORY_ADDRESS
from contracts.founding import consortium_alloc
from contracts.network import FoundingNode
from contracts.provenance import PROVENANCE_ADDRESS
from ledger.chain import Genesis
from ledger.crypto import KeyStore
from ledger.tlog import NoteVerifier
from ledger.types import Address
from nodes.errors import DirectoryNotEmpty
from nodes.layout import NodeDirectory
from nodes.pinning import pin_of
from nodes.settings import NodeSettings, write_settings
from traceability.bundle import Trust

BLOCK_GAS_LIMIT: Final = 100_000_000
"""What py-evm executes in some ten seconds at worst; a full batch of events needs half of it."""
LOG_KEY_LABEL: Final = "log"
VALIDATOR_KEY_LABEL: Final = "validator"
SEALING_KEY_LABEL: Final = "node"
DEVELOPER_LABEL: Final = "developer"
CHAIN_ID_LOWEST: Final = 1_000_000_000
"""Above every public chain in wide use; each ledger draws its own."""


@dataclass(frozen=True, slots=True)
class MemberSpec:
    """A member that is there from genesis, and whose account this node keeps."""

    id: str
    name: str
    name_zh: str
    role: Role


@dataclass(frozen=True, slots=True)
class Contracts:
    """What genesis places, and where nodes read it."""

    alloc: Mapping[str, object]
    """Entries of `alloc`."""
    section: Mapping[str, object]
    """Of the "tallystick" section: contracts, permission, nodes, parameters."""


OwnNode = Callable[[NodeDirectory, KeyStore, str], FoundingNode]
"""Makes the keys of the node in a folder, for the log of that origin."""


def found_solo(
    directory: NodeDirectory,
    settings: NodeSettings,
    members: Sequence[MemberSpec],
    *,
    origin_prefix: str,
    passphrase: str,
    developer_of: str | None = None,
    more_alloc: Mapping[str, object] | None = None,
    own_node: OwnNode | None = None,
) -> None:
    """Make the folder of the first node of a new ledger. All or nothing.

    `developer_of` names the member that gets a second account whose key apps may use, since the
    first one is the capture service's alone. `own_node` makes the node that genesis registers as
    the only validator; without it the ledger is a solo one. Raises DirectoryNotEmpty.
    """
    if directory.root.exists() and any(directory.root.iterdir()):
        raise DirectoryNotEmpty(f"{directory.root} is not empty; name a new folder with --dir")
    root = directory.root.absolute()
    draft = NodeDirectory(root.with_name(f".{root.name}.{secrets.token_hex(4)}"))
    draft.root.mkdir(parents=True, mode=0o700)
    try:
        keys = KeyStore(draft.keys, passphrase)
        origin = f"{origin_prefix}/{secrets.token_hex(4)}"
        verifier = keys.create_note(LOG_KEY_LABEL, origin).verifier
        founders = [_founder(keys, member, developer_of) for member in members]
        nodes = () if own_node is None else (own_node(draft, keys, origin),)
        if nodes:
            verifier = NoteVerifier.parse(nodes[0].contact.witness_key)
        contracts = first_contracts(founders, nodes)
        _write(draft, settings, origin, verifier, contracts, more_alloc or {})
        draft.root.rename(root)  # replaces an empty folder, and nothing else
    except BaseException:
        shutil.rmtree(draft.root, ignore_errors=True)
        raise


def _write(
    draft: NodeDirectory,
    settings: NodeSettings,
    origin: str,
    verifier: NoteVerifier,
    contracts: Contracts,
    more_alloc: Mapping[str, object],
) -> None:
    chain_id = CHAIN_ID_LOWEST + secrets.randbelow(1 << 30)
    genesis = genesis_document(contracts, origin, chain_id, int(time.time()), more_alloc)
    draft.genesis.write_text(json.dumps(genesis, indent=1, ensure_ascii=False) + "\n", "utf-8")
    trust = Trust(
        name=settings.name,
        origin=origin,
        keys=(verifier,),
        threshold=1,
        chain_id=chain_id,
        consortium=CONSORTIUM_ADDRESS,
        provenance=PROVENANCE_ADDRESS,
        directory=DIRECTORY_ADDRESS,
        genesis=pin_of(Genesis.parse(genesis)),
    )
    trust.save(draft.trust)
    write_settings(draft.settings, settings)


def genesis_document(
    contracts: Contracts,
    origin: str,
    chain_id: int,
    timestamp: int,
    more_alloc: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """A geth `genesis.json` with the "tallystick" section (docs/architecture.md)."""
    return {
        "config": {
            "chainId": chain_id,
            "terminalTotalDifficulty": 0,
            "shanghaiTime": 0,
            "cancunTime": 0,
            "pragueTime": 0,
        },
        "timestamp": hex(timestamp),
        "gasLimit": hex(BLOCK_GAS_LIMIT),
        "difficulty": "0x0",
        "nonce": "0x0",
        "extraData": "0x",
        "mixHash": "0x" + "00" * 32,
        "coinbase": "0x" + "00" * 20,
        "baseFeePerGas": "0x0",
        "alloc": {**contracts.alloc, **(more_alloc or {})},
        "tallystick": {
            "origin": origin,
            **contracts.section,
            "limits": {"transactionSizeBytesMax": 1 << 20, "blockSizeBytesMax": 8 << 20},
        },
    }


def first_contracts(founders: Sequence[Founder], nodes: Sequence[FoundingNode] = ()) -> Contracts:
    """The contracts of a ledger with one node at most: its first founder alone has a vote."""
    return Contracts(*consortium_alloc(founders, nodes, votes={founders[0].id: 1}))


def _founder(keys: KeyStore, member: MemberSpec, developer_of: str | None) -> Founder:
    accounts: list[Address] = [keys.create_account(member.id).address]
    if member.id == developer_of:
        accounts.append(keys.create_account(DEVELOPER_LABEL).address)
    return Founder(
        id=member.id,
        role=member.role,
        profile=Profile(member.name, member.name_zh),
        accounts=tuple(accounts),
    )
