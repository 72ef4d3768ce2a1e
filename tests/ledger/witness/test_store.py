"""What is kept of cosignatures: whatever comes in which order, over restarts, and bounded."""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ledger.tlog import Checkpoint, NoteSignature, identity_of
from ledger.witness import (
    Cosignature,
    CosignaturesMalformed,
    CosignatureStore,
    CosignatureStoreError,
    decode_cosignatures,
    encode_cosignatures,
)
from ledger.witness.board import SIZES_MAX, SLACK, Board
from ledger.witness.heads import SignedHeads
from ledger.witness.judging import AHEAD_MAX
from ledger.witness.store import FILE_NAME
from tests.ledger.chain.support import make_genesis
from tests.ledger.witness.support import (
    LABELS,
    ORIGIN,
    Member,
    log_signer,
    members,
    open_member,
    peer,
    verifier_of,
)

pytestmark = pytest.mark.feature("L4")

GENESIS = make_genesis()
KEYS = [verifier_of(label) for label in LABELS]


def cosignature(label: str, size: int, root: bytes = b"\1" * 32, time: int = 7) -> Cosignature:
    cosigner = log_signer(label).cosigner(f"{ORIGIN}/{label}")
    return Cosignature(size, root, cosigner.sign(Checkpoint(ORIGIN, size, root).text, time))


class TestLines:
    def test_come_back_from_their_text(self) -> None:
        given = tuple(cosignature("amber", size) for size in (0, 3, 2**63 - 1))
        assert decode_cosignatures(encode_cosignatures(ORIGIN, given), ORIGIN) == given
        assert decode_cosignatures(f"{ORIGIN}\n", ORIGIN) == ()

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda text: "",
            lambda text: text[:-1],
            lambda text: text + "\n",
            lambda text: text.replace(ORIGIN, "other.example", 1),
            lambda text: text + "4 x\n",
            lambda text: text.replace("\n3 ", "\n03 "),
            lambda text: text.replace("\n3 ", "\n-3 "),
            lambda text: text.replace("\n3 ", "\n3"),
            lambda text: text.replace("— ", "- ", 1),
            lambda text: text.replace("AQEB", "AQE", 1),
            lambda text: text.replace("AQEB", "AQE_", 1),
            lambda text: text + text.split("\n", 1)[1],
            lambda text: text.replace("\n5 ", "\n3 "),
            lambda text: text.replace("\n5 ", "\n5 " + "A" * 2000),
            lambda text: text.replace("/amber", "/am ber"),
            lambda text: text * 10_000,
        ],
    )
    def test_other_texts_are_refused(self, spoil: object) -> None:
        assert callable(spoil)
        text = encode_cosignatures(ORIGIN, [cosignature("amber", 3), cosignature("amber", 5)])
        spoiled = spoil(text)
        assert spoiled != text
        with pytest.raises(CosignaturesMalformed):
            decode_cosignatures(spoiled, ORIGIN)

    def test_no_more_than_a_thousand_are_read(self) -> None:
        one = cosignature("amber", 0)
        many = [Cosignature(size, one.root, one.signature) for size in range(1001)]
        assert len(decode_cosignatures(encode_cosignatures(ORIGIN, many[:-1]), ORIGIN)) == 1000
        with pytest.raises(CosignaturesMalformed, match="at most 1000"):
            decode_cosignatures(encode_cosignatures(ORIGIN, many), ORIGIN)


class TestFile:
    def test_comes_back_after_a_restart(self, tmp_path: Path) -> None:
        with CosignatureStore.open(tmp_path, ORIGIN) as store:
            store.add([cosignature("birch", 3), cosignature("amber", 3), cosignature("amber", 1)])
            store.see(peer("birch").identity, "note\n")
        with CosignatureStore.open(tmp_path, ORIGIN) as store:
            kept = [(one.size, one.signature.name[-5:]) for one in store.cosignatures()]
            assert kept == [(1, "amber"), (3, "amber"), (3, "birch")]
            assert store.seen(peer("birch").identity) == "note\n"
            assert store.seen(peer("cedar").identity) is None

    def test_the_first_cosignature_of_a_size_stays(self, tmp_path: Path) -> None:
        with CosignatureStore.open(tmp_path, ORIGIN) as store:
            store.add([cosignature("amber", 3)])
            store.add([cosignature("amber", 3, b"\2" * 32, 8)])
            assert list(store.cosignatures()) == [cosignature("amber", 3)]
            key = identity_of(verifier_of("amber"))
            assert store.root_signed_by(key, 3) == b"\1" * 32
            assert store.root_signed_by(key, 4) is None

    def test_a_file_of_another_log_or_layout_is_refused(self, tmp_path: Path) -> None:
        CosignatureStore.open(tmp_path, ORIGIN).close()
        with pytest.raises(CosignatureStoreError, match=r"other\.example"):
            CosignatureStore.open(tmp_path, "other.example")
        with sqlite3.connect(tmp_path / FILE_NAME) as connection:
            connection.execute("PRAGMA user_version = 9")
        connection.close()
        with pytest.raises(CosignatureStoreError, match="layout 9"):
            CosignatureStore.open(tmp_path, ORIGIN)

    def test_a_damaged_file_is_put_aside(self, tmp_path: Path) -> None:
        (tmp_path / FILE_NAME).write_bytes(b"no database at all, though long enough " * 99)
        with CosignatureStore.open(tmp_path, ORIGIN) as store:
            store.add([cosignature("amber", 3)])
        assert len(list(tmp_path.glob(f"{FILE_NAME}.damaged-*"))) == 1
        with CosignatureStore.open(tmp_path, ORIGIN) as store:
            assert len(list(store.cosignatures())) == 1


