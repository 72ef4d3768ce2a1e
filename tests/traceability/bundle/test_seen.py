"""What a user has seen of a log must go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ledger.tlog import NoteSigner
from ledger.witness import (
    Evidence,
    EvidenceKind,
    HistoryKind,
    PeerAnswerRefused,
    Weight,
    compare_history,
    examine,
    read_consistency,
)
from tests.traceability.bundle.support import ORIGIN, World, events, signer, small_world
from traceability.bundle import SeenStore, checkpoint_note, trust_directory

pytestmark = [pytest.mark.feature("L4"), pytest.mark.feature("L5")]

Path_ = Sequence[bytes] | None


def no_server(_from: int, _to: int) -> Path_:
    return None


def never(_from: int, _to: int) -> Path_:
    raise AssertionError("no proof is needed")


def prover(world: World) -> Callable[[int, int], Path_]:
    return world.consistency_proof


def grown(*, salt: bool = False) -> tuple[World, str, str]:
    """A log with an earlier and a later checkpoint; with `salt` its later part is another."""
    world = World()
    made = events(9)
    world.anchor(made[:2])
    before = world.checkpoint()
    world.anchor(made[4:6] if salt else made[2:4])
    world.anchor(made[6:])
    return world, before, world.checkpoint()


class TestComparing:
    def test_a_log_seen_for_the_first_time_is_remembered(self) -> None:
        _, note, _ = grown()
        other = World(origin="other.example", signers=[signer("other.example")])
        for before in (None, "nonsense", other.checkpoint()):
            history = compare_history(before, note, never, 0)
            assert (history.kind, history.remember) == (HistoryKind.FIRST, note)

    def test_a_log_that_has_grown_goes_on(self) -> None:
        world, before, now = grown()
        for first, second in ((before, now), (now, before)):  # another server may be behind
            history = compare_history(first, second, prover(world), 0)
            assert (history.kind, history.remember) == (HistoryKind.CONSISTENT, now)
        assert compare_history(now, now, never, 0).kind is HistoryKind.SAME

    def test_out_of_reach_is_unknown_and_the_older_stays_remembered(self) -> None:
        _, before, now = grown()
        history = compare_history(before, now, no_server, 0)
        assert (history.kind, history.remember) == (HistoryKind.UNKNOWN, before)
        assert history.evidence is None

    def test_two_roots_of_one_size_need_no_server(self) -> None:
        world, _, now = grown()
        forked, _, other = grown(salt=True)
        assert len(world.entries) == len(forked.entries)
        history = compare_history(now, other, never, 1_700_000_000)
        assert history.kind is HistoryKind.BROKEN
        assert history.evidence is not None
        assert history.evidence.kind is EvidenceKind.SAME_SIZE
        assert (history.evidence.first, history.evidence.second) == (now, other)
        assert history.remember == now
        finding = examine(history.evidence.encode(), [signer().verifier], ORIGIN)
        assert finding.weight is Weight.PROVEN
        assert finding.both == (ORIGIN,)

    def test_a_proof_that_does_not_lead_there_is_evidence(self) -> None:
        world, _, now = grown()
        forked, before, _ = grown(salt=True)
        forked.anchor(events(11)[9:])
        later = forked.checkpoint()
        history = compare_history(now, later, prover(forked), 0)
        assert history.kind is HistoryKind.BROKEN
        assert history.evidence is not None
        assert history.evidence.kind is EvidenceKind.BROKEN_PROOF
        assert Evidence.decode(history.evidence.encode()) == history.evidence
        assert compare_history(before, later, prover(forked), 0).kind is HistoryKind.CONSISTENT
        assert world.entries[:2] == forked.entries[:2]

    def test_everything_goes_on_from_an_empty_log(self) -> None:
        empty = World().checkpoint()
        _, _, now = grown()
        assert compare_history(empty, now, never, 0).kind is HistoryKind.CONSISTENT


class TestStore:
    def test_remembers_the_newest_across_runs(self, tmp_path: Path) -> None:
        world, before, now = grown()
        first = SeenStore(tmp_path).check([before], never)
        assert (first.history.kind, first.seen_size) == (HistoryKind.FIRST, None)
        second = SeenStore(tmp_path).check([now, before], prover(world))
        assert (second.history.kind, second.size, second.seen_size) == (
            HistoryKind.CONSISTENT,
            len(world.entries),
            2,
        )
        assert SeenStore(tmp_path).find(ORIGIN) == now
        # An old proof is no surprise, and nothing is forgotten for it.
        again = SeenStore(tmp_path).check([before], prover(world))
        assert again.history.kind is HistoryKind.CONSISTENT
        assert SeenStore(tmp_path).find(ORIGIN) == now

    def test_keeps_what_contradicts_it_once(self, tmp_path: Path) -> None:
        _, _, now = grown()
        _, _, other = grown(salt=True)
        store = SeenStore(tmp_path)
        store.check([now], never)
        for _ in range(2):
            found = SeenStore(tmp_path).check([other], never)
            assert found.history.kind is HistoryKind.BROKEN
            assert found.evidence is not None
            assert found.evidence.parent == tmp_path / "evidence"
            evidence = Evidence.decode(found.evidence.read_bytes())
            assert (evidence.first, evidence.second) == (now, other)
        assert len(list((tmp_path / "evidence").iterdir())) == 1
        assert store.find(ORIGIN) == now

    def test_finds_a_fork_within_one_answer(self, tmp_path: Path) -> None:
        _, _, now = grown()
        _, _, other = grown(salt=True)
        found = SeenStore(tmp_path).check([now, other], no_server)
        assert found.history.kind is HistoryKind.BROKEN
        assert SeenStore(tmp_path).find(ORIGIN) is None

    def test_evidence_of_two_logs_stands_side_by_side(self, tmp_path: Path) -> None:
        for origin in ("one.example", "two.example"):
            for root in (1, 2):
                world = World(origin=origin, signers=[NoteSigner(origin, bytes([root]) * 32)])
                world.append(bytes([root]))
                found = SeenStore(tmp_path).check([world.checkpoint()], never)
            assert found.history.kind is HistoryKind.BROKEN
        assert len(list((tmp_path / "evidence").iterdir())) == 2

    def test_lies_in_tally_home(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TALLY_HOME", str(tmp_path))
        _, _, now = grown()
        SeenStore().check([now], never)
        (path,) = (tmp_path / "seen").iterdir()
        assert path.read_text() == now
        assert trust_directory().parent == tmp_path

    def test_a_home_that_cannot_be_written_spoils_no_verdict(self, tmp_path: Path) -> None:
        (tmp_path / "seen").write_text("a file where a folder should be")
        _, _, now = grown()
        assert SeenStore(tmp_path).check([now], never).history.kind is HistoryKind.FIRST


def test_the_note_of_a_bundle_is_found() -> None:
    world, stored = small_world()
    assert checkpoint_note(world.bundle(stored[0]).encode()) == world.checkpoint()
    assert checkpoint_note(b"{}") is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"origin":"other","from":1,"to":2,"proof":[]}',
        b'{"origin":"ledger.example/demo","from":2,"to":2,"proof":[]}',
        b'{"origin":"ledger.example/demo","from":1,"to":2,"proof":{}}',
        b'{"origin":"ledger.example/demo","from":1,"to":2,"proof":[1]}',
        b'{"origin":"ledger.example/demo","from":1,"to":2,"proof":["x"]}',
        b'{"origin":"ledger.example/demo","from":1,"to":2,"proof":["AAAA"]}',
        b'{"origin":"ledger.example/demo","from":1,"to":2,"proof":['
        + b",".join([b'""'] * 127)
        + b"]}",
    ],
)
def test_an_answer_to_another_question_is_no_proof(data: bytes) -> None:
    with pytest.raises(PeerAnswerRefused):
        read_consistency(data, ORIGIN, 1, 2)
