"""A node at work: the ledger and everything that follows it, opened and closed in order."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

from fastapi import FastAPI
from sqlalchemy import Engine

from api import ApiSettings, KeyStore, Services, create_app
from contracts.consortium import ConsortiumHandler, founders_of
from contracts.genesis import AllocEntry
from ledger.chain import Genesis, Ledger
from ledger.consensus import SoloDriver
from ledger.crypto import KeyKind
from ledger.crypto import KeyStore as SecretStore
from ledger.projection import Projector, open_database, upgrade
from ledger.rpc import RpcServer
from ledger.types import Address
from nodes.errors import SettingsInvalid
from nodes.founding import DEVELOPER_LABEL, LOG_KEY_LABEL
from nodes.layout import NodeDirectory
from nodes.settings import NodeSettings, load_settings
from traceability.bundle import Trust
from traceability.capture import CaptureService, CaptureSettings, Signer
from traceability.projection import PreparedBatches, ProvenanceHandler

THREAD_SWITCH_S: Final = 0.001
"""The chain's writer and the event loop share the interpreter: waits at the door stay short."""


@dataclass
class NodeRuntime:
    """All parts of an open node. Use as a context manager."""

    directory: NodeDirectory
    settings: NodeSettings
    genesis: Genesis
    ledger: Ledger
    engine: Engine
    projector: Projector
    capture: CaptureService
    keys: KeyStore
    secrets: SecretStore
    trust: Trust
    _closing: ExitStack = field(default_factory=ExitStack)

    @classmethod
    def open(
        cls,
        root: Path,
        passphrase: str,
        adjust: Callable[[NodeSettings], NodeSettings] | None = None,
    ) -> NodeRuntime:
        """Open a node's folder and start its parts: chain, projection, capture.

        Raises NotANodeDirectory, SettingsInvalid and what the parts raise.
        """
        directory = NodeDirectory(root)
        directory.check()
        settings = load_settings(directory.settings)
        settings = adjust(settings) if adjust else settings
        sys.setswitchinterval(THREAD_SWITCH_S)
        closing = ExitStack()
        with ExitStack() as guard:
            guard.push(closing)
            secrets = SecretStore(directory.keys, passphrase)
            genesis = Genesis.load(directory.genesis)
            trust = Trust.load(directory.trust)
            ledger = Ledger.open(
                directory.chain,
                genesis=genesis,
                signer=secrets.load_note(LOG_KEY_LABEL),
                map_size_bytes=settings.chain.map_size_gib << 30,
            )
            closing.callback(ledger.close)
            engine = open_database(database_url(directory, settings))
            closing.callback(engine.dispose)
            upgrade(engine)
            prepared = PreparedBatches()
            projector = make_projector(engine, ledger, genesis, prepared)
            projector.start()
            closing.callback(projector.stop)
            driver = SoloDriver(ledger, block_interval_ms=settings.chain.block_interval_ms)
            driver.start()
            closing.callback(driver.stop)
            capture = CaptureService(
                engine,
                ledger,
                projector,
                signers_of(secrets),
                settings=CaptureSettings(workers=settings.capture.workers),
                prepared=prepared,
            )
            capture.start()
            closing.callback(capture.stop)
            guard.pop_all()
        return cls(
            directory=directory,
            settings=settings,
            genesis=genesis,
            ledger=ledger,
            engine=engine,
            projector=projector,
            capture=capture,
            keys=KeyStore(engine),
            secrets=secrets,
            trust=trust,
            _closing=closing,
        )

    def __enter__(self) -> NodeRuntime:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def api(self, public_url: str) -> FastAPI:
        """The HTTP application; QR codes lead to `public_url`."""
        per_minute = self.settings.api.requests_per_minute
        return create_app(
            Services(
                ledger=self.ledger,
                projector=self.projector,
                capture=self.capture,
                engine=self.engine,
                keys=self.keys,
                trust=self.trust,
                settings=ApiSettings(
                    rate_per_address_per_s=per_minute / 60,
                    rate_per_address_burst=max(1, per_minute // 30),
                ),
                public_url=self.settings.api.public_url or public_url,
                name=self.settings.name,
            )
        )

    def rpc(self) -> RpcServer:
        """The JSON-RPC application."""
        return RpcServer(self.ledger)


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


def _alloc_entry(genesis: Genesis, address: Address) -> AllocEntry:
    """The contract's entry as the genesis file has it; keys there may be spelled either way."""
    for key, entry in genesis.fields["alloc"].items():
        if bytes.fromhex(key.removeprefix("0x")) == address:
            return cast(AllocEntry, entry)
    raise SettingsInvalid(f"genesis.json places no contract at 0x{address.hex()}")


def signers_of(secrets: SecretStore) -> dict[str, Signer]:
    """Accounts that this node may sign captures with, by organisation."""
    return {
        entry.label: secrets.load_account(entry.label)
        for entry in secrets.list()
        if entry.kind is KeyKind.ACCOUNT and entry.label != DEVELOPER_LABEL
    }
