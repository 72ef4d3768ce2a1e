"""A real CometBFT makes blocks with a key that only our signer has."""

from __future__ import annotations

import base64
import random
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ledger.consensus.validator import ValidatorServer
from ledger.consensus.validator import privval_pb2 as pb
from ledger.consensus.validator.signbytes import proposal_sign_bytes, step_of, vote_sign_bytes
from ledger.consensus.wire import frame, read_frame
from ledger.crypto import KeyKind, KeyStore, TokenPlace
from tests import warm
from tests.ledger.consensus.validator.engine import Engine, until
from tests.ledger.consensus.validator.test_guard import CHAIN, KEY
from tests.ledger.crypto.softhsm import SoftHsm

pytestmark = pytest.mark.feature("N3")


@pytest.fixture
def engine(cometbft: str, tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(cometbft, tmp_path / "home", KEY.public_key, CHAIN)
    yield engine
    engine.close()


def test_blocks_are_made_also_after_the_engine_was_killed(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = ValidatorServer(engine.signer_socket, KEY, tmp_path / "state.json")
    server.start()
    try:
        engine.start()
        until(lambda: engine.height() >= 5, 30, f"blocks; {engine.log()[-500:]}")
        engine.stop(signal.SIGKILL)
        height = server.status().height
        engine.start()
        until(lambda: engine.height() >= height + 5, 30, f"blocks; {engine.log()[-500:]}")
        assert [one for one in caplog.records if one.levelname == "CRITICAL"] == []
        assert server.status().signed >= 3 * 10
    finally:
        engine.stop()
        server.stop()
    # CometBFT writes a key of its own that it does not use; ours is nowhere in its folder.
    seed = KEY.seed
    for file in [one for one in engine.home.rglob("*") if one.is_file()]:
        data = file.read_bytes()
        assert seed not in data
        assert base64.b64encode(seed)[:40] not in data
        assert seed.hex().encode() not in data.lower()


def test_blocks_are_made_with_a_key_on_a_token(hsm: SoftHsm, cometbft: str, tmp_path: Path) -> None:
    keys = KeyStore(tmp_path / "keys")
    keys.create_on_token(KeyKind.VALIDATOR, "validator", TokenPlace(hsm.module, "tally", "v"))
    signer = keys.load_validator("validator")
    engine = Engine(cometbft, tmp_path / "home", signer.public_key, CHAIN)
    server = ValidatorServer(engine.signer_socket, signer, tmp_path / "state.json")
    server.start()
    try:
        engine.start()
        until(lambda: engine.height() >= 5, 30, f"blocks; {engine.log()[-500:]}")
        block = engine.ask("commit", height=3)["signed_header"]["commit"]["signatures"][0]
        assert len(block["signature"]) == 88
    finally:
        engine.close()
        server.stop()


class Recorder:
    """Stands between engine and signer, and keeps every signature that has left the signer."""

    def __init__(self, place: Path, engine_socket: Path) -> None:
        self.path, self.engine_socket = place, engine_socket
        self.signed: dict[tuple[int, int, int], set[bytes]] = {}
        self.closing = False
        self.lines: list[socket.socket] = []
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(str(place))
        self.listening.listen(4)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        while not self.closing:
            with suppress(OSError):
                signer, _ = self.listening.accept()
                self.relay(signer)

    def relay(self, signer: socket.socket) -> None:
        with signer, socket.socket(socket.AF_UNIX) as engine:
            while not self.closing:
                with suppress(OSError):
                    engine.connect(str(self.engine_socket))
                    break
                time.sleep(0.02)
            self.lines = [signer, engine]
            asked, answered = engine.makefile("rb"), signer.makefile("rb")
            with suppress(OSError, ValueError):
                while True:
                    request = read_frame(asked.read, 1 << 20)
                    if request is None:
                        return
                    signer.sendall(frame(request))
                    answer = read_frame(answered.read, 1 << 20)
                    if answer is None:
                        return
                    self.note(pb.Message.FromString(answer))
                    engine.sendall(frame(answer))

    def note(self, answer: pb.Message) -> None:
        vote, proposal = answer.signed_vote_response.vote, answer.signed_proposal_response.proposal
        if vote.signature:
            place = (vote.height, vote.round, int(step_of(vote)))
            self.signed.setdefault(place, set()).add(vote_sign_bytes(vote, CHAIN))
        if proposal.signature:
            place = (proposal.height, proposal.round, int(step_of(proposal)))
            self.signed.setdefault(place, set()).add(proposal_sign_bytes(proposal, CHAIN))

    def close(self) -> None:
        self.closing = True
        for line in [self.listening, *self.lines]:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()
        self.thread.join(5)


SIGNER = """
import sys, threading
from pathlib import Path
from ledger.consensus.validator import ValidatorServer
from ledger.crypto import Ed25519Key
ValidatorServer(Path(sys.argv[1]), Ed25519Key(bytes([5]) * 32), Path(sys.argv[2])).start()
print("ready", flush=True)
threading.Event().wait()
"""


def start_signer(project: Path, path: Path, state: Path) -> warm.Started:
    process = warm.start(["-c", SIGNER, str(path), str(state)], folder=project)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_signer_killed_at_random_never_signs_twice(
    engine: Engine, tmp_path: Path, project_root: Path
) -> None:
    draw = random.Random(38)
    with tempfile.TemporaryDirectory(prefix="tally-", dir="/tmp") as folder:
        recorder = Recorder(Path(folder) / "r", engine.signer_socket)
        state = tmp_path / "state.json"
        signer = start_signer(project_root, recorder.path, state)
        try:
            engine.start()
            until(lambda: engine.height() >= 3, 40, f"blocks; {engine.log()[-500:]}")
            for _ in range(15):
                time.sleep(draw.uniform(0.05, 0.6))
                if draw.random() < 0.2:
                    engine.stop(signal.SIGKILL)
                signer.send_signal(signal.SIGKILL)
                signer.wait()
                signer = start_signer(project_root, recorder.path, state)
                if engine.process is None or engine.process.poll() is not None:
                    engine.signer_socket.unlink(missing_ok=True)
                    engine.start()
            height = max(place[0] for place in recorder.signed)

            def goes_on() -> bool:
                # CometBFT ends where the signer dies just when it starts and asks for the key.
                if engine.process is None or engine.process.poll() is not None:
                    engine.signer_socket.unlink(missing_ok=True)
                    engine.start()
                return engine.height() >= height + 5

            until(goes_on, 60, f"blocks; {engine.log()[-1500:]}")
        finally:
            engine.stop(signal.SIGKILL)
            signer.kill()
            signer.wait()
            recorder.close()
    assert len(recorder.signed) > 30
    assert all(len(different) == 1 for different in recorder.signed.values())