class TestBoard:
    def put(self, board: Board, size: int, *labels: str) -> None:
        head = board.put(size, b"\1" * 32)
        for label in labels:
            board.sign(head, NoteSignature(*identity_of(verifier_of(label)), b"signature"))

    def test_the_newest_with_enough_members_is_found_in_any_order(self) -> None:
        board = Board(ORIGIN, ())
        assert board.newest(2, KEYS) is None
        self.put(board, 4, "amber", "birch")
        self.put(board, 2, "amber", "birch", "cedar")
        self.put(board, 6, "amber")
        newest = board.newest(2, KEYS)
        assert newest is not None
        assert newest.size == 4
        self.put(board, 6, "delta")
        newest = board.newest(2, KEYS)
        assert newest is not None
        assert newest.size == 6
        assert board.newest(3, KEYS) is board.head(2)
        assert board.newest(2, KEYS[1:3]) is board.head(2)

    def test_old_sizes_go_and_the_newest_witnessed_one_stays(self) -> None:
        board = Board(ORIGIN, ())
        for size in range(SIZES_MAX + SLACK + 1):
            self.put(board, size, "amber", *(["birch"] if size == 5 else []))
        floor = board.prune(5)
        assert floor == SLACK + 1
        assert len(board) == SIZES_MAX + 1
        assert board.newest(2, KEYS) is board.head(5)
        assert board.head(6) is None
        assert board.oldest() == floor
        assert board.prune(5) is None

    def test_many_policies_are_not_all_remembered(self) -> None:
        board = Board(ORIGIN, ())
        self.put(board, 1, "amber")
        for _ in range(2):
            for threshold in range(1, 30):
                found = board.newest(threshold, KEYS)
                assert (found is not None) == (threshold == 1)


def test_the_file_is_pruned_with_the_board(tmp_path: Path) -> None:
    with members(tmp_path, "amber") as (amber,):
        store = CosignatureStore.open(tmp_path / "own", ORIGIN)
        signer = log_signer("amber")
        heads = SignedHeads(
            ORIGIN, amber.ledger.log, signer, signer.cosigner(f"{ORIGIN}/amber"), store
        )
        count = SIZES_MAX + SLACK + 1
        for size in range(count):
            heads.cosign(size, b"\1" * 32)
        heads.prune(2, [verifier_of("amber")])
        kept = [one.size for one in store.cosignatures()]
        assert kept == list(range(count - SIZES_MAX, count))
        heads.close()
        heads.close()


def test_cosignatures_far_ahead_of_us_are_bounded(tmp_path: Path) -> None:
    with members(tmp_path, "amber", "birch") as (amber, _):
        ahead = [cosignature("birch", size) for size in range(10, 10 + AHEAD_MAX + 50)]
        text = encode_cosignatures(ORIGIN, ahead)
        meeting = amber.witness.meet_cosignatures(peer("birch"), text)
        assert meeting.size == 10 + AHEAD_MAX - 1


class Gathering(RuleBasedStateMachine):
    """Two members; what one has signed comes to the other early, late, twice, or after restarts.

    However it comes: in the end every head that both have reached bears both cosignatures.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.directory = Path(self.folder.name)

    @initialize()
    def found(self) -> None:
        self.amber, self.birch = self._open("amber"), self._open("birch")

    def _open(self, label: str) -> Member:
        member = open_member(self.directory, label, ("amber", "birch"), GENESIS, 2)
        member.witness.start()
        return member

    @rule(which=st.sampled_from(["amber", "birch"]), count=st.integers(1, 3))
    def blocks(self, which: str, count: int) -> None:
        member: Member = getattr(self, which)
        for _ in range(count):
            number = member.ledger.head().header.number + 1
            member.nonces[1] = number - 1
            member.block(number)
        member.settle()

    @rule(from_size=st.integers(0, 12), count=st.integers(1, 4))
    def meet_some(self, from_size: int, count: int) -> None:
        text = self.birch.witness.cosignature_text(from_size, count)
        self.amber.witness.meet_cosignatures(peer("birch"), text)

    @rule()
    def meet_checkpoint(self) -> None:
        self.amber.witness.meet(self.birch.ledger.log.checkpoint())

    @rule(which=st.sampled_from(["amber", "birch"]))
    def restart(self, which: str) -> None:
        member: Member = getattr(self, which)
        member.witness.close()
        member.ledger.close()
        setattr(self, which, self._open(which))

    @invariant()
    def nobody_is_accused(self) -> None:
        if hasattr(self, "birch"):
            assert self.amber.witness.evidence.count() == 0

    def teardown(self) -> None:
        if hasattr(self, "birch"):
            self._settle_all()
            for member in (self.amber, self.birch):
                member.witness.close()
                member.ledger.close()
        self.folder.cleanup()

    def _settle_all(self) -> None:
        self.amber.witness.meet_cosignatures(peer("birch"), self.birch.witness.cosignature_text(0))
        while self.amber.size < self.birch.size:
            self.blocks("amber", 1)
        both = min(self.amber.size, self.birch.size)
        status = self.amber.witness.status()
        assert status.witnessed_size == both
        # Each of them was kept when its head was there: nothing is new the second time.
        text = self.birch.witness.cosignature_text(0)
        assert self.amber.witness.meet_cosignatures(peer("birch"), text).kept == 0


Gathering.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestGathering = Gathering.TestCase
