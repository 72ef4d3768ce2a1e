"""The parts of a node, each opened by its settings. `nodes.runtime` puts them together."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Engine

from contracts.consortium import ConsortiumHandler, founders_of
from contracts.genesis import AllocEntry
from ledger.chain import Genesis, Ledger
from ledger.consensus import Driver, SoloDriver
from ledger.crypto import KeyKind
from ledger.crypto import KeyStore as SecretStore
from ledger.projection import Projector
from ledger.tlog import NoteSigner
from ledger.types import Address
from nodes.errors import SettingsInvalid
from nodes.founding import DEVELOPER_LABEL, LOG_KEY_LABEL
from nodes.layout import NodeDirectory
from nodes.settings import NodeSettings
from traceability.capture import Signer
from traceability.projection import PreparedBatches, ProvenanceHandler


def log_signer(secrets: SecretStore, origin: str) -> NoteSigner:
    """The node's key as that of the log: a consortium's origin is agreed on after keys are made."""
    return NoteSigner(origin, secrets.load_note(LOG_KEY_LABEL).key)


def open_ledger(
    directory: NodeDirectory, settings: NodeSettings, genesis: Genesis, secrets: SecretStore
) -> Ledger:
    """The chain in the node's folder; block 0 is made where there is none."""
    return Ledger.open(
        directory.chain,
        genesis=genesis,
        signer=log_signer(secrets, genesis.origin),
        map_size_bytes=settings.chain.map_size_gib << 30,
    )


def open_driver(
    directory: NodeDirectory, settings: NodeSettings, ledger: Ledger, secrets: SecretStore
) -> Driver:
    """Who decides the order, by `[consensus] driver`. Not started."""
    del directory, secrets
    return SoloDriver(ledger, block_interval_ms=settings.chain.block_interval_ms)


def database_url(directory: NodeDirectory, settings: NodeSettings) -> str:
    """The projection's database: what node.toml names, else SQLite in the folder."""
    return settings.database.url or f"sqlite:///{directory.database.absolute()}"


def make_projector(
    engine: Engine, ledger: Ledger, genesis: Genesis, prepared: PreparedBatches | None = None
) -> Projector:
    """The projector with the handlers of every room."""
    consortium = genesis.contracts["consortium"]
    provenance = genesis.contracts["provenance"]
    return Projector(
        engine,
        ledger,
        [
            ConsortiumHandler(founders_of(_alloc_entry(genesis, consortium)), consortium),
            ProvenanceHandler(prepared, provenance),
        ],
    )


def signers_of(secrets: SecretStore) -> dict[str, Signer]:
    """Accounts that this node may sign captures with, by organisation."""
    return {
        entry.label: secrets.load_account(entry.label)
        for entry in secrets.list()
        if entry.kind is KeyKind.ACCOUNT and entry.label != DEVELOPER_LABEL
    }


def _alloc_entry(genesis: Genesis, address: Address) -> AllocEntry:
    """The contract's entry as the genesis file has it; keys there may be spelled either way."""
    for key, entry in genesis.fields["alloc"].items():
        if bytes.fromhex(key.removeprefix("0x")) == address:
            return cast(AllocEntry, entry)
    raise SettingsInvalid(f"genesis.json places no contract at 0x{address.hex()}")
