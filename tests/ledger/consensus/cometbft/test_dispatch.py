"""Answers that need no consensus: echo, peers, snapshots."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ledger.consensus.cometbft import (
    ApplyResult,
    ChunkVerdict,
    OfferedSnapshot,
    OfferResult,
)
from ledger.consensus.cometbft import abci_pb2 as pb
from ledger.consensus.cometbft.dispatch import CHUNK_SIZE_BYTES_MAX, SNAPSHOTS_MAX
from ledger.consensus.cometbft.errors import RequestMalformed
from ledger.consensus.cometbft.membership import (
    CONNECTION_EACH_S,
    CONNECTIONS_BURST,
    PeerFilter,
)
from tests.ledger.chain.support import sender
from tests.ledger.consensus.cometbft.rig import NODES, Rig
from tests.ledger.consensus.cometbft.support import (
    Node,
    consortium_genesis,
    node_slots,
    organisation_slot,
    store,
)

pytestmark = pytest.mark.feature("L2")


def test_echo_and_flush(rig: Rig) -> None:
    assert rig.ask(echo=pb.RequestEcho(message="hallo")).message == "hallo"
    rig.ask(flush=pb.RequestFlush())


def test_a_request_of_no_kind_is_malformed(rig: Rig) -> None:
    with pytest.raises(RequestMalformed):
        rig.dispatcher.answer(pb.Request())


# ---- peers ----------------------------------------------------------------------------------


def query(rig: Rig, path: str) -> pb.ResponseQuery:
    answer: pb.ResponseQuery = rig.ask(query=pb.RequestQuery(path=path))
    return answer


def may_connect(rig: Rig, node_id: bytes) -> bool:
    return query(rig, f"/p2p/filter/id/{node_id.hex()}").code == 0


def test_addresses_are_not_filtered(rig: Rig) -> None:
    assert query(rig, "/p2p/filter/addr/10.0.0.1:26656").code == 0


def test_other_questions_are_not_answered(rig: Rig) -> None:
    assert query(rig, "/store/balance").code != 0
    assert query(rig, "").code != 0
    assert query(rig, "/p2p/filter/id/nonsense").code != 0


def test_active_nodes_may_connect_and_no_others(rig: Rig) -> None:
    rig.peers.catching_up = False
    assert all(may_connect(rig, node.id) for node in NODES)
    assert not may_connect(rig, b"\1" * 20)


def test_who_comes_again_and_again_has_to_wait(rig: Rig) -> None:
    now = [0.0]
    rig.peers = rig.dispatcher._peers = PeerFilter((), lambda: now[0])
    restless, calm = NODES[2].id, NODES[1].id
    assert [may_connect(rig, restless) for _ in range(20)].count(True) == CONNECTIONS_BURST
    assert may_connect(rig, calm)
    begun = 0
    for _ in range(600):
        now[0] += 0.1
        begun += may_connect(rig, restless)
    assert begun == 60 / CONNECTION_EACH_S
    now[0] += 3_600
    assert [may_connect(rig, restless) for _ in range(20)].count(True) == CONNECTIONS_BURST


def test_a_refused_peer_is_told_once_a_minute(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.peers.catching_up = False
    with caplog.at_level(logging.INFO):
        for _ in range(50):
            assert not may_connect(rig, b"\1" * 20)
        assert not may_connect(rig, b"\2" * 20)
    assert len([one for one in caplog.messages if "is refused" in one]) == 2


def test_who_is_removed_may_connect_no_more(rig: Rig) -> None:
    node = NODES[2]
    rig.block([store(sender(1), node_slots(type(node)(node.id, node.validator_key, status=2)))])
    assert not may_connect(rig, node.id)
    assert may_connect(rig, NODES[1].id)


def test_a_suspended_organisations_nodes_may_not_connect(tmp_path: Path) -> None:
    other = Node(b"\7" * 20, b"\7" * 32, organisation=b"other")
    genesis = consortium_genesis([*NODES, other])
    with Rig(tmp_path / "l", genesis) as rig:
        assert not may_connect(rig, other.id)
        rig.block([store(sender(1), {organisation_slot(b"other"): 1})])
        assert may_connect(rig, other.id)


def test_a_new_node_accepts_the_peers_it_was_told_until_it_has_caught_up(tmp_path: Path) -> None:
    stranger, removed = b"\1" * 20, NODES[3]
    with Rig(tmp_path / "l", known_peers=(stranger, removed.id)) as rig:
        assert may_connect(rig, stranger)
        assert not may_connect(rig, b"\2" * 20)
        gone = type(removed)(removed.id, removed.validator_key, status=2)
        rig.block([store(sender(1), node_slots(gone))])
        assert not may_connect(rig, removed.id), "the ledger knows that it is gone"
        rig.peers.catching_up = False
        assert not may_connect(rig, stranger)


# ---- snapshots ------------------------------------------------------------------------------


class Shelf:
    """A `SnapshotService` that answers what the test says, and remembers what it was asked."""

    def __init__(self) -> None:
        self.snapshots = [OfferedSnapshot(9, 1, 3, b"h", b"m")]
        self.chunk = b"chunk"
        self.offered: list[tuple[OfferedSnapshot, bytes]] = []
        self.applied: list[tuple[int, bytes, str]] = []
        self.offer_result = OfferResult.ACCEPT
        self.verdict = ChunkVerdict(ApplyResult.ACCEPT)
        self.broken = False

    def _check(self) -> None:
        if self.broken:
            raise OSError("a bad sector")

    def list(self) -> Sequence[OfferedSnapshot]:
        self._check()
        return self.snapshots

    def load_chunk(self, height: int, format: int, index: int) -> bytes:  # noqa: A002
        self._check()
        assert (height, format) == (9, 1)
        return self.chunk + bytes([index])

    def offer(self, snapshot: OfferedSnapshot, app_hash: bytes) -> OfferResult:
        self._check()
        self.offered.append((snapshot, app_hash))
        return self.offer_result

    def apply(self, index: int, chunk: bytes, sender: str) -> ChunkVerdict:
        self._check()
        self.applied.append((index, chunk, sender))
        return self.verdict


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def keeper(tmp_path: Path, shelf: Shelf) -> Iterator[Rig]:
    with Rig(tmp_path / "l", snapshots=shelf) as rig:
        yield rig


def offer(rig: Rig) -> int:
    snapshot = pb.Snapshot(height=9, format=1, chunks=3, hash=b"h", metadata=b"m")
    answer = rig.ask(offer_snapshot=pb.RequestOfferSnapshot(snapshot=snapshot, app_hash=b"root"))
    return int(answer.result)


def load(rig: Rig) -> bytes:
    request = pb.RequestLoadSnapshotChunk(height=9, format=1, chunk=2)
    chunk: bytes = rig.ask(load_snapshot_chunk=request).chunk
    return chunk


def apply(rig: Rig) -> pb.ResponseApplySnapshotChunk:
    request = pb.RequestApplySnapshotChunk(index=2, chunk=b"c", sender="peer")
    answer: pb.ResponseApplySnapshotChunk = rig.ask(apply_snapshot_chunk=request)
    return answer


def test_snapshots_are_listed_and_served(keeper: Rig, shelf: Shelf) -> None:
    (one,) = keeper.ask(list_snapshots=pb.RequestListSnapshots()).snapshots
    assert (one.height, one.format, one.chunks, one.hash, one.metadata) == (9, 1, 3, b"h", b"m")
    assert load(keeper) == b"chunk\2"
    shelf.snapshots = shelf.snapshots * 50
    assert len(keeper.ask(list_snapshots=pb.RequestListSnapshots()).snapshots) == SNAPSHOTS_MAX


def test_a_chunk_that_the_engine_cannot_carry_is_not_served(keeper: Rig, shelf: Shelf) -> None:
    shelf.chunk = bytes(CHUNK_SIZE_BYTES_MAX)
    assert load(keeper) == b""


@pytest.mark.parametrize("result", list(OfferResult))
def test_an_offer_is_passed_on_and_its_answer_too(
    keeper: Rig, shelf: Shelf, result: OfferResult
) -> None:
    shelf.offer_result = result
    assert offer(keeper) == getattr(pb.ResponseOfferSnapshot, result.name)
    assert shelf.offered == [(OfferedSnapshot(9, 1, 3, b"h", b"m"), b"root")]


@pytest.mark.parametrize("result", list(ApplyResult))
def test_a_chunk_is_passed_on_and_its_answer_too(
    keeper: Rig, shelf: Shelf, result: ApplyResult
) -> None:
    shelf.verdict = ChunkVerdict(result, (0, 1), ("peer",))
    answer = apply(keeper)
    assert answer.result == getattr(pb.ResponseApplySnapshotChunk, result.name)
    assert (list(answer.refetch_chunks), list(answer.reject_senders)) == ([0, 1], ["peer"])
    assert shelf.applied == [(2, b"c", "peer")]


def test_a_fault_with_snapshots_stops_no_consensus(keeper: Rig, shelf: Shelf) -> None:
    shelf.broken = True
    assert not keeper.ask(list_snapshots=pb.RequestListSnapshots()).snapshots
    assert load(keeper) == b""
    assert offer(keeper) == pb.ResponseOfferSnapshot.REJECT
    assert apply(keeper).result == pb.ResponseApplySnapshotChunk.REJECT_SNAPSHOT


def test_without_a_service_nothing_is_restored(rig: Rig) -> None:
    assert not rig.ask(list_snapshots=pb.RequestListSnapshots()).snapshots
    assert load(rig) == b""
    assert offer(rig) == pb.ResponseOfferSnapshot.ABORT
    assert apply(rig).result == pb.ResponseApplySnapshotChunk.ABORT
