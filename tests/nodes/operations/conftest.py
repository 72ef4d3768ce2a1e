"""A real ledger with its driver and projector, and the operator's listener over them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from ledger.chain import Ledger
from ledger.consensus import SoloDriver
from ledger.projection import Projector
from ledger.tlog import NoteSigner
from nodes.operations import OperationsServer, OperationsSettings, Sources, new_token
from tests.databases import migrated
from tests.ledger.chain.support import Sender, make_genesis, sender
from tests.ledger.projection.support import CountingHandler, metadata

TOKEN = new_token()


@dataclass
class Parts:
    """What the listener stands on."""

    ledger: Ledger
    driver: SoloDriver
    projector: Projector
    sources: Sources
    someone: Sender

    def mine(self, count: int = 1) -> None:
        """That many transactions, each in a block of its own."""
        for number in range(count):
            self.ledger.wait_for(self.ledger.submit(self.someone.call(number + 1)), 30)


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    folders = {"chain": tmp_path / "chain", "database": tmp_path / "tally.sqlite"}
    engine = migrated(f"sqlite:///{folders['database']}")
    metadata.create_all(engine)
    with Ledger.open(
        folders["chain"],
        genesis=make_genesis(),
        signer=NoteSigner("tallystick.example/test", bytes(range(32))),
        map_size_bytes=1 << 30,
    ) as ledger:
        driver = SoloDriver(ledger)
        projector = Projector(engine, ledger, [CountingHandler()])
        driver.start()
        projector.start()
        sources = Sources("Test node", folders, ledger, projector, driver)
        yield Parts(ledger, driver, projector, sources, sender(1))
        projector.stop()
        driver.stop()
    engine.dispose()


@dataclass
class Listener:
    """The listener as a client meets it."""

    server: OperationsServer
    client: TestClient

    def get(self, path: str, *, token: str | None = TOKEN) -> Any:
        return self.client.get(path, headers=bearer(token))

    def post(self, path: str, *, token: str | None = TOKEN, **body: Any) -> Any:
        return self.client.post(path, headers=bearer(token), **body)


def bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def listening(parts: Parts, settings: OperationsSettings | None = None, **changed: Any) -> Listener:
    """The listener over these parts, some of them changed. Stop its server."""
    bounds = settings or OperationsSettings(disk_free_mib_min=1, requests_per_minute=60_000)
    server = OperationsServer(replace(parts.sources, **changed), bounds, token=TOKEN)
    server.start()
    return Listener(server, TestClient(server.application))


@pytest.fixture
def listener(parts: Parts) -> Iterator[Listener]:
    made = listening(parts)
    yield made
    made.server.stop()
