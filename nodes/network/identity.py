"""A node's identity: its keys, its settings and the descriptor that it shows to others."""

from __future__ import annotations

import secrets as randomness
import shutil
from dataclasses import dataclass

from contracts.consortium import Profile, Role
from ledger.consensus.cometbft import ensure_node_key
from ledger.crypto import KeyStore
from ledger.types import Address
from nodes.endpoints import PeerEndpoint
from nodes.errors import DirectoryNotEmpty
from nodes.founding import DEVELOPER_LABEL, LOG_KEY_LABEL, VALIDATOR_KEY_LABEL
from nodes.layout import NodeDirectory
from nodes.network.descriptor import Descriptor
from nodes.settings import NodeSettings, write_settings


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """A node that is to be."""

    organisation: str
    """Id: `[a-z0-9-]{1,32}`."""
    profile: Profile
    role: Role
    label: str
    """Name of the node among those of the consortium."""
    p2p: PeerEndpoint
    """Where its peers reach it."""
    api: str
    """Where people and apps reach it (URL)."""


def init_node(
    directory: NodeDirectory,
    spec: NodeSpec,
    settings: NodeSettings,
    *,
    passphrase: str,
    developer: bool = False,
) -> Descriptor:
    """Make the folder of a node that belongs to no ledger yet. All or nothing.

    `developer`: with a second account whose key apps may use, since the first one is the capture
    service's alone. Raises `DirectoryNotEmpty` and what the key store raises.
    """
    if directory.root.exists() and any(directory.root.iterdir()):
        raise DirectoryNotEmpty(f"{directory.root} is not empty; name a new folder")
    root = directory.root.absolute()
    draft = NodeDirectory(root.with_name(f".{root.name}.{randomness.token_hex(4)}"))
    draft.root.mkdir(parents=True, mode=0o700)
    try:
        descriptor = _make_keys(draft, spec, passphrase, developer)
        draft.descriptor.write_bytes(descriptor.encode())
        write_settings(draft.settings, settings)
        draft.root.rename(root)  # replaces an empty folder, and nothing else
    except BaseException:
        shutil.rmtree(draft.root, ignore_errors=True)
        raise
    return descriptor


def _make_keys(
    draft: NodeDirectory, spec: NodeSpec, passphrase: str, developer: bool
) -> Descriptor:
    keys = KeyStore(draft.keys, passphrase)
    account = keys.create_account(spec.organisation)
    accounts: list[Address] = [account.address]
    if developer:
        accounts.append(keys.create_account(DEVELOPER_LABEL).address)
    witness = keys.create_note(LOG_KEY_LABEL, spec.label)
    validator = keys.create_validator(VALIDATOR_KEY_LABEL)
    return Descriptor(
        organisation=spec.organisation,
        profile=spec.profile,
        role=spec.role,
        accounts=tuple(accounts),
        label=spec.label,
        node_id=ensure_node_key(draft.engine),
        validator_key=validator.public_key,
        witness_key=witness.verifier.public_key,
        p2p=spec.p2p,
        api=spec.api,
    ).signed(account)
