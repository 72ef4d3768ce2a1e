"""A node at work: the ledger and everything that follows it, opened and closed in order."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from sqlalchemy import Engine

from api import ApiSettings, KeyStore, Services, create_app
from api.hooks import HookService, HookSettings
from api.operations import Operations
from api.stream import Tail
from ledger.chain import Genesis, Ledger
from ledger.consensus import Driver
from ledger.consensus.cometbft import CometBftDriver, EngineStart, ensure_node_key
from ledger.crypto import KeyStore as SecretStore
from ledger.projection import Projector, open_database, upgrade
from ledger.rpc import RpcServer
from ledger.sending import Nonces
from ledger.witness import Witness
from nodes.keys.switching import switch_accounts, switch_log_key
from nodes.layout import NodeDirectory
from nodes.observed import sources_of
from nodes.opening import (
    Snapshots,
    database_url,
    engine_access,
    follow_peers,
    make_projector,
    open_driver,
    open_gatherer,
    open_ledger,
    open_sealer,
    open_snapshots,
    open_witness,
    signers_of,
)
from nodes.operations import OperationsServer
from nodes.pinning import complete_pin
from nodes.settings import NodeSettings, load_settings
from nodes.versions import follow_versions, refresh_trust
from traceability.bundle import Trust
from traceability.capture import CaptureService, CaptureSettings
from traceability.projection import PreparedBatches

THREAD_SWITCH_S: Final = 0.001
"""The chain's writer and the event loop share the interpreter: waits at the door stay short."""


@dataclass
class NodeRuntime:
    """All parts of an open node. Use as a context manager."""

    directory: NodeDirectory
    settings: NodeSettings
    genesis: Genesis
    ledger: Ledger
    driver: Driver
    engine: Engine
    projector: Projector
    witness: Witness | None
    snapshots: Snapshots | None
    capture: CaptureService
    changes: Operations
    webhooks: HookService
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
        *,
        accept_loss: bool = False,
    ) -> NodeRuntime:
        """Open a node's folder and start its parts: chain, projection, capture.

        `accept_loss`: see `open_driver`.
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
            switch_log_key(directory, genesis, secrets, settings.chain.map_size_gib << 30)
            ledger = open_ledger(directory, settings, genesis, secrets)
            closing.callback(ledger.close)
            complete_pin(directory, genesis, engine=settings.consensus.driver == "cometbft")
            trust = refresh_trust(ledger, directory.trust)
            closing.callback(follow_versions(ledger, directory.trust))
            switch_accounts(ledger, secrets)
            engine = open_database(database_url(directory, settings))
            closing.callback(engine.dispose)
            upgrade(engine)
            prepared = PreparedBatches()
            projector = make_projector(engine, ledger, genesis, prepared)
            projector.start()
            closing.callback(projector.stop)
            witness = open_witness(directory, settings, ledger, secrets)
            if witness is not None:
                closing.callback(witness.close)
                witness.start()
                gatherer = open_gatherer(settings, witness)
                closing.callback(gatherer.close)
                gatherer.start()
            snapshots = open_snapshots(directory, settings, ledger)
            if snapshots is not None:
                closing.callback(snapshots.service.stop)
                snapshots.service.start()
            service = None if snapshots is None else snapshots.service
            driver = open_driver(
                directory, settings, ledger, secrets, service, accept_loss=accept_loss
            )
            closing.callback(driver.stop)
            driver.start()
            closing.callback(follow_peers(ledger, driver))
            signers, nonces = signers_of(secrets), Nonces(ledger)
            operations = Operations(engine, ledger, projector, signers, nonces)
            operations.adopt()  # before anybody signs: what was under way keeps its nonces
            capture = CaptureService(
                engine,
                ledger,
                projector,
                signers,
                settings=CaptureSettings(workers=settings.capture.workers),
                prepared=prepared,
                provenance=genesis.contracts["provenance"],
                nonces=nonces,
            )
            capture.start()
            closing.callback(capture.stop)
            operations.start()
            closing.callback(operations.stop)
            webhooks = HookService(
                engine,
                Tail(engine, ledger, projector),
                HookSettings(allow_private_addresses=settings.webhooks.allow_private_addresses),
                sealer=open_sealer(secrets),
            )
            webhooks.start()
            closing.callback(webhooks.stop)
            guard.pop_all()
        return cls(
            directory=directory,
            settings=settings,
            genesis=genesis,
            ledger=ledger,
            driver=driver,
            engine=engine,
            projector=projector,
            witness=witness,
            snapshots=snapshots,
            capture=capture,
            changes=operations,
            webhooks=webhooks,
            keys=KeyStore(engine),
            secrets=secrets,
            trust=trust,
            _closing=closing,
        )

    def __enter__(self) -> NodeRuntime:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    @property
    def node_id(self) -> bytes | None:
        """By which its peers know this node; None where it has never been meant for any."""
        place = self.directory
        return ensure_node_key(place.engine) if place.node_key.exists() else None

    def halted(self) -> str | None:
        """Why this node must not go on, if so: its ledger would no longer be that of the others."""
        status = self.driver.status()
        return (status.error or "consensus is halted") if status.halted else None

    def waits_for_beginning(self, now_s: float) -> str | None:
        """What is wrong where the network begins later than this clock says it is; else None.

        The engine waits for that moment and says nothing (CometBFT, node `OnStart`).
        """
        if not isinstance(self.driver, CometBftDriver) or self.driver.height():
            return None
        begins_s = EngineStart.parse(self.driver.genesis()).time
        if begins_s <= now_s:
            return None
        moment = datetime.fromtimestamp(begins_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return (
            f"the network begins at {moment}, {begins_s - now_s:.0f} s from now by this machine's "
            "clock: nothing is agreed on before; is the clock right, and was the genesis' --time?"
        )

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
                witness=self.witness,
                consensus=engine_access(self.driver, self.snapshots),
                webhooks=self.webhooks,
                operations=self.changes,
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

    def operations(self, token: str) -> OperationsServer:
        """The operator's listener. Start it before it serves."""
        return OperationsServer(sources_of(self), self.settings.operations, token=token)
