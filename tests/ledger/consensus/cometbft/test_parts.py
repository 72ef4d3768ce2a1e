"""Relay, the engine's log, its RPC and its supervisor, each alone."""

from __future__ import annotations

import http.server
import json
import os
import signal
import socketserver
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ledger.consensus.cometbft import EngineRefused, EngineUnreachable, MethodNotAllowed
from ledger.consensus.cometbft import enginelog as enginelog_module
from ledger.consensus.cometbft import process as process_module
from ledger.consensus.cometbft.enginelog import (
    CLOCK_BEHIND,
    ENGINE_BEHIND,
    STATE_DIFFERS,
    EngineLog,
)
from ledger.consensus.cometbft.home import Home
from ledger.consensus.cometbft.process import Supervisor
from ledger.consensus.cometbft.relay import Relay
from ledger.consensus.cometbft.rpc import READ_ONLY, EngineRpc, read_only
from tests.ledger.chain.support import sender
from tests.ledger.consensus.cometbft.network import until
from tests.ledger.consensus.cometbft.rig import Rig

pytestmark = pytest.mark.feature("L2")


# ---- relay ----------------------------------------------------------------------------------


class Wire:
    """Stands in for the engine's mempool: takes batches, and checks them with the application."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.batches: list[list[bytes]] = []
        self.down = False
        self.full = False

    def broadcast(self, raws: list[bytes]) -> list[str | None]:
        if self.down:
            raise EngineUnreachable("down")
        if self.full:
            return ["mempool is full"] * len(raws)
        self.batches.append(raws)
        for raw in raws:
            self.rig.check(raw)
        return [None] * len(raws)

    @property
    def taken(self) -> list[bytes]:
        return [raw for batch in self.batches for raw in batch]


@contextmanager
def relaying(rig: Rig, wire: Wire) -> Iterator[Relay]:
    relay = Relay(rig.pool, wire.broadcast, count_max=1_000, size_bytes_max=1 << 26)
    rig.ledger.relay(relay.offer)
    relay.start()
    yield relay
    rig.ledger.relay(None)
    relay.stop()


def test_submissions_are_offered_in_order_and_once(rig: Rig) -> None:
    wire, alice = Wire(rig), sender(1)
    raws = [alice.call(number) for number in range(50)]
    with relaying(rig, wire):
        for raw in raws:
            rig.ledger.submit(raw)
        until(lambda: len(wire.taken) == 50)
        assert wire.taken == raws


def test_what_was_not_taken_is_offered_again(rig: Rig) -> None:
    wire, alice = Wire(rig), sender(1)
    wire.down = True
    with relaying(rig, wire) as relay:
        raws = [alice.call(number) for number in range(5)]
        for raw in raws:
            rig.ledger.submit(raw)
        time.sleep(0.2)
        assert wire.taken == []
        wire.down = False
        until(lambda: sorted(wire.taken) == sorted(raws))
        rig.pool.restarted()
        relay.wake()
        until(lambda: len(wire.taken) == 10)


def test_a_full_engine_is_tried_again_after_a_height(rig: Rig) -> None:
    wire = Wire(rig)
    wire.full = True
    with relaying(rig, wire) as relay:
        raw = sender(1).call(1)
        rig.ledger.submit(raw)
        time.sleep(0.2)
        wire.full = False
        relay.wake()
        until(lambda: wire.taken == [raw])


def test_a_submitter_never_waits_for_the_engine(rig: Rig) -> None:
    wire, resume = Wire(rig), threading.Event()
    whole = wire.broadcast

    def slow(raws: list[bytes]) -> list[str | None]:
        resume.wait(20)
        return whole(raws)

    wire.broadcast = slow  # type: ignore[method-assign]
    alice = sender(1)
    with relaying(rig, wire):
        begun = time.monotonic()
        for number in range(20):
            rig.ledger.submit(alice.call(number))
        assert time.monotonic() - begun < 5
        resume.set()
        until(lambda: len(wire.taken) == 20)


def test_a_fault_does_not_end_the_relay(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.consensus.cometbft.relay.RETRY_S_MAX", 0.05)
    wire, faults = Wire(rig), 1
    whole = wire.broadcast

    def broken(raws: list[bytes]) -> list[str | None]:
        nonlocal faults
        if faults:
            faults -= 1
            raise ZeroDivisionError
        return whole(raws)

    wire.broadcast = broken  # type: ignore[method-assign]
    with relaying(rig, wire) as relay:
        raw = sender(1).call(1)
        rig.ledger.submit(raw)
        until(lambda: faults == 0)
        relay.wake()
        until(lambda: wire.taken == [raw])


# ---- the engine's log -----------------------------------------------------------------------


def line(message: str, level: str = "error", **fields: str) -> bytes:
    return json.dumps({"_msg": message, "level": level, **fields}).encode() + b"\n"


FAILURE = "CONSENSUS FAILURE!!!"
EXPECTED = b"AB, expected " + b"CD" * 32 + b".\n"


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([line(FAILURE, err="wrong Block.Header.AppHash. Expected A")], STATE_DIFFERS),
        ([line("Error in validation", err="wrong Block.Header.AppHash")], STATE_DIFFERS),
        ([line("Error in validation", err="block time X is too far in the future")], CLOCK_BEHIND),
        ([b"panic: state.AppHash does not match AppHash after replay. Got\n"], STATE_DIFFERS),
        ([b"panic: state.AppHash does not match\n", EXPECTED], ENGINE_BEHIND),
        ([b"ERROR: app block height (5) is higher than core (1)\n"], ENGINE_BEHIND),
        ([line(FAILURE, err="block time is too far in the future")], CLOCK_BEHIND),
        ([line(FAILURE, err="index out of range")], "index out of range"),
    ],
)
def test_what_can_never_go_on_is_told(tmp_path: Path, lines: list[bytes], reason: str) -> None:
    log = EngineLog(tmp_path / "log", b"\xcd" * 32)
    log.take(line("all is well", "info"))
    assert log.halt is None
    for one in lines:
        log.take(one)
    assert reason in str(log.halt)
    log.begin()
    assert log.halt is None
    log.close()


@pytest.mark.parametrize(
    "one",
    [
        line("prevote step: ProposalBlock is invalid", err="wrong Block.Header.AppHash"),
        line("Stopping peer for error", err="EOF"),
        line("Error in validation", err="invalid commit -- wrong height"),
        line("Error in validation", err="a lie about wrong Block.Header.AppHash"),
        line("Error dialing peer", err="network CONSENSUS FAILURE!!! no space left on device"),
        line("Error dialing peer", err="State sync failed: too far in the future"),
        line("Error dialing peer", level="error", module=FAILURE),
        line("", "info"),
        b"\xff\xfe\n",
        b"{}\n",
        b"{\n",
        b"[1]\n",
        b"\n",
    ],
)
def test_other_lines_stop_nothing(tmp_path: Path, one: bytes) -> None:
    """A proposal may have a wrong app hash because its proposer lies."""
    log = EngineLog(tmp_path / "log")
    log.take(one)
    assert (log.halt, log.full, log.sync_failed) == (None, None, None)
    log.close()


def test_a_failed_state_sync_is_told(tmp_path: Path) -> None:
    log = EngineLog(tmp_path / "log")
    log.take(line("State sync failed", err="no suitable snapshots"))
    assert "no suitable snapshots" in str(log.sync_failed)
    log.close()


def test_the_log_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enginelog_module, "FILE_SIZE_BYTES_MAX", 1_000)
    log = EngineLog(tmp_path / "log")
    for number in range(200):
        log.take(line(f"error {number}"))
    log.close()
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert set(sizes) <= {"log", "log.1", "log.2"}
    assert max(sizes.values()) < 1_200
    assert len(log.errors()) == enginelog_module.ERRORS_MAX
    assert log.errors()[-1] == "error 199"
    assert "error 199" in (tmp_path / "log").read_text() + (tmp_path / "log.1").read_text()


# ---- RPC ------------------------------------------------------------------------------------


@contextmanager
def engine_that_says(answer: Callable[[object], bytes]) -> Iterator[EngineRpc]:
    """An HTTP server on a unix socket."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            said = answer(json.loads(body))
            self.send_response(200)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

        def address_string(self) -> str:
            return "engine"

    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/rpc"
        with socketserver.ThreadingUnixStreamServer(path, Handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            rpc = EngineRpc(Path(path))
            try:
                yield rpc
            finally:
                rpc.close()
                server.shutdown()


def test_a_batch_is_answered_in_whatever_order() -> None:
    def answer(requests: object) -> bytes:
        assert isinstance(requests, list)
        return json.dumps(
            [
                {"id": 2, "error": {"code": -1, "message": "Internal error", "data": "full"}},
                {"id": 0, "result": {}},
                {"id": 77, "result": {}},
                "nonsense",
            ]
        ).encode()

    with engine_that_says(answer) as rpc:
        said = rpc.broadcast([b"a", b"b", b"c"])
    assert said == [None, "the engine did not answer", "Internal error: full"]


@pytest.mark.parametrize("answer", [b"", b"nonsense", b"[]", b"{}", b'{"result": 5}', b"null"])
def test_an_answer_that_is_none_is_told(answer: bytes) -> None:
    with engine_that_says(lambda _: answer) as rpc, pytest.raises(EngineUnreachable):
        rpc.call("status")


def test_an_error_keeps_what_the_engine_said() -> None:
    error = {"code": -32603, "message": "Internal error", "data": "height must be less"}
    answer = json.dumps({"id": 1, "error": error}).encode()
    with (
        engine_that_says(lambda _: answer) as rpc,
        pytest.raises(EngineRefused, match="must be less") as refused,
    ):
        rpc.call("commit")
    assert refused.value.error == error


def test_an_answer_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.consensus.cometbft.rpc.ANSWER_SIZE_BYTES_MAX", 100)
    with engine_that_says(lambda _: b" " * 1_000) as rpc, pytest.raises(EngineUnreachable):
        rpc.call("status")


def test_no_engine_is_told(tmp_path: Path) -> None:
    rpc = EngineRpc(tmp_path / "rpc")
    with pytest.raises(EngineUnreachable):
        rpc.call("status")
    rpc.close()
    with pytest.raises(EngineUnreachable):
        rpc.call("status")


def test_others_may_call_what_joining_needs_and_nothing_more() -> None:
    needed = {"commit", "consensus_params", "header", "status", "validators"}
    assert set(READ_ONLY) == needed
    for method in ("block", "blockchain", "block_results", "genesis_chunked", "health", "tx"):
        with pytest.raises(MethodNotAllowed, match=method):
            read_only(method, {})


def test_parameters_of_read_only_methods_are_numbers() -> None:
    assert read_only("validators", {"height": 5, "page": "1", "per_page": None}) == {
        "height": "5",
        "page": "1",
    }


# ---- the supervisor -------------------------------------------------------------------------


class Watched:
    """A supervisor over a shell script in place of the engine."""

    def __init__(self, folder: Path, script: str) -> None:
        self.home = Home(folder)
        self.home.prepare()
        program = folder / "program"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        self.log = EngineLog(self.home.log)
        self.halts: list[str] = []
        self.prepared = 0
        self.supervisor = Supervisor(program, self.home, self.log, self._prepare, self.halts.append)

    def _prepare(self) -> None:
        self.prepared += 1


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Callable[[str], Watched]]:
    made: list[Watched] = []

    def make(script: str) -> Watched:
        one = Watched(tmp_path / str(len(made)), script)
        made.append(one)
        one.supervisor.start()
        return one

    yield make
    for one in made:
        one.supervisor.stop()


