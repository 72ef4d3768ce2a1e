"""Members cosign their heads, and keep what agrees with their own log."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.tlog import (
    Checkpoint,
    Note,
    NoteSignature,
    NoteVerifier,
    SignatureType,
    ThresholdNotMet,
    open_checkpoint,
    signed_by,
)
from ledger.witness import (
    CheckpointStrange,
    LabelInvalid,
    PeerWitness,
    Relation,
    cosigner_name,
    cosigner_of_text,
    cosigner_vkey,
    label_of,
)
from tests.ledger.witness.support import (
    ORIGIN,
    log_signer,
    members,
    peer,
    signed_checkpoint,
    verifier_of,
)

pytestmark = pytest.mark.feature("L4")


def test_two_members_cosign_one_head(tmp_path: Path) -> None:
    with members(tmp_path, "amber", "birch") as (amber, birch):
        for member in (amber, birch):
            for number in (1, 2, 3):
                member.block(number)
            member.settle()
        keys = [verifier_of("amber"), verifier_of("birch")]
        with pytest.raises(ThresholdNotMet):
            open_checkpoint(amber.ledger.log.checkpoint(), keys, 2, ORIGIN)
        text = birch.witness.cosignature_text(0)
        assert amber.witness.meet_cosignatures(peer("birch"), text).kept == 4
        checkpoint = open_checkpoint(amber.ledger.log.checkpoint(), keys, 2, ORIGIN)
        assert (checkpoint.size, checkpoint.root) == (amber.size, amber.ledger.log.root)
        note = Note.decode(amber.ledger.log.checkpoint())
        assert [one.name for one in note.signatures] == [
            ORIGIN,
            f"{ORIGIN}/amber",
            f"{ORIGIN}/birch",
        ]
        assert len(signed_by(note, keys)) == 2


def test_nobody_is_silenced_by_another_s_label(tmp_path: Path) -> None:
    with members(tmp_path, "amber", "birch") as (amber, birch):
        for member in (amber, birch):
            member.block(1)
            member.settle()
        impostor = NoteVerifier(
            f"{ORIGIN}/birch", SignatureType.COSIGNATURE, log_signer("cedar").verifier.public_key
        )
        both = [peer("birch"), PeerWitness("birch", impostor, "")]
        for order in (both, both[::-1]):
            amber.witness._provider = lambda order=order: order
            amber.witness.refresh()
            amber.witness.meet_cosignatures(peer("birch"), birch.witness.cosignature_text(0))
            assert amber.witness.witnessed(0, 2) is not None
            # And a label that two hold is still one member.
            assert amber.witness.witnessed(0, 3) is None


def test_a_signature_over_further_lines_is_none_of_our_checkpoint(tmp_path: Path) -> None:
    """Under our checkpoint it would be false, and verifiers would refuse all of it."""
    with members(tmp_path, "amber", "birch") as (amber, birch):
        for one in (amber, birch):
            one.block(1)
            one.settle()
        size = amber.size
        text = Checkpoint(ORIGIN, size, amber.ledger.log.root_at(size), ("more",)).text
        signer = log_signer("birch").cosigner(f"{ORIGIN}/birch")
        meeting = amber.witness.meet(Note(text, (signer.sign(text),)).encode())
        assert (meeting.relation, meeting.kept) == (Relation.AGREES, 0)
        keys = [verifier_of("amber"), verifier_of("birch")]
        assert open_checkpoint(amber.ledger.log.checkpoint(), keys, 1, ORIGIN).size == size
        # What it signs as everybody does still counts.
        text = birch.witness.cosignature_text(0)
        assert amber.witness.meet_cosignatures(peer("birch"), text).kept > 0
        assert open_checkpoint(amber.ledger.log.checkpoint(), keys, 2, ORIGIN).size == size


def test_a_note_never_has_more_signatures_than_anybody_reads(tmp_path: Path) -> None:
    with members(tmp_path, "amber") as (amber,):
        amber.block(1)
        amber.settle()
        heads = amber.witness._heads
        head = heads.board.head(amber.size)
        assert head is not None
        for number in range(200):
            name = f"{ORIGIN}/n-{number}"
            heads.board.sign(head, NoteSignature(name, number.to_bytes(4, "big"), bytes(72)))
        for number in range(50):  # one node that changes its key again and again
            name, key = f"{ORIGIN}/0", number.to_bytes(4, "big")
            assert heads.board.sign(head, NoteSignature(name, key, bytes(72))) is (number < 2)
        note = Note.decode(amber.ledger.log.checkpoint())
        assert [one.name for one in note.signatures[:3]] == [
            ORIGIN,
            f"{ORIGIN}/amber",
            f"{ORIGIN}/0",
        ]
        assert open_checkpoint(note.encode(), [verifier_of("amber")], 1, ORIGIN).size == amber.size


def test_a_node_is_no_peer_of_its_own(tmp_path: Path) -> None:
    with members(tmp_path, "amber", "birch") as (amber, _):
        own = PeerWitness("amber", verifier_of("amber"), "http://127.0.0.1:9")
        amber.witness._provider = lambda: [own, peer("birch")]
        assert amber.witness.refresh() == (peer("birch"),)
        assert amber.witness.status().expected == (f"{ORIGIN}/birch",)


def test_a_member_that_left_counts_no_longer(tmp_path: Path) -> None:
    with members(tmp_path, "amber", "birch") as (amber, birch):
        amber.witness.meet_cosignatures(peer("birch"), birch.witness.cosignature_text(0))
        assert amber.witness.witnessed(0, 2) is not None
        amber.witness._provider = tuple
        amber.witness.refresh()
        assert amber.witness.witnessed(0, 2) is None
        assert amber.witness.status().missing == ()
        size = amber.size
        text = Checkpoint(ORIGIN, size, amber.ledger.log.root).text
        assert amber.witness.meet(Note(text, (log_signer("birch").sign(text),)).encode()).kept == 0
        with pytest.raises(CheckpointStrange):
            amber.witness.meet(signed_checkpoint("cedar", size, amber.ledger.log.root))


def test_after_close_the_log_serves_its_own_checkpoint(tmp_path: Path) -> None:
    with members(tmp_path, "amber") as (amber,):
        assert len(Note.decode(amber.ledger.log.checkpoint()).signatures) == 2
        amber.witness.close()
        amber.witness.close()
        assert len(Note.decode(amber.ledger.log.checkpoint()).signatures) == 1
        amber.block(1)


def test_checkpoints_of_earlier_sizes_bear_every_signature_too(tmp_path: Path) -> None:
    with members(tmp_path, "amber", "birch") as (amber, birch):
        for member in (amber, birch):
            member.block(1)
            member.settle()
        amber.witness.meet_cosignatures(peer("birch"), birch.witness.cosignature_text(0))
        size = amber.size
        for number in (2, 3):
            amber.block(number)
            amber.settle()
        keys = [verifier_of("amber"), verifier_of("birch")]
        note = amber.ledger.log.witnessed(size, 2, keys)
        assert note is not None
        checkpoint = open_checkpoint(note, keys, 2, ORIGIN)
        assert (checkpoint.size, checkpoint.root) == (size, amber.ledger.log.root_at(size))
        own = [log_signer("amber").verifier]
        assert open_checkpoint(note, own, 1, ORIGIN) == checkpoint
        assert amber.ledger.log.witnessed(size + 1, 2, keys) is None
        newest = amber.ledger.log.witnessed(0, 1, keys)
        assert newest == amber.ledger.log.checkpoint()


@pytest.mark.parametrize("label", ["", "A", "a b", "a/b", "x" * 33, "a+b"])
def test_labels_that_would_break_a_name_are_refused(label: str) -> None:
    with pytest.raises(LabelInvalid):
        cosigner_name(ORIGIN, label)


def test_names_and_labels_belong_together() -> None:
    assert cosigner_vkey(ORIGIN, "amber", bytes(32)).startswith(f"{ORIGIN}/amber+")
    assert label_of(f"{ORIGIN}/amber", ORIGIN) == "amber"
    for name in (ORIGIN, f"{ORIGIN}/", f"{ORIGIN}/a/b", "other/amber", f"{ORIGIN}amber"):
        assert label_of(name, ORIGIN) is None


def test_a_witness_key_is_of_this_log_and_of_the_type_that_cosigns() -> None:
    key = verifier_of("amber")
    assert cosigner_of_text(key.vkey, ORIGIN) == key
    # The same key in another spelling would be a second member in the register.
    as_log = NoteVerifier(key.name, SignatureType.ED25519, key.public_key)
    assert cosigner_of_text(as_log.vkey, ORIGIN) is None
    assert cosigner_of_text(key.vkey, "other.example") is None
    assert cosigner_of_text("nonsense", ORIGIN) is None


def test_a_log_without_a_witness_offers_its_own_checkpoint(tmp_path: Path) -> None:
    with members(tmp_path, "amber", start=False) as (amber,):
        amber.block(1)
        log, own = amber.ledger.log, [log_signer("amber").verifier]
        assert log.witnessed(amber.size, 1, own) == log.checkpoint() == log.witnessed(0, 1)
        assert log.witnessed(amber.size + 1, 1, own) is None
        assert log.witnessed(0, 2) is None
        assert log.witnessed(0, 1, [verifier_of("amber")]) is None
        for size in range(amber.size + 1):
            assert len(log.root_at(size)) == 32
        for size in (-1, amber.size + 1):
            with pytest.raises(IndexError):
                log.root_at(size)
