"""What is signed is byte for byte what CometBFT itself signs (`vectors/main.go` made the table)."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from ledger.consensus.validator import RequestRefused
from ledger.consensus.validator import privval_pb2 as pb
from ledger.consensus.validator.guard import GuardedKey
from ledger.consensus.validator.signbytes import (
    Step,
    check_proposal,
    check_vote,
    extension_sign_bytes,
    proposal_sign_bytes,
    time_if_all_that_differs,
    vote_sign_bytes,
)
from ledger.consensus.validator.state import SignState
from ledger.crypto import Ed25519Key

pytestmark = pytest.mark.feature("N3")
TABLE = json.loads((Path(__file__).parent / "vectors.json").read_text())
KEY = Ed25519Key(bytes.fromhex(TABLE["seed"]))
BLOCK = pb.BlockID(hash=b"\1" * 32, part_set_header=pb.PartSetHeader(total=1, hash=b"\2" * 32))


def request_of(vector: dict[str, Any]) -> pb.Message:
    return pb.Message.FromString(base64.b64decode(vector["request"]))


def test_the_table_has_what_it_should() -> None:
    assert KEY.public_key.hex() == TABLE["publicKey"]
    names = [vector["name"] for vector in TABLE["vectors"]]
    assert len(names) == 47
    assert len(set(names)) == 5


@pytest.mark.parametrize("vector", TABLE["vectors"], ids=lambda vector: vector["name"])
def test_sign_bytes_are_those_of_cometbft(vector: dict[str, Any]) -> None:
    request = request_of(vector)
    if request.WhichOneof("sum") == "sign_vote_request":
        vote = request.sign_vote_request.vote
        check_vote(vote, vector["chainId"])
        made = vote_sign_bytes(vote, vector["chainId"])
        if "extensionSignBytes" in vector:
            extension = extension_sign_bytes(vote, vector["chainId"])
            assert extension.hex() == vector["extensionSignBytes"]
    else:
        proposal = request.sign_proposal_request.proposal
        check_proposal(proposal, vector["chainId"])
        made = proposal_sign_bytes(proposal, vector["chainId"])
    assert made.hex() == vector["signBytes"]


@pytest.mark.parametrize("vector", TABLE["vectors"], ids=lambda vector: vector["name"])
def test_answers_are_those_of_cometbft(vector: dict[str, Any], tmp_path: Path) -> None:
    """The signed vote or proposal as CometBFT's own signer gives it."""
    request = request_of(vector)
    expected = pb.Message.FromString(base64.b64decode(vector["response"]))
    with SignState(tmp_path / "state.json", KEY.public_key) as state:
        key = GuardedKey(KEY, state)
        if request.WhichOneof("sum") == "sign_vote_request":
            vote = key.sign_vote(request.sign_vote_request.vote, vector["chainId"])
            assert vote == expected.signed_vote_response.vote
        else:
            asked = request.sign_proposal_request.proposal
            proposal = key.sign_proposal(asked, vector["chainId"])
            assert proposal == expected.signed_proposal_response.proposal


def vote(**changes: Any) -> pb.Vote:
    fields = {
        "type": 1,
        "height": 5,
        "round": 0,
        "block_id": BLOCK,
        "timestamp": pb.Timestamp(seconds=1),
    }
    return pb.Vote(**(fields | changes))


def proposal(**changes: Any) -> pb.Proposal:
    fields = {
        "type": 32,
        "height": 5,
        "round": 2,
        "pol_round": -1,
        "block_id": BLOCK,
        "timestamp": pb.Timestamp(seconds=1),
    }
    return pb.Proposal(**(fields | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"type": 0},
        {"type": 3},
        {"type": 32},
        {"height": 0},
        {"height": -1},
        {"round": -1},
        {"timestamp": pb.Timestamp(seconds=1, nanos=10**9)},
        {"timestamp": pb.Timestamp(seconds=1, nanos=-1)},
        {"timestamp": pb.Timestamp(seconds=1 << 62)},
        {"block_id": pb.BlockID(hash=b"\1" * 32)},
        {"block_id": pb.BlockID(hash=b"\1" * 31, part_set_header=BLOCK.part_set_header)},
        {"block_id": pb.BlockID(part_set_header=BLOCK.part_set_header)},
        {"extension": b"x"},
        {"type": 2, "block_id": pb.BlockID(), "extension": b"x"},
    ],
)
def test_votes_that_are_none_are_refused(changes: dict[str, Any]) -> None:
    check_vote(vote(), "chain")
    with pytest.raises(RequestRefused):
        check_vote(vote(**changes), "chain")


@pytest.mark.parametrize(
    "changes",
    [
        {"type": 1},
        {"height": 0},
        {"round": -1},
        {"pol_round": 2},
        {"pol_round": -2},
        {"block_id": pb.BlockID()},
        {"timestamp": pb.Timestamp(nanos=-1)},
    ],
)
def test_proposals_that_are_none_are_refused(changes: dict[str, Any]) -> None:
    check_proposal(proposal(), "chain")
    check_proposal(proposal(pol_round=1), "chain")
    with pytest.raises(RequestRefused):
        check_proposal(proposal(**changes), "chain")


@pytest.mark.parametrize("chain", ["", "x" * 51, "溯" * 17])
def test_chain_ids_are_bounded(chain: str) -> None:
    with pytest.raises(RequestRefused):
        check_vote(vote(), chain)


def test_what_differs_in_time_alone() -> None:
    early = vote_sign_bytes(vote(), "chain")
    late = vote_sign_bytes(vote(timestamp=pb.Timestamp(seconds=9, nanos=4)), "chain")
    assert time_if_all_that_differs(Step.PREVOTE, late, early) == pb.Timestamp(seconds=9, nanos=4)
    nil = vote_sign_bytes(vote(block_id=pb.BlockID()), "chain")
    other = vote_sign_bytes(vote(), "other")
    assert time_if_all_that_differs(Step.PREVOTE, early, nil) is None
    assert time_if_all_that_differs(Step.PREVOTE, early, other) is None
    with pytest.raises(ValueError, match="no sign bytes"):
        time_if_all_that_differs(Step.PREVOTE, early + b"x", late)
