"""A whole node with its HTTP interface, in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from starlette.testclient import TestClient

from api import ApiSettings, KeyStore, Services, create_app
from api.operations import Operations
from contracts.consortium import CONSORTIUM_ADDRESS
from contracts.provenance import PROVENANCE_ADDRESS
from ledger.tlog import NoteVerifier
from tests.ledger.projection.support import empty_database
from tests.traceability.capture.stack import (
    FARM,
    OFFICE,
    ORIGIN,
    Identity,
    Stack,
    make_identity,
    running,
)
from traceability.bundle import Trust
from traceability.capture.tables import capture_job

BACKENDS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.slow))


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Every request is seen on both; on PostgreSQL with the slow tests, since there are many."""
    with empty_database(request.param, tmp_path) as url:
        yield url


@dataclass
class Node:
    """What the tests talk to, and look behind."""

    stack: Stack
    services: Services
    app: FastAPI
    client: TestClient
    keys: dict[str, str]

    def auth(self, organisation: str = FARM) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[organisation]}"}

    def capture(self, data: bytes, organisation: str = FARM, **headers: str) -> httpx.Response:
        """POST a document."""
        given = {"Content-Type": "application/ld+json", **self.auth(organisation), **headers}
        return self.client.post("/capture", content=data, headers=given)

    def captured(self, data: bytes, organisation: str = FARM, **headers: str) -> dict[str, Any]:
        """POST a document and wait for its job."""
        answer = self.capture(data, organisation, **headers)
        assert answer.status_code == 202, answer.text
        location = answer.headers["location"]
        self.stack.capture.finished(location.rpartition("/")[2]).result(30)
        job: dict[str, Any] = self.client.get(location, headers=self.auth(organisation)).json()
        return job

    def footprint(self) -> tuple[int, int]:
        """Head of the chain and number of jobs: what a refused request must not change."""
        with self.stack.engine.connect() as connection:
            jobs = connection.execute(select(func.count()).select_from(capture_job)).scalar_one()
        return self.stack.head(), int(jobs)


@pytest.fixture(scope="session")
def identity() -> Identity:
    return make_identity()


def open_node(
    exits: ExitStack,
    folder: Path,
    identity: Identity,
    database_url: str,
    settings: ApiSettings | None = None,
    *,
    with_parts: Callable[[Services], Services] = lambda services: services,
    **options: Any,
) -> Node:
    """A node that runs until `exits` is closed; `with_parts` adds what else it is to have."""
    stack = exits.enter_context(running(folder, identity, database_url=database_url, **options))
    keys = KeyStore(stack.engine)
    operations = Operations(
        stack.engine, stack.ledger, stack.projector, stack.signers, stack.nonces
    )
    operations.start()
    exits.callback(operations.stop)
    services = Services(
        ledger=stack.ledger,
        projector=stack.projector,
        capture=stack.capture,
        engine=stack.engine,
        keys=keys,
        trust=trust_of(stack),
        operations=operations,
        settings=settings or ApiSettings(),
    )
    services = with_parts(services)
    app = create_app(services)
    client = exits.enter_context(TestClient(app, raise_server_exceptions=False))
    secrets = {name: keys.create(name)[0] for name in identity.accounts if name != OFFICE}
    return Node(stack, services, app, client, secrets)


@pytest.fixture
def make_node(
    tmp_path: Path, identity: Identity, database_url: str
) -> Iterator[Callable[..., Node]]:
    """`make_node(settings, capture_settings)` starts a node; one a test, on each database."""
    with ExitStack() as exits:

        def make(settings: ApiSettings | None = None, **options: Any) -> Node:
            return open_node(exits, tmp_path, identity, database_url, settings, **options)

        yield make


@pytest.fixture(scope="module", params=BACKENDS)
def share_node(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, identity: Identity
) -> Iterator[Callable[..., Node]]:
    """As `make_node`, one for a module: for tests that look at their own records alone."""
    folder = tmp_path_factory.mktemp("shared")
    with ExitStack() as exits:
        url = exits.enter_context(empty_database(request.param, folder))

        def make(settings: ApiSettings | None = None, **options: Any) -> Node:
            return open_node(exits, folder, identity, url, settings, **options)

        yield make


@pytest.fixture(scope="module")
def any_node(share_node: Callable[..., Node]) -> Node:
    """A node for all tests of a module that leave nothing on it."""
    return share_node(ApiSettings(rate_per_address_per_s=0, rate_per_key_per_s=0))


@dataclass
class Clock:
    """What this process takes for the time, nodes within it too: it can be moved on."""

    moved_s: float = 0.0

    def reach(self, moment: float) -> None:
        """Be just past a moment (Unix seconds) without waiting for it."""
        self.moved_s += max(0.0, moment + 0.2 - time.time())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made, real = Clock(), time.time
    monkeypatch.setattr(time, "time", lambda: real() + made.moved_s)
    return made


@pytest.fixture
def node(make_node: Callable[..., Node]) -> Node:
    return make_node()


def trust_of(stack: Stack) -> Trust:
    return Trust(
        name="Test consortium",
        origin=ORIGIN,
        keys=(NoteVerifier.parse(stack.ledger.vkey),),
        threshold=1,
        chain_id=stack.ledger.chain_id,
        consortium=CONSORTIUM_ADDRESS,
        provenance=PROVENANCE_ADDRESS,
    )
