"""The signer's socket: answers, refusals, and dialling again."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from nacl.signing import VerifyKey

from ledger.consensus.validator import SignStateBusy, ValidatorServer
from ledger.consensus.validator import privval_pb2 as pb
from ledger.consensus.validator.signbytes import vote_sign_bytes
from ledger.consensus.wire import frame, read_frame
from ledger.crypto import TokenMissing
from tests.ledger.consensus.validator.engine import until
from tests.ledger.consensus.validator.test_guard import CHAIN, KEY, proposal, vote

pytestmark = pytest.mark.feature("N3")


class Listener:
    """What CometBFT does with its `priv_validator_laddr`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(str(path))
        self.listening.listen(1)
        self.listening.settimeout(5)
        self.accept()

    def accept(self) -> None:
        self.connection, _ = self.listening.accept()
        self.connection.settimeout(5)
        self.stream = self.connection.makefile("rb")

    def ask(self, message: pb.Message) -> pb.Message:
        self.connection.sendall(frame(message.SerializeToString()))
        return self.read()

    def read(self) -> pb.Message:
        data = read_frame(self.stream.read, 1 << 20)
        assert data is not None
        return pb.Message.FromString(data)

    def close(self) -> None:
        self.stream.close()
        self.connection.close()
        self.listening.close()
        self.path.unlink()


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tally-", dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture
def engine(place: Path) -> Iterator[Listener]:
    server = ValidatorServer(place / "s", KEY, place / "state.json", chain_id=CHAIN)
    server.start()
    listener = Listener(place / "s")
    yield listener
    server.stop()
    listener.close()


def ask_vote(asked: pb.Vote, chain: str = CHAIN) -> pb.Message:
    return pb.Message(sign_vote_request=pb.SignVoteRequest(vote=asked, chain_id=chain))


def test_pings_are_answered(engine: Listener) -> None:
    ping = pb.Message(ping_request=pb.PingRequest())
    assert engine.ask(ping).WhichOneof("sum") == "ping_response"


def test_the_public_key_is_told_to_its_chain_alone(engine: Listener) -> None:
    answer = engine.ask(pb.Message(pub_key_request=pb.PubKeyRequest(chain_id=CHAIN)))
    assert answer.pub_key_response.pub_key.ed25519 == KEY.public_key
    assert not answer.pub_key_response.HasField("error")
    other = engine.ask(pb.Message(pub_key_request=pb.PubKeyRequest(chain_id="other")))
    assert "other" in other.pub_key_response.error.description
    assert not other.pub_key_response.pub_key.ed25519


def test_votes_and_proposals_are_signed(engine: Listener) -> None:
    request = pb.SignProposalRequest(proposal=proposal(5, 0), chain_id=CHAIN)
    answer = engine.ask(pb.Message(sign_proposal_request=request))
    assert len(answer.signed_proposal_response.proposal.signature) == 64
    signed = engine.ask(ask_vote(vote(5, 0))).signed_vote_response.vote
    VerifyKey(KEY.public_key).verify(vote_sign_bytes(signed, CHAIN), signed.signature)


def test_what_is_refused_is_said(engine: Listener) -> None:
    engine.ask(ask_vote(vote(5, 0)))
    for request in (vote(5, 0, number=2), vote(0, 0), vote(6, 0, 3)):
        answer = engine.ask(ask_vote(request)).signed_vote_response
        assert answer.error.code == 1
        assert answer.error.description
        assert not answer.vote.signature
    assert engine.ask(ask_vote(vote(7, 0), "other")).signed_vote_response.error.description
    again = pb.SignProposalRequest(proposal=proposal(5, 0), chain_id=CHAIN)
    answer = engine.ask(pb.Message(sign_proposal_request=again))
    assert answer.signed_proposal_response.error.code == 1


@pytest.mark.parametrize(
    "data",
    [
        b"\xff" * 11,
        b"\xff\xff\xff\x7f",
        frame(b"\xff\xff\xff"),
        frame(b""),
        frame(pb.Message(ping_response=pb.PingResponse()).SerializeToString()),
    ],
)
def test_after_nonsense_it_dials_again(engine: Listener, data: bytes) -> None:
    engine.connection.sendall(data)
    assert engine.stream.read(1) == b""
    engine.accept()
    test_pings_are_answered(engine)


def test_requests_in_pieces_are_read(engine: Listener) -> None:
    for byte in frame(ask_vote(vote(5, 0)).SerializeToString()):
        engine.connection.sendall(bytes([byte]))
    assert engine.read().signed_vote_response.vote.signature


def test_it_waits_for_an_engine_and_ends_at_once(place: Path) -> None:
    server = ValidatorServer(place / "s", KEY, place / "state.json")
    server.start()
    server.start()
    assert not server.status().connected
    engine = Listener(place / "s")
    until(lambda: server.status().connected, 5, "connected")
    with pytest.raises(SignStateBusy):
        ValidatorServer(place / "s", KEY, place / "state.json").start()
    server.stop()
    server.stop()
    assert engine.stream.read(1) == b""
    assert not any(thread.name == "validator-signer" for thread in threading.enumerate())
    engine.close()
    server.start()
    again = Listener(place / "s")
    test_pings_are_answered(again)
    server.stop()
    again.close()


def test_a_token_that_is_away_is_an_answer_not_an_end(place: Path) -> None:
    class Away:
        public_key = KEY.public_key

        def sign(self, message: bytes) -> bytes:
            raise TokenMissing("the token is away")

    server = ValidatorServer(place / "s", Away(), place / "state.json")
    server.start()
    engine = Listener(place / "s")
    answer = engine.ask(ask_vote(vote(5, 0))).signed_vote_response
    assert (answer.error.code, answer.error.description) == (2, "the token is away")
    test_pings_are_answered(engine)
    assert server.status().refused == 1
    server.stop()
    engine.close()