def test_what_ends_is_started_again_with_growing_pauses(
    watched: Callable[[str], Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "RETRY_S_MIN", 0.01)
    one = watched("echo 'ERROR: no way'; exit 3")
    until(lambda: one.supervisor.starts >= 3)
    assert one.supervisor.restarts >= 2
    assert "ended with code 3: ERROR: no way" in str(one.supervisor.failure)
    assert one.prepared >= 3
    one.supervisor.settled()
    assert one.supervisor.failure is None or one.supervisor.starts >= 3


def test_stop_ends_it_and_start_begins_again(watched: Callable[[str], Watched]) -> None:
    one = watched("exec sleep 60")
    until(lambda: one.supervisor.pid is not None)
    one.supervisor.start()
    assert one.supervisor.starts == 1
    one.supervisor.stop()
    assert one.supervisor.pid is None
    one.supervisor.start()
    until(lambda: one.supervisor.pid is not None and one.supervisor.starts == 2)


def test_what_does_not_end_is_killed(
    watched: Callable[[str], Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "TERMINATE_S", 0.2)
    one = watched("trap '' TERM; echo ready; while :; do sleep 0.05; done")
    until(lambda: one.home.log.exists() and b"ready" in one.home.log.read_bytes())
    one.supervisor.stop()
    assert one.supervisor.pid is None


def test_restart_is_not_counted_as_a_failure(watched: Callable[[str], Watched]) -> None:
    one = watched("exec sleep 60")
    until(lambda: one.supervisor.pid is not None)
    pid = one.supervisor.pid
    one.supervisor.restart("because")
    until(lambda: one.supervisor.starts == 2 and one.supervisor.pid not in (None, pid))
    assert one.supervisor.failure is None
    assert one.supervisor.restarts == 0


def test_an_engine_that_the_system_ends_with_us_is_no_error(
    watched: Callable[[str], Watched], caplog: pytest.LogCaptureFixture
) -> None:
    """A service's stop, or a machine's, ends all its processes at once, in any order."""
    with caplog.at_level("WARNING", process_module.__name__):
        one = watched("trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done")
        until(lambda: one.home.log.exists() and b"ready" in one.home.log.read_bytes())
        os.kill(one.supervisor.pid or pytest.fail("it does not run"), signal.SIGTERM)
        time.sleep(0.5)  # it is noticed
        one.supervisor.stop()
    assert [one for one in caplog.records if one.name == process_module.__name__] == []
    assert (one.supervisor.starts, one.supervisor.restarts) == (1, 0)


def test_an_engine_that_alone_was_asked_to_end_is_started_again_and_told(
    watched: Callable[[str], Watched],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(process_module, "SHUTDOWN_S", 0.01)
    monkeypatch.setattr(process_module, "RETRY_S_MIN", 0.01)
    with caplog.at_level("WARNING", process_module.__name__):
        one = watched("exit 0")
        until(lambda: one.supervisor.restarts >= 1)
        one.supervisor.stop()
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_a_halt_ends_it_for_good(watched: Callable[[str], Watched]) -> None:
    one = watched("echo 'panic: state.AppHash does not match'; exec sleep 60")
    until(lambda: one.halts == [STATE_DIFFERS])
    assert one.supervisor.pid is None
    time.sleep(0.5)
    assert one.supervisor.starts == 1


def test_an_engine_whose_disk_is_full_is_started_again_until_there_is_room(
    watched: Callable[[str], Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "RETRY_S_MIN", 0.01)
    full = json.dumps(
        {"_msg": FAILURE, "level": "error", "err": "write x: no space left on device"}
    )
    one = watched(f"echo '{full}'; exec sleep 60")
    until(lambda: one.supervisor.starts >= 3)
    assert one.halts == []
    assert "disk is full" in str(one.supervisor.full)
    one.supervisor.settled()
    assert one.supervisor.full is None or one.supervisor.starts >= 3


def test_the_child_gets_no_secrets_of_our_environment(
    watched: Callable[[str], Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALLY_PASSWORD", "swordfish")
    one = watched("env; exec sleep 60")
    until(lambda: one.home.log.exists() and b"PATH=" in one.home.log.read_bytes())
    assert b"swordfish" not in one.home.log.read_bytes()
