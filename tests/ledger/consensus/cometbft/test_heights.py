"""Heights of peers, read from whatever the engine answers."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.consensus.cometbft.heights import peer_heights

pytestmark = pytest.mark.feature("N5")
NODE = "ab" * 20


class Answering:
    """The engine's RPC with one answer."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer

    def call(self, method: str) -> dict[str, Any]:
        assert method == "dump_consensus_state"
        return self.answer


def peer(node: object = f"{NODE}@10.0.0.1:26656", state: object = None) -> dict[str, object]:
    return {"node_address": node, "peer_state": state}


def at(height: object) -> dict[str, object]:
    return {"round_state": {"height": height}, "stats": {}}


def test_each_peer_that_has_spoken_has_a_height() -> None:
    other = "cd" * 20
    peers = [peer(state=at("7")), peer(f"{other}@x:1", at("12")), peer("ee" * 20, at("0"))]
    found = peer_heights(Answering({"peers": peers}))  # type: ignore[arg-type]
    assert found == {bytes.fromhex(NODE): 7, bytes.fromhex(other): 12}


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"peers": None},
        {"peers": [None, 7, "x"]},
        {"peers": [peer()]},
        {"peers": [peer(state=at(7))]},
        {"peers": [peer(state=at("-7"))]},
        {"peers": [peer(state=at("9" * 30))]},
        {"peers": [peer(node="zz" * 20, state=at("7"))]},
        {"peers": [peer(node=None, state=at("7"))]},
        {"peers": [peer(state={"round_state": []})]},
    ],
)
def test_what_cannot_be_read_is_left_out(answer: dict[str, Any]) -> None:
    assert peer_heights(Answering(answer)) == {}  # type: ignore[arg-type]
