"""The client of the command line: which node it asks, and what it says of a bad answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from nodes.client import (
    DEFAULT_URL,
    NodeAddress,
    NodeClient,
    find_address,
    remember,
    remembered_path,
)
from nodes.errors import NodeUnreachable, RequestRefused

pytestmark = pytest.mark.feature("A4")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TALLY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("TALLY_URL", raising=False)
    monkeypatch.delenv("TALLY_API_KEY", raising=False)
    return tmp_path / "home"


# ---- which node ---------------------------------------------------------------------------------


def test_without_anything_known_it_is_the_default() -> None:
    assert find_address(None, None) == NodeAddress(DEFAULT_URL, None)


def test_the_remembered_node_is_asked_with_its_key() -> None:
    remember(NodeAddress("http://127.0.0.1:9/", "secret"))
    assert find_address(None, None) == NodeAddress("http://127.0.0.1:9", "secret")


def test_the_remembered_key_is_not_shown_to_another_node() -> None:
    remember(NodeAddress("http://127.0.0.1:9", "secret"))
    assert find_address("http://other", None) == NodeAddress("http://other", None)
    assert find_address("http://127.0.0.1:9/", None).key == "secret"


def test_options_come_before_the_environment_and_that_before_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    remember(NodeAddress("http://memory", "a"))
    monkeypatch.setenv("TALLY_URL", "http://environment")
    assert find_address(None, None) == NodeAddress("http://environment", None)
    monkeypatch.setenv("TALLY_API_KEY", "b")
    assert find_address(None, None) == NodeAddress("http://environment", "b")
    assert find_address("http://option", "c") == NodeAddress("http://option", "c")


def test_the_remembered_key_is_readable_by_its_owner_only() -> None:
    remember(NodeAddress("http://127.0.0.1:9", "secret"))
    assert remembered_path().stat().st_mode & 0o777 == 0o600
    remembered_path().chmod(0o644)
    remember(NodeAddress("http://127.0.0.1:9", "another"))
    assert remembered_path().stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "{", "[]", "1", '{"url": 1}', '{"key": "x"}'])
def test_a_damaged_memory_is_no_memory(home: Path, text: str) -> None:
    home.mkdir()
    remembered_path().write_text(text)
    assert find_address(None, None) == NodeAddress(DEFAULT_URL, None)


# ---- what is answered ---------------------------------------------------------------------------


class Answers(BaseHTTPRequestHandler):
    """Answers everything alike."""

    status: ClassVar[int] = 200
    body: ClassVar[bytes] = b""

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def answering() -> Iterator[Callable[[int, object], NodeClient]]:
    servers: list[ThreadingHTTPServer] = []

    def start(status: int, body: object) -> NodeClient:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler = type("Handler", (Answers,), {"status": status, "body": raw})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return NodeClient(NodeAddress(f"http://127.0.0.1:{server.server_port}"))

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


PROBLEM = {
    "title": "Bad request",
    "detail": "the document is not valid",
    "errors": [{"pointer": "/epcisBody", "detail": "is missing"}, {"title": "second"}],
}


@pytest.mark.parametrize(
    ("status", "body", "line"),
    [
        (
            422,
            PROBLEM,
            "422: the document is not valid (/epcisBody: is missing; second)",
        ),
        (
            401,
            {"title": "Unauthorized"},
            "401: Unauthorized (name a bearer key by --key or TALLY_API_KEY; `tally key create` "
            "makes one)",
        ),
        (500, b"<html>", "500 Internal Server Error"),
        (404, [], "404 Not Found"),
    ],
)
def test_a_problem_becomes_one_line(
    answering: Callable[[int, object], NodeClient], status: int, body: object, line: str
) -> None:
    with answering(status, body) as node, pytest.raises(RequestRefused) as refused:
        node.submit(b"{}")
    assert str(refused.value) == line


@pytest.mark.parametrize("body", [b"<html>", b"", [], {}, 1])
def test_what_is_no_node_is_recognised(
    answering: Callable[[int, object], NodeClient], body: object
) -> None:
    with answering(200, body) as node:
        for ask in (
            lambda: node.submit(b"{}"),
            lambda: node.item("/01/1"),
            lambda: node.wait("/capture/1"),
        ):
            with pytest.raises(NodeUnreachable, match="no Tallystick node"):
                ask()


def test_a_job_that_does_not_end_is_given_up(
    answering: Callable[[int, object], NodeClient],
) -> None:
    with (
        answering(200, {"running": True}) as node,
        pytest.raises(NodeUnreachable, match="still running"),
    ):
        node.wait("/capture/1", timeout_s=0.1)


@pytest.mark.parametrize("url", ["ftp://x", "x", "", "http://[", "http://\n", "http://x:99999"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(NodeUnreachable), NodeClient(NodeAddress(url)) as node:
        node.status()


def test_a_node_that_is_not_there_is_said_in_one_line() -> None:
    with (
        NodeClient(NodeAddress("http://127.0.0.1:1")) as node,
        pytest.raises(NodeUnreachable, match="no answer from http"),
    ):
        node.status()
