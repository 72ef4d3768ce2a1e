"""The ABCI socket: framing, order, bounds, and what happens to faults."""

from __future__ import annotations

import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.consensus.cometbft import EngineHalted, EngineStartFailed
from ledger.consensus.cometbft import abci_pb2 as pb
from ledger.consensus.cometbft import server as server_module
from ledger.consensus.cometbft.errors import RequestMalformed
from ledger.consensus.cometbft.server import AbciServer
from ledger.consensus.wire import frame, read_frame, uvarint
from tests.ledger.consensus.cometbft.network import until

pytestmark = pytest.mark.feature("L2")


class Parrot:
    """Answers echoes; some words are faults."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.resume = threading.Event()

    def answer(self, request: pb.Request) -> pb.Response:
        kind = request.WhichOneof("value")
        if kind == "flush":
            return pb.Response(flush=pb.ResponseFlush())
        if kind != "echo":
            raise RequestMalformed("it does not speak that")
        message = request.echo.message
        self.heard.append(message)
        if message == "fault":
            raise EngineHalted("the state is not what it was")
        if message == "wait":
            assert self.resume.wait(20)
        return pb.Response(echo=pb.ResponseEcho(message=message))


class Engine:
    """The other end."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(20)
        self.socket.connect(str(path))
        self.stream = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive(self) -> pb.Response | None:
        try:
            data = read_frame(self.stream.read, 1 << 30)
        except ConnectionError:
            return None
        return None if data is None else pb.Response.FromString(data)

    def close(self) -> None:
        self.stream.close()
        self.socket.close()


def echo(message: str) -> bytes:
    return frame(pb.Request(echo=pb.RequestEcho(message=message)).SerializeToString())


FLUSH = frame(pb.Request(flush=pb.RequestFlush()).SerializeToString())


class Scene:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "abci"
        self.parrot = Parrot()
        self.faults: list[BaseException] = []
        self.server = AbciServer(self.path, self.parrot, self.faults.append)
        self.server.start()

    def dial(self) -> Engine:
        return Engine(self.path)


@pytest.fixture
def scene() -> Iterator[Scene]:
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene(Path(folder))
        yield scene
        scene.parrot.resume.set()
        scene.server.stop()


def test_answers_come_in_order_once_flushed(scene: Scene) -> None:
    engine = scene.dial()
    words = [f"word {n}" for n in range(300)]
    engine.send(b"".join(map(echo, words)) + FLUSH)
    answers = [engine.receive() for _ in range(301)]
    assert [one.echo.message for one in answers[:-1] if one] == words
    assert answers[-1] is not None
    assert answers[-1].WhichOneof("value") == "flush"
    engine.close()


def test_nothing_is_sent_before_the_engine_asks_for_it(scene: Scene) -> None:
    engine = scene.dial()
    engine.send(echo("early"))
    until(lambda: scene.parrot.heard == ["early"])
    engine.socket.settimeout(0.1)
    with pytest.raises(TimeoutError):
        engine.socket.recv(1)
    engine.socket.settimeout(20)
    engine.send(FLUSH)
    assert engine.socket.recv(100)
    engine.close()


def test_four_connections_do_not_wait_for_each_other(scene: Scene) -> None:
    engines = [scene.dial() for _ in range(4)]
    engines[0].send(echo("wait") + FLUSH)
    until(lambda: "wait" in scene.parrot.heard)
    for engine in engines[1:]:
        engine.send(echo("quick") + FLUSH)
        answer = engine.receive()
        assert answer is not None
        assert answer.echo.message == "quick"
    scene.parrot.resume.set()
    answer = engines[0].receive()
    assert answer is not None
    assert answer.echo.message == "wait"
    assert scene.server.connections == 4
    for engine in engines:
        engine.close()
    assert scene.server.wait_idle(10)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(words=st.lists(st.text(max_size=300), min_size=1, max_size=8), cuts=st.data())
def test_messages_may_come_in_any_pieces(
    scene: Scene, words: list[str], cuts: st.DataObject
) -> None:
    engine = scene.dial()
    data = b"".join(map(echo, words)) + FLUSH
    places = sorted(cuts.draw(st.lists(st.integers(0, len(data)), max_size=12)))
    for begin, end in zip([0, *places], [*places, len(data)], strict=True):
        engine.send(data[begin:end])
    for word in words:
        answer = engine.receive()
        assert answer is not None
        assert answer.echo.message == word
    engine.close()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(garbage=st.binary(min_size=1, max_size=400))
