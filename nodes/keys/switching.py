"""Keys that are next take over when the node starts, once the ledger knows them.

`tally node keys rotate` makes a key, puts it into `keys/next` and tells the ledger of it. Nothing
of that changes a running node. When it starts again the functions here put the new keys in place;
an interruption at any point is made good at the next start.
"""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Final

from ledger.chain import Genesis, Ledger, SignerMismatch
from ledger.chain.permission import Permission, mapping_slot
from ledger.chain.rotation import rotate_log_key
from ledger.chain.types import PermissionLayout
from ledger.consensus.cometbft import ensure_node_key
from ledger.crypto import KeyKind, KeyNotFound, KeyStore
from ledger.state.protocol import StateReader
from ledger.tlog import KeyRotation, NoteMalformed, NoteSigner, NoteVerifier, open_rotation
from ledger.types import Address
from nodes.founding import LOG_KEY_LABEL, VALIDATOR_KEY_LABEL
from nodes.layout import NodeDirectory
from nodes.membership import members_of
from nodes.network.descriptor import Descriptor
from nodes.trust_file import change_trust
from traceability.bundle import Trust, TrustStore
from traceability.bundle.rotation import rotated

_LOG = logging.getLogger(__name__)
ROTATIONS: Final = "rotations"
"""Folder of a node: a file for each change of the log's key, for those who verify."""


def switch_log_key(
    directory: NodeDirectory, genesis: Genesis, secrets: KeyStore, map_size_bytes: int
) -> Path | None:
    """Sign the log with the next key, if there is one and the ledger names it.

    The ledger must not be open. Where to find the record of the change; None where nothing
    changed. Raises what opening the ledger and the keys raises.
    """
    if secrets.next.entry(KeyKind.NOTE, LOG_KEY_LABEL) is None:
        return None
    old = NoteSigner(genesis.origin, secrets.load_note(LOG_KEY_LABEL).key)
    new = NoteSigner(genesis.origin, secrets.next.load_note(LOG_KEY_LABEL).key)
    if not _begun(directory) or not _is_named(directory, genesis, old, new, map_size_bytes):
        return None
    record = directory.root / ROTATIONS / f"{new.verifier.key_id.hex()}.txt"
    rotate_log_key(
        directory.chain,
        old,
        new,
        keep=lambda note: _write_durable(record, note),
        map_size_bytes=map_size_bytes,
    )
    rotation = open_rotation(record.read_text("utf-8"))
    change_trust(
        directory.trust, lambda now: rotated(now, rotation) if _lists(now, rotation) else now
    )
    store = TrustStore()  # of who starts the node: known logs change as they are told
    known = store.find(genesis.origin)
    if known is not None and _lists(known, rotation):
        store.add(rotated(known, rotation), replace=True)
    secrets.promote(KeyKind.NOTE, LOG_KEY_LABEL)
    refresh_descriptor(directory, secrets)
    return record


def switch_accounts(ledger: Ledger, secrets: KeyStore) -> tuple[str, ...]:
    """Act with those next accounts that may transact by now; their labels.

    Only for the organisation of the key before: another member may have been faster, and have put
    the address on the ledger as its own.
    """
    waiting = [one.label for one in secrets.next.list() if one.kind is KeyKind.ACCOUNT]
    layout = ledger.genesis.permission
    switched = []
    for label in waiting:
        address = secrets.next.load_account(label).address
        before = secrets.entry(KeyKind.ACCOUNT, label)
        with ledger.state() as state:
            permitted = Permission(layout, state).refusal(address) is None
            if layout is not None and before is not None:
                old = Address(bytes.fromhex(before.public[2:]))
                owner, own = (_organisation(state, layout, one) for one in (address, old))
                if owner and owner != own:
                    _LOG.critical("account 0x%s is another member's: not used", address.hex())
                    permitted = False
        if permitted:
            secrets.promote(KeyKind.ACCOUNT, label)
            switched.append(label)
    return tuple(switched)


def _organisation(state: StateReader, layout: PermissionLayout, address: Address) -> int:
    """Whose account it is, by the ledger; 0 where nobody's."""
    slot = mapping_slot(bytes(12) + address, layout.accounts_slot)
    return state.storage(layout.contract, slot)


def refresh_descriptor(directory: NodeDirectory, secrets: KeyStore) -> None:
    """Write the keys that are in use into the node's descriptor, where it has one."""
    if not directory.descriptor.is_file():
        return
    before = Descriptor.load(directory.descriptor)
    account = secrets.load_account(before.organisation)
    try:
        validator = secrets.load_validator(VALIDATOR_KEY_LABEL).public_key
    except KeyNotFound:
        validator = before.validator_key
    after = replace(
        before,
        accounts=(account.address, *before.accounts[1:]),
        validator_key=validator,
        witness_key=secrets.note_verifier(LOG_KEY_LABEL).public_key,
        signature=before.signature,
    )
    if after != before:
        data = after.signed(account).encode()
        _write_durable(directory.descriptor, data.decode())


def _lists(trust: Trust, rotation: KeyRotation) -> bool:
    return any(key.public_key == rotation.old.public_key for key in trust.keys)


def _begun(directory: NodeDirectory) -> bool:
    return directory.chain.is_dir() and any(directory.chain.iterdir())


def _is_named(
    directory: NodeDirectory,
    genesis: Genesis,
    old: NoteSigner,
    new: NoteSigner,
    map_size_bytes: int,
) -> bool:
    """Whether the consortium knows the new key; a log of one node asks nobody."""
    if genesis.nodes is None or not directory.descriptor.is_file():
        return True
    try:
        ledger = Ledger.open(
            directory.chain, genesis=genesis, signer=old, map_size_bytes=map_size_bytes
        )
    except SignerMismatch:
        return True  # an earlier start came as far as the log's head
    with ledger:
        own = ensure_node_key(directory.engine)
        keys = [one.contact.witness_key for one in members_of(ledger) if one.entry.id == own]
    return any(_public(key) == new.key.public_key for key in keys)


def _public(vkey: str) -> bytes | None:
    try:
        return NoteVerifier.parse(vkey).public_key
    except NoteMalformed:
        return None


def _write_durable(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
