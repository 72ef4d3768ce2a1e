"""A feed over a chain in memory, and an HTTP server of it on a free port."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from api.errors import Refusal
from api.gate import Gate
from api.problems import problem_response
from api.resources import Resources
from api.settings import ApiSettings
from api.stream import Connections, EventStream, StreamSettings, Tail
from contracts.instruments.viewer import Viewer
from contracts.notices import NoticeFilter, Place
from ledger.projection import Projector
from tests.contracts.notices.saying import COUNTED, handler, one, say
from tests.databases import migrated
from tests.ledger.projection.support import MemoryChain


@contextmanager
def listening(app: ASGIApp) -> Iterator[str]:
    """The URL of an application that is served until the block ends."""
    place = socket.socket()
    place.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1, backlog=512
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([place],), daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.started
    try:
        yield f"http://127.0.0.1:{place.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        place.close()


def until(condition: Any, timeout_s: float = 20.0) -> None:
    """Wait for something that happens in another thread."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return problem_response(error)


@dataclass
class Feed:
    """A chain, its projection and the tail of its notices."""

    folder: Path
    chain: MemoryChain = field(default_factory=MemoryChain)
    engine: Engine = field(init=False)
    projector: Projector = field(init=False)
    tail: Tail = field(init=False)
    memory: int = 100

    def __post_init__(self) -> None:
        self.engine = migrated(f"sqlite:///{self.folder}/feed.sqlite")
        self.projector = Projector(self.engine, self.chain, [handler()])
        self.projector.start()
        self.tail = Tail(self.engine, self.chain, self.projector, self.memory)

    def close(self) -> None:
        self.projector.stop()
        self.engine.dispose()

    def tell(self, *parties: Sequence[str], kind: str = "thing.done", size: int = 0) -> str:
        """A block with one notice for each of these; the id of the first."""
        notices = [one(kind, 0, list(names)) for names in parties]
        # Each about a record of its own: whoever was a party before hears nothing of it.
        for number, notice in enumerate(notices):
            notice["id"] = f"0x{len(self.chain.blocks):060x}{number:04x}"
            notice["body"] = {"filling": "x" * size}
        block = self.chain.add([(COUNTED, b"", [say(*notices)])])
        return str(Place(block.block.header.number, 0, 0))


@dataclass
class Server:
    """The feed over HTTP: whoever names himself is believed."""

    feed: Feed
    settings: StreamSettings = field(default_factory=StreamSettings)
    revoked: set[str] = field(default_factory=set)
    connections: Connections = field(init=False)
    url: str = ""

    def __post_init__(self) -> None:
        self.connections = Connections(self.feed.tail, self.settings)

    @contextmanager
    def running(self, api: ApiSettings | None = None) -> Iterator[Server]:
        app = Starlette(
            routes=[Route("/stream", self._stream)], exception_handlers={Refusal: _refused}
        )
        settings = api or ApiSettings()
        gate = Gate(app, settings=settings, resources=Resources(app.routes))
        with listening(gate) as self.url:
            yield self

    async def _stream(self, request: Request) -> Response:
        name = request.query_params["as"]
        known = request.headers.get("last-event-id")
        viewer = Viewer.everything() if name == "everybody" else Viewer.of(name)
        self.connections.check(name)
        return EventStream(
            self.connections,
            viewer,
            name,
            NoticeFilter(tuple(request.query_params.getlist("kind"))),
            None if known is None else (Place.parse(known).position if known else -1),
            lambda: name not in self.revoked,
        )

    @contextmanager
    def reading(
        self, name: str, last_id: str | None = None, *kinds: str
    ) -> Iterator[Iterator[str]]:
        """Lines of a stream."""
        headers = {} if last_id is None else {"Last-Event-ID": last_id}
        parameters = [("as", name), *(("kind", kind) for kind in kinds)]
        url = f"{self.url}/stream"
        with httpx.stream("GET", url, params=parameters, headers=headers, timeout=20) as answer:
            assert answer.status_code == 200, answer.read()
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield answer.iter_lines()
