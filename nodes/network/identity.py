"""A node's identity: its keys, its settings and the descriptor that it shows to others."""

from __future__ import annotations

import secrets as randomness
import shutil
from dataclasses import dataclass

from contracts.consortium import Profile, Role
from contracts.network import FoundingNode
from ledger.consensus.cometbft import ensure_node_key
from ledger.consensus.cometbft.home import Home
from ledger.consensus.validator import begin_record
from ledger.crypto import KeyKind, KeyStore
from ledger.types import Address
from nodes.endpoints import PeerEndpoint
from nodes.errors import DirectoryNotEmpty
from nodes.founding import DEVELOPER_LABEL, LOG_KEY_LABEL, VALIDATOR_KEY_LABEL, OwnNode
from nodes.layout import NodeDirectory
from nodes.network.descriptor import Descriptor
from nodes.network.founders import founding_node
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
        keys = KeyStore(draft.keys, passphrase)
        keys.create_account(spec.organisation)
        if developer:
            keys.create_account(DEVELOPER_LABEL)
        keys.create_note(LOG_KEY_LABEL, spec.label)
        descriptor = describe_node(draft, keys, spec)
        write_settings(draft.settings, settings)
        draft.root.rename(root)  # replaces an empty folder, and nothing else
    except BaseException:
        shutil.rmtree(draft.root, ignore_errors=True)
        raise
    return descriptor


def first_validator(spec: NodeSpec) -> OwnNode:
    """The node of a ledger that begins with one validator (`found_solo`)."""

    def make(draft: NodeDirectory, keys: KeyStore, origin: str) -> FoundingNode:
        descriptor = describe_node(draft, keys, spec)
        return founding_node(descriptor, origin)

    return make


def describe_node(directory: NodeDirectory, keys: KeyStore, spec: NodeSpec) -> Descriptor:
    """Write the descriptor of a node whose account and log key are there; make the others.

    Raises `DescriptorInvalid` where the account cannot sign it.
    """
    if keys.entry(KeyKind.VALIDATOR, VALIDATOR_KEY_LABEL) is None:
        made = keys.create_validator(VALIDATOR_KEY_LABEL)
        begin_record(Home(directory.engine).signer_state, made.public_key)
    labels = (spec.organisation, DEVELOPER_LABEL)
    accounts = {
        entry.label: Address(bytes.fromhex(entry.public.removeprefix("0x")))
        for entry in keys.list()
        if entry.kind is KeyKind.ACCOUNT and entry.label in labels
    }
    descriptor = Descriptor(
        organisation=spec.organisation,
        profile=spec.profile,
        role=spec.role,
        accounts=tuple(accounts[label] for label in labels if label in accounts),
        label=spec.label,
        node_id=ensure_node_key(directory.engine),
        validator_key=keys.load_validator(VALIDATOR_KEY_LABEL).public_key,
        witness_key=keys.load_note(LOG_KEY_LABEL).verifier.public_key,
        p2p=spec.p2p,
        api=spec.api,
    ).signed(keys.load_account(spec.organisation))
    directory.descriptor.write_bytes(descriptor.encode())
    return descriptor
