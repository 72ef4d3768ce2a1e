"""Forks are found, proven once, kept for good, and told in plain words."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.canonical import canonical_json
from ledger.tlog import Checkpoint, Note, NoteVerifier
from ledger.witness import (
    FILE_SUFFIX,
    CheckpointStrange,
    CosignatureInvalid,
    Evidence,
    EvidenceKind,
    EvidenceMalformed,
    EvidenceStore,
    EvidenceStoreFull,
    PeerWitness,
    Relation,
    Weight,
    examine,
)
from ledger.witness import evidence_store as evidence_store_module
from ledger.witness.evidence_store import is_evidence_name
from tests.ledger.witness.support import (
    ORIGIN,
    Member,
    log_signer,
    members,
    peer,
    signed_checkpoint,
    verifier_of,
)

pytestmark = pytest.mark.feature("L5")

KEYS = [verifier_of("amber"), verifier_of("birch"), verifier_of("cedar")]


def same_size(first: str = "amber", second: str = "birch", size: int = 7) -> Evidence:
    return Evidence(
        EvidenceKind.SAME_SIZE,
        signed_checkpoint(first, size, b"\1" * 32),
        signed_checkpoint(second, size, b"\2" * 32),
        None,
        verifier_of(second),
        1_700_000_000,
    )


def fork(amber: Member, birch: Member) -> None:
    """Two blocks alike, then each goes its own way."""
    for number in (1, 2):
        amber.block(number)
        birch.block(number)
    for number in (3, 4, 5):
        amber.block(number)
        birch.block(number + 10)
    amber.settle()
    birch.settle()


class TestMeeting:
    def test_a_fork_of_two_ledgers_is_evidence_exactly_once(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        with members(tmp_path, "amber", "birch") as (amber, birch):
            fork(amber, birch)
            for _ in range(3):
                text = birch.witness.cosignature_text(0)
                meeting = amber.witness.meet_cosignatures(peer("birch"), text)
                assert meeting.relation is Relation.FORKED
                assert amber.witness.meet(birch.ledger.log.checkpoint()).relation is Relation.FORKED
            (evidence,) = amber.witness.evidence.list()
            alerts = [one for one in caplog.records if one.levelno == logging.CRITICAL]
            assert len(alerts) == 1
            assert "FORK" in alerts[0].message
            assert evidence.kind is EvidenceKind.SAME_SIZE
            assert evidence.accused == verifier_of("birch")
            # The first head at which they part: the two before it were kept.
            first, second = evidence.checkpoints
            assert first.root == amber.ledger.log.root_at(first.size)
            assert second.root == birch.ledger.log.root_at(first.size)
            assert amber.witness.meet_cosignatures(peer("birch"), text).kept == 0
            status = amber.witness.status()
            assert (status.evidence, status.peers[0].forked) == (1, True)
            finding = examine(evidence.encode(), KEYS, ORIGIN)
            assert finding.weight is Weight.PROVEN
            assert finding.first_signers == (f"{ORIGIN}/amber",)
            assert finding.second_signers == (f"{ORIGIN}/birch",)
            assert finding.both == ()
            assert "has forked" in finding.words

    def test_what_agreed_before_the_fork_is_kept(self, tmp_path: Path) -> None:
        with members(tmp_path, "amber", "birch") as (amber, birch):
            fork(amber, birch)
            text = birch.witness.cosignature_text(0)
            assert amber.witness.meet_cosignatures(peer("birch"), text).kept == 3

    def test_evidence_outlives_a_restart_and_is_not_found_again(self, tmp_path: Path) -> None:
        with members(tmp_path, "amber", "birch") as (amber, birch):
            fork(amber, birch)
            text = birch.witness.cosignature_text(0)
            amber.witness.meet_cosignatures(peer("birch"), text)
            (path,) = (tmp_path / "amber" / "evidence").iterdir()
            before = path.read_bytes()
        with members(tmp_path, "amber", "birch") as (amber, birch):
            amber.witness.meet_cosignatures(peer("birch"), text)
            (again,) = (tmp_path / "amber" / "evidence").iterdir()
            assert (again, again.read_bytes()) == (path, before)
            assert amber.witness.status().evidence == 1

    def test_a_false_root_at_a_size_long_past_is_found(self, tmp_path: Path) -> None:
        with members(tmp_path, "amber", "birch") as (amber, _):
            for number in range(6):
                amber.block(number + 1)
            amber.settle()
            note = signed_checkpoint("birch", 3, b"\7" * 32)
            assert amber.witness.meet(note).relation is Relation.FORKED
            (evidence,) = amber.witness.evidence.list()
            assert evidence.checkpoints[0].root == amber.ledger.log.root_at(3)

    def test_each_liar_has_evidence_of_its_own(self, tmp_path: Path) -> None:
        with members(tmp_path, "amber", "birch", "cedar") as (amber, *_):
            amber.block(1)
            text = Checkpoint(ORIGIN, 2, b"\7" * 32).text
            both = (log_signer("birch"), log_signer("cedar"))
            note = Note(text, tuple(one.sign(text) for one in both)).encode()
            amber.witness.meet(note)
            accused = {one.accused for one in amber.witness.evidence.list()}
            assert {one.public_key for one in accused if one} == {
                one.verifier.public_key for one in both
            }

    @pytest.mark.parametrize("way", ["same size", "ahead"])
    def test_a_false_signature_beside_the_liars_own_does_not_spoil_the_evidence(
        self, tmp_path: Path, way: str
    ) -> None:
        """A verifier that knows further keys, as of members gone, would refuse the whole note."""
        with members(tmp_path, "amber", "birch") as (amber, _):
            amber.block(1)
            false = signed_checkpoint("cedar", 99, b"\1" * 32).rpartition("\n\n")[2]
            size = 2 if way == "same size" else 4
            note = signed_checkpoint("birch", size, b"\7" * 32) + false
            if way == "same size":
                assert amber.witness.meet(note).relation is Relation.FORKED
            else:
                basis = amber.witness.basis(peer("birch"), note)
                path = (b"\3" * 32,)
                meeting = amber.witness.prove(peer("birch"), note, basis, path)
                assert meeting.relation is Relation.FORKED
            (evidence,) = amber.witness.evidence.list()
            weight = Weight.PROVEN if way == "same size" else Weight.CLAIMED
            assert examine(evidence.encode(), KEYS, ORIGIN).weight is weight

    def test_strangers_prove_nothing(self, tmp_path: Path) -> None:
        with members(tmp_path, "amber", "birch") as (amber, _):
            amber.block(1)
            forged = signed_checkpoint("birch", 2, b"\7" * 32)
            for note in (
                signed_checkpoint("delta", 2, b"\7" * 32),
                "nothing",
                forged.replace("\n2\n", "\n3\n"),
                signed_checkpoint("birch", 2, b"\7" * 32).replace("test\n", "other\n", 1),
            ):
                with pytest.raises(CheckpointStrange):
                    amber.witness.meet(note)
            text = f"{ORIGIN}\n" + forged.split("\n", 1)[1].replace("\n\n", "\n").replace(
                "2\n", "2 ", 1
            )
            with pytest.raises(CosignatureInvalid, match="a cosignature by"):
                amber.witness.meet_cosignatures(peer("cedar"), text)
            with pytest.raises(CosignatureInvalid, match="is false"):
                amber.witness.meet_cosignatures(peer("birch"), text.replace("\n2 ", "\n1 "))
            assert amber.witness.evidence.list() == ()


class TestProofs:
    def test_a_larger_checkpoint_with_a_valid_proof_is_remembered(self, tmp_path: Path) -> None:
        with members(tmp_path, "amber", "birch") as (amber, birch):
            for member, count in ((amber, 2), (birch, 5)):
                for number in range(count):
                    member.block(number + 1)
                member.settle()
            note = birch.ledger.log.checkpoint()
            assert amber.witness.meet(note).relation is Relation.AHEAD
            basis = amber.witness.basis(peer("birch"), note)
            assert basis.size == amber.size
            path = birch.ledger.log.consistency_proof(basis.size, birch.size)
            meeting = amber.witness.prove(peer("birch"), note, basis, path)
            assert meeting.relation is Relation.AHEAD
            # From now on the peer is held to that, too.
            birch.block(6)
            birch.settle()
            later = birch.ledger.log.checkpoint()
            assert amber.witness.basis(peer("birch"), later).size == basis.size + 6
            assert amber.witness.evidence.list() == ()

    def test_a_broken_proof_is_evidence_against_the_peer_that_gave_it(self, tmp_path: Path) -> None:
        with members(tmp_path, "amber", "birch", "cedar") as (amber, birch, cedar):
            amber.block(1)
            for member in (birch, cedar):
                for number in (11, 12):
                    member.block(number)
                member.settle()
            birch.witness.meet_cosignatures(peer("cedar"), cedar.witness.cosignature_text(0))
            note = birch.ledger.log.checkpoint()
            basis = amber.witness.basis(peer("birch"), note)
            path = birch.ledger.log.consistency_proof(basis.size, birch.size)
            for _ in range(2):
                meeting = amber.witness.prove(peer("birch"), note, basis, path)
                assert meeting.relation is Relation.FORKED
            (evidence,) = amber.witness.evidence.list()
            assert (evidence.kind, evidence.accused) == (
                EvidenceKind.BROKEN_PROOF,
                verifier_of("birch"),  # cedar signed in good faith, the proof is birch's
            )
            finding = examine(evidence.encode(), KEYS, ORIGIN)
            assert finding.weight is Weight.CLAIMED
            assert "Nobody signed that proof" in finding.words

    def test_what_was_seen_is_compared_once_our_log_gets_there(self, tmp_path: Path) -> None:
        with members(tmp_path, "amber", "birch") as (amber, birch):
            amber.block(1)
            birch.block(1)
            for number in (12, 13):
                birch.block(number)
            birch.settle()
            note = birch.ledger.log.checkpoint()
            basis = amber.witness.basis(peer("birch"), note)
            path = birch.ledger.log.consistency_proof(basis.size, birch.size)
            assert amber.witness.prove(peer("birch"), note, basis, path).relation is Relation.AHEAD
            assert amber.witness.recheck(peer("birch")) is Relation.AGREES
        with members(tmp_path, "amber", "birch") as (amber, birch):  # what was seen is durable
            amber.nonces[1] = 1
            for number in (2, 3):
                amber.block(number)
            amber.settle()
            assert amber.witness.recheck(peer("birch")) is Relation.FORKED
            (evidence,) = amber.witness.evidence.list()
            assert evidence.kind is EvidenceKind.SAME_SIZE

    def test_a_peer_that_shows_two_states_ahead_of_us_is_found_out(self, tmp_path: Path) -> None:
        with members(tmp_path, "amber", "birch") as (amber, _):
            one = signed_checkpoint("birch", 9, b"\1" * 32)
            other = signed_checkpoint("birch", 9, b"\2" * 32)
            basis = amber.witness.basis(peer("birch"), one)
            assert basis.size == 0
            assert amber.witness.prove(peer("birch"), one, basis, ()).relation is Relation.AHEAD
            seen = amber.witness.basis(peer("birch"), other)
            assert seen.size == 9
            assert amber.witness.prove(peer("birch"), other, seen, ()).relation is Relation.FORKED
            (evidence,) = amber.witness.evidence.list()
            finding = examine(evidence.encode(), KEYS, ORIGIN)
            assert finding.weight is Weight.PROVEN
            assert finding.both == (f"{ORIGIN}/birch",)
            assert "contradicts itself" in finding.words

    @pytest.mark.parametrize("way", ["checkpoint", "cosignature"])
    def test_another_key_is_no_way_out(self, tmp_path: Path, way: str) -> None:
        """What a node signed before it changed its key is held against it."""
        with members(tmp_path, "amber", "birch") as (amber, _):
            amber.block(1)
            amber.settle()
            note = signed_checkpoint("birch", 4, b"\7" * 32)
            if way == "checkpoint":
                basis = Checkpoint(ORIGIN, 0, b"\0" * 32)
                meeting = amber.witness.prove(peer("birch"), note, basis, ())
            else:
                _, _, root, _, line, _ = note.split("\n")
                text = f"{ORIGIN}\n4 {root}\n{line}\n"
                meeting = amber.witness.meet_cosignatures(peer("birch"), text)
            assert meeting.relation is Relation.AHEAD
            other = replace(verifier_of("birch"), public_key=verifier_of("delta").public_key)
            amber.witness._provider = lambda: [PeerWitness("birch", other, "")]
            amber.witness.refresh()
            amber.block(2)
            amber.settle()
            assert amber.size >= 4
            for _ in range(100):
                if amber.witness.evidence.count():
                    break
                time.sleep(0.02)
            (evidence,) = amber.witness.evidence.list()
            assert (evidence.kind, evidence.accused) == (
                EvidenceKind.SAME_SIZE,
                verifier_of("birch"),
            )
            # What it says truly with the former key is no cosignature any more.
            text = Checkpoint(ORIGIN, amber.size, amber.ledger.log.root).text
            sign = log_signer("birch").cosigner(f"{ORIGIN}/birch").sign
            assert amber.witness.meet(Note(text, (sign(text),)).encode()).kept == 0

    def test_a_peer_must_sign_what_it_serves_with_a_proof(self, tmp_path: Path) -> None:
        with members(tmp_path, "amber", "birch", "cedar") as (amber, *_):
            note = signed_checkpoint("cedar", 9, b"\1" * 32)
            basis = amber.witness.basis(peer("birch"), note)
            with pytest.raises(CheckpointStrange, match="has not signed"):
                amber.witness.prove(peer("birch"), note, basis, ())


class TestFile:
    def test_comes_back_from_its_bytes(self) -> None:
        for accused in (verifier_of("birch"), None):
            evidence = replace(same_size(), accused=accused)
            assert Evidence.decode(evidence.encode()) == evidence

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"format": "tallystick-evidence/2"}, "format"),
            ({"kind": "other"}, "not known"),
            ({"kind": "broken-proof"}, "smaller and a larger"),
            ({"origin": "other"}, "origin"),
            ({"origin": 1}, "texts"),
            ({"first": "x"}, "checkpoint"),
            ({"second": same_size().first}, "same root"),
            ({"second": signed_checkpoint("birch", 8, b"\2" * 32)}, "one size"),
            ({"proof": []}, "no proof"),
            ({"proof": ["x"]}, "proof"),
            ({"proof": [""]}, "32 bytes"),
            ({"proof": 1}, "proof"),
            ({"accused": "x"}, "accused"),
            ({"foundAt": -1}, "foundAt"),
            ({"foundAt": True}, "foundAt"),
            ({"foundAt": 1.5}, "foundAt"),
            ({"more": 1}, "more"),
        ],
    )
    def test_is_strict(self, change: dict[str, object], reason: str) -> None:
        fields = json.loads(same_size().encode()) | change
        with pytest.raises(EvidenceMalformed, match=reason):
            Evidence.decode(canonical_json(fields) + b"\n")

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda data: data[:-1],
            lambda data: data + b"\n",
            lambda data: b" " + data,
            lambda data: b"",
            lambda data: b"[]\n",
            lambda data: data.replace(b'"kind"', b'"kind" '),
            lambda data: b"9" * 300_000,
        ],
    )
    def test_has_one_spelling(self, spoil: Callable[[bytes], bytes]) -> None:
        data = spoil(same_size().encode())
        with pytest.raises(EvidenceMalformed):
            Evidence.decode(data)
        assert examine(data, KEYS, ORIGIN).weight is Weight.INVALID

    def test_a_valid_proof_is_no_evidence(self, tmp_path: Path) -> None:
        with members(tmp_path, "amber") as (amber,):
            for number in range(3):
                amber.block(number + 1)
            log = amber.ledger.log
            evidence = Evidence(
                EvidenceKind.BROKEN_PROOF,
                signed_checkpoint("amber", 2, log.root_at(2)),
                signed_checkpoint("birch", 6, log.root_at(6)),
                log.consistency_proof(2, 6),
                None,
                0,
            )
            with pytest.raises(EvidenceMalformed, match="valid"):
                evidence.check()
            flipped = bytes([log.root[0] ^ 1]) + log.root[1:]
            assert evidence.proof is not None
            replace(evidence, proof=(flipped, *evidence.proof[1:])).check()

    def test_of_an_unknown_log_or_by_strangers_it_decides_nothing(self) -> None:
        data = same_size().encode()
        assert examine(data, (), None).weight is Weight.UNKNOWN
        assert examine(data, KEYS, "other.example").weight is Weight.UNKNOWN
        assert examine(data, KEYS[2:], ORIGIN).weight is Weight.UNKNOWN
        assert examine(data, KEYS[:1], ORIGIN).weight is Weight.UNKNOWN
        assert "one of the two" in examine(data, KEYS[:1], ORIGIN).words

    def test_an_altered_signature_is_no_evidence(self) -> None:
        evidence = same_size()
        second = Note.decode(evidence.second)
        false = replace(second.signatures[0], signature=bytes(72))
        data = replace(evidence, second=Note(second.text, (false,)).encode()).encode()
        assert examine(data, KEYS, ORIGIN).weight is Weight.INVALID


class TestStore:
    def test_keeps_one_file_a_key_and_kind(self, tmp_path: Path) -> None:
        store = EvidenceStore(tmp_path / "evidence")
        assert store.list() == ()
        assert store.add(same_size())
        assert not store.add(same_size(size=9))
        assert store.add(same_size(second="cedar"))
        assert len(list((tmp_path / "evidence").iterdir())) == store.count() == 2
        assert EvidenceStore(tmp_path / "evidence").list() == store.list()

    def test_files_bear_the_hash_of_their_bytes(self, tmp_path: Path) -> None:
        store = EvidenceStore(tmp_path)
        evidence = same_size()
        store.add(evidence)
        (path,) = tmp_path.iterdir()
        assert path == store.path(evidence)
        assert is_evidence_name(path.name)
        assert path.name == evidence.id + FILE_SUFFIX
        assert store.read(evidence.id) == path.read_bytes() == evidence.encode()
        assert store.read("0" * 64) is None

    def test_never_overwrites(self, tmp_path: Path) -> None:
        evidence = same_size()
        path = tmp_path / (evidence.id + FILE_SUFFIX)
        path.write_bytes(b"somebody's own notes")
        EvidenceStore(tmp_path).add(evidence)
        assert path.read_bytes() == b"somebody's own notes"

    def test_refuses_what_is_no_evidence(self, tmp_path: Path) -> None:
        evidence = same_size()
        with pytest.raises(EvidenceMalformed):
            EvidenceStore(tmp_path).add(replace(evidence, second=evidence.first))
        assert list(tmp_path.iterdir()) == []

    def test_is_bounded(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(evidence_store_module, "FILES_MAX", 2)
        store = EvidenceStore(tmp_path)
        store.add(same_size())
        store.add(same_size(second="cedar"))
        with pytest.raises(EvidenceStoreFull, match="move"):
            store.add(same_size(second="delta"))
        assert store.count() == 2

    def test_a_damaged_file_hides_no_other(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        EvidenceStore(tmp_path).add(same_size())
        (tmp_path / ("0" * 64 + FILE_SUFFIX)).write_text("{")
        assert EvidenceStore(tmp_path).list() == (same_size(),)
        assert "not readable" in caplog.text


def test_a_set_back_ledger_never_cosigns_a_second_root(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with members(tmp_path, "amber") as (amber,):
        for number in (1, 2):
            amber.block(number)
        amber.settle()
        signed: NoteVerifier = amber.witness.verifier
        first = amber.witness.cosignatures(0)
    (tmp_path / "amber" / "chain").rename(tmp_path / "lost")
    with members(tmp_path, "amber") as (amber,):
        amber.block(7)
        for _ in range(200):
            if "cosigned another root" in caplog.text:
                break
            amber.witness.checkpoint()
        assert "cosigned another root of size 2" in caplog.text
        note = Note.decode(amber.ledger.log.checkpoint())
        assert signed.name not in [one.name for one in note.signatures]
        assert [one.size for one in amber.witness.cosignatures(0)] == [0]
        assert [one.size for one in first] == [0, 2, 4]