def test_garbage_closes_the_connection_and_no_other(scene: Scene, garbage: bytes) -> None:
    other, engine = scene.dial(), scene.dial()
    engine.send(garbage)
    engine.socket.shutdown(socket.SHUT_WR)
    while (answer := engine.receive()) is not None:
        assert answer.WhichOneof("value") != "exception"
    other.send(echo("alive") + FLUSH)
    assert other.receive() is not None
    assert scene.faults == []
    engine.close()
    other.close()


@pytest.mark.parametrize(
    "data",
    [
        echo("cut short")[:-1],
        uvarint(100),
        b"\xff" * 11,
        uvarint(server_module.MESSAGE_SIZE_BYTES_MAX + 1) + b"x",
        frame(b"\xff\xff\xff"),
        frame(pb.Request().SerializeToString()),
        frame(pb.Request(commit=pb.RequestCommit()).SerializeToString()),
        frame(b"\x22\x00"),  # field 4: SetOption, which ABCI 2.0 has no more
    ],
    ids=["truncated", "no body", "endless length", "too long", "no protobuf", "empty", "?", "old"],
)
def test_what_is_no_request_closes_the_connection_with_a_clear_line(
    scene: Scene, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    engine = scene.dial()
    engine.send(data)
    engine.socket.shutdown(socket.SHUT_WR)
    assert engine.receive() is None
    until(lambda: "no request" in caplog.text)
    assert scene.faults == []
    engine.close()


def test_a_message_that_is_too_long_is_not_read(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "MESSAGE_SIZE_BYTES_MAX", 1_000)
    engine = scene.dial()
    engine.send(echo("x" * 900) + FLUSH)
    assert engine.receive() is not None
    assert engine.receive() is not None
    engine.send(uvarint(1_001))
    assert engine.receive() is None
    engine.close()


def test_a_fault_is_told_and_closes_everything(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    other, engine = scene.dial(), scene.dial()
    other.send(echo("before") + FLUSH)
    assert other.receive() is not None
    engine.send(echo("before") + echo("fault") + echo("after") + FLUSH)
    answers = [engine.receive() for _ in range(3)]
    assert answers[0] is not None
    assert answers[0].echo.message == "before"
    assert answers[1] is not None
    assert answers[1].exception.error == "EngineHalted: the state is not what it was"
    assert answers[2] is None
    assert "after" not in scene.parrot.heard
    assert [type(fault) for fault in scene.faults] == [EngineHalted]
    assert any(record.levelname == "CRITICAL" for record in caplog.records)
    other.receive()  # the flush
    assert other.receive() is None
    engine.close()
    other.close()


def test_too_many_connections_are_refused(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "CONNECTIONS_MAX", 2)
    engines = [scene.dial() for _ in range(2)]
    until(lambda: scene.server.connections == 2)
    third = scene.dial()
    assert third.receive() is None
    engines[0].send(echo("alive") + FLUSH)
    assert engines[0].receive() is not None
    for engine in (*engines, third):
        engine.close()


def test_the_engine_may_dial_again(scene: Scene) -> None:
    for _ in range(3):
        engine = scene.dial()
        engine.send(echo("hallo") + FLUSH)
        assert engine.receive() is not None
        engine.close()
        assert scene.server.wait_idle(10)


def test_a_stopped_server_is_gone_and_can_be_started_again(scene: Scene) -> None:
    engine = scene.dial()
    scene.server.stop()
    assert engine.receive() is None
    assert not scene.path.exists()
    scene.server.start()
    again = scene.dial()
    again.send(echo("hallo") + FLUSH)
    assert again.receive() is not None
    engine.close()
    again.close()


def test_the_socket_is_the_users_alone(scene: Scene) -> None:
    assert scene.path.stat().st_mode & 0o777 == 0o600


def test_a_path_that_is_too_long_is_refused_in_words() -> None:
    with pytest.raises(EngineStartFailed, match="107 bytes"):
        AbciServer(Path("/tmp") / ("x" * 120), Parrot(), lambda _: None)


def test_waiting_for_idle_has_an_end(scene: Scene) -> None:
    engine = scene.dial()
    engine.send(echo("wait") + FLUSH)
    until(lambda: scene.server.connections == 1)
    begun = time.monotonic()
    assert not scene.server.wait_idle(0.1)
    assert time.monotonic() - begun < 5
    scene.parrot.resume.set()
    engine.close()
