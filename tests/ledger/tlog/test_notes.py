"""Signed notes, keys, checkpoints and thresholds."""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.tlog import (
    Checkpoint,
    CheckpointMalformed,
    Note,
    NoteMalformed,
    NoteSigner,
    NoteVerifier,
    OriginMismatch,
    SignatureInvalid,
    SignatureType,
    ThresholdNotMet,
    TlogError,
    add_cosignatures,
    cosignature_time,
    open_checkpoint,
    require_threshold,
    sign_checkpoint,
    sign_note,
    signed_by,
)

pytestmark = pytest.mark.feature("L4")

ORIGIN = "ledger.example/demo"
HEAD = Checkpoint(ORIGIN, 20_852_163, bytes(range(32)))

# The example of Go's golang.org/x/mod/sumdb/note, made by an independent implementation.
NEUMANN_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngot"
    "pRZb6KE6RyyBwJnAM=\n"
)


def signer(seed: int, name: str = ORIGIN) -> NoteSigner:
    return NoteSigner(name, bytes([seed]) * 32)


LOG = signer(1)
WITNESSES = [signer(seed, f"witness{seed}.example").cosigner() for seed in (2, 3, 4)]


class TestKeys:
    def test_a_vkey_of_another_implementation_is_read(self) -> None:
        verifier = NoteVerifier.parse(NEUMANN_VKEY)
        assert (verifier.name, verifier.type) == ("PeterNeumann", SignatureType.ED25519)
        assert verifier.key_id.hex() == "c74f20a3"
        assert verifier.vkey == NEUMANN_VKEY

    def test_new_keys_differ_and_come_back_from_their_vkey(self) -> None:
        one, other = NoteSigner.generate(ORIGIN), NoteSigner.generate(ORIGIN)
        assert one.vkey != other.vkey
        assert NoteVerifier.parse(one.vkey) == one.verifier
        assert NoteVerifier.parse(one.cosigner().vkey).type is SignatureType.COSIGNATURE

    def test_the_seed_is_never_shown(self) -> None:
        assert "seed" not in repr(LOG)
        assert LOG.key.seed.hex() not in repr(LOG)

    def test_the_same_key_has_another_id_as_a_cosigner(self) -> None:
        assert LOG.verifier.key_id != LOG.cosigner().verifier.key_id

    @pytest.mark.parametrize(
        "vkey",
        [
            "",
            "PeterNeumann",
            "PeterNeumann+c74f20a3",
            "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumanm+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq_LDE4izWy10TW",
            "PeterNeumann+c74f20a3+AxpcBQ==",
            "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        ],
    )
    def test_damaged_vkeys_are_refused(self, vkey: str) -> None:
        with pytest.raises(NoteMalformed):
            NoteVerifier.parse(vkey)

    def test_unknown_key_types_are_refused(self) -> None:
        key = base64.b64encode(b"\x02" + bytes(32)).decode()
        with pytest.raises(NoteMalformed, match="type 1 or 4"):
            NoteVerifier.parse(f"a+00000000+{key}")

    @pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u00a0b", "a\u2003b", "x" * 256])
    def test_names_that_would_break_a_line_are_refused(self, name: str) -> None:
        with pytest.raises(NoteMalformed):
            NoteSigner.generate(name)

    def test_a_seed_of_another_length_is_refused(self) -> None:
        with pytest.raises(NoteMalformed, match="32 bytes"):
            NoteSigner("a", b"short")


class TestNotes:
    def test_a_note_of_another_implementation_verifies(self) -> None:
        note = Note.decode(NEUMANN_NOTE)
        verifier = NoteVerifier.parse(NEUMANN_VKEY)
        assert signed_by(note, [verifier]) == (verifier,)
        with pytest.raises(SignatureInvalid):
            signed_by(Note(note.text + "!\n", note.signatures), [verifier])

    @given(
        st.text(
            alphabet=st.characters(
                exclude_categories=["Cs"], exclude_characters="".join(map(chr, range(32)))
            )
            | st.just("\n"),
            min_size=1,
        )
    )
    def test_any_text_comes_back_from_its_note(self, text: str) -> None:
        text += "\n"
        note = Note.decode(sign_note(text, [LOG]))
        assert note.text == text
        assert signed_by(note, [LOG.verifier]) == (LOG.verifier,)

    def test_strangers_signatures_are_passed_over(self) -> None:
        note = Note.decode(sign_note("text\n", [signer(9), LOG, signer(8, "other.example")]))
        assert signed_by(note, [LOG.verifier]) == (LOG.verifier,)
        assert signed_by(note, [signer(7).verifier]) == ()

    def test_a_false_signature_of_a_known_key_spoils_the_note(self) -> None:
        good = LOG.sign("text\n")
        bad = type(good)(good.name, good.key_id, bytes(64))
        for signatures in ((good, bad), (bad, good)):
            with pytest.raises(SignatureInvalid):
                signed_by(Note("text\n", signatures), [LOG.verifier])

    @pytest.mark.parametrize("size", [0, 1, 63, 65, 72])
    def test_signatures_of_odd_length_are_false(self, size: int) -> None:
        assert not LOG.verifier.verify("text\n", bytes(size))
        assert not LOG.cosigner().verifier.verify("text\n", bytes(size))

    @pytest.mark.parametrize(
        "note",
        [
            "",
            "\n",
            "text\n",
            "text\n\n",
            "text\n— a AAAAAAA=\n",
            "\n\n— a AAAAAAA=\n",
            "text\n\n— a AAAAAAA=",
            "text\n\n- a AAAAAAA=\n",
            "text\n\n—  a AAAAAAA=\n",
            "text\n\n— a\n",
            "text\n\n— a+b AAAAAAA=\n",
            "text\n\n— a AAAAAAA\n",
            "text\n\n— a AAAAAAB=\n",
            "text\n\n— a AAAA\n",
            "text\n\n— a AAAAAAA= \n",
            "text\r\n\n— a AAAAAAA=\n",
            "te\txt\n\n— a AAAAAAA=\n",
            "te\ud800xt\n\n— a AAAAAAA=\n",
            "text\n\n— a AAAAAAA=\nmore\n",
            "x" * 70_000 + "\n\n— a AAAAAAA=\n",
            "text\n\n" + "— a AAAAAAA=\n" * 129,
        ],
    )
    def test_other_shapes_are_refused(self, note: str) -> None:
        with pytest.raises(NoteMalformed):
            Note.decode(note)

    def test_sixteen_signatures_and_more_are_accepted(self) -> None:
        signers = [signer(seed, f"w{seed}.example") for seed in range(128)]
        assert len(signed_by(Note.decode(sign_note("t\n", signers)), [s.verifier for s in signers]))

    @given(st.text(max_size=80))
    def test_no_text_does_more_than_raise(self, text: str) -> None:
        for candidate in (text, f"text\n\n— {text}\n", f"{text}\n\n— a AAAAAAA=\n"):
            try:
                note = Note.decode(candidate)
            except NoteMalformed:
                continue
            assert note.encode() == candidate


class TestCheckpoints:
    def test_the_text_of_the_specification_s_example(self) -> None:
        text = (
            "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
        )
        checkpoint = Checkpoint.parse(text)
        assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20_852_163)
        assert checkpoint.text == text

    def test_signed_and_opened(self) -> None:
        note = sign_checkpoint(HEAD, [LOG])
        assert open_checkpoint(note, [LOG.verifier], 1, ORIGIN) == HEAD

    def test_extension_lines_are_kept(self) -> None:
        head = Checkpoint(ORIGIN, 0, bytes(32), ("more", "lines"))
        note = sign_checkpoint(head, [LOG])
        assert open_checkpoint(note, [LOG.verifier], 1, ORIGIN) == head

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "a\n1\n",
            "a\n01\n" + "A" * 43 + "=\n",
            "a\n-1\n" + "A" * 43 + "=\n",
            "a\n١\n" + "A" * 43 + "=\n",
            "a\n9223372036854775808\n" + "A" * 43 + "=\n",
            "a\n1\nAAAA\n",
            "a\n1\n" + "A" * 43 + "\n",
            "a\n1\n" + "A" * 42 + "B=\n",
            "\n1\n" + "A" * 43 + "=\n",
            "a\n1\n" + "A" * 43 + "=\n\n",
            "a\n1\n" + "A" * 43 + "=",
        ],
    )
    def test_other_texts_are_refused(self, text: str) -> None:
        with pytest.raises(CheckpointMalformed):
            Checkpoint.parse(text)

    @pytest.mark.parametrize(
        "head",
        [
            Checkpoint("a\nb", 1, bytes(32)),
            Checkpoint("", 1, bytes(32)),
            Checkpoint("a", -1, bytes(32)),
            Checkpoint("a", 2**63, bytes(32)),
            Checkpoint("a", 1, bytes(31)),
            Checkpoint("a", 1, bytes(32), ("",)),
        ],
    )
    def test_what_would_not_read_back_is_not_signed(self, head: Checkpoint) -> None:
        with pytest.raises(CheckpointMalformed):
            sign_checkpoint(head, [LOG])

    def test_another_log_s_checkpoint_is_refused(self) -> None:
        note = sign_checkpoint(HEAD, [LOG])
        with pytest.raises(OriginMismatch):
            open_checkpoint(note, [LOG.verifier], 1, "other.example")

    @given(st.data())
    def test_a_changed_checkpoint_never_opens(self, data: Any) -> None:
        note = sign_checkpoint(HEAD, [LOG])
        place = data.draw(st.integers(0, len(note) - 1))
        character = data.draw(st.characters().filter(lambda other: other != note[place]))
        with pytest.raises(TlogError):
            open_checkpoint(note[:place] + character + note[place + 1 :], [LOG.verifier], 1, ORIGIN)


class TestThreshold:
    def test_k_of_n(self) -> None:
        note = sign_checkpoint(HEAD, [LOG, *WITNESSES[:2]])
        keys = [one.verifier for one in (LOG, *WITNESSES)]
        for threshold in (1, 2, 3):
            assert open_checkpoint(note, keys, threshold, ORIGIN) == HEAD
        with pytest.raises(ThresholdNotMet, match="3 of 4 known members") as caught:
            open_checkpoint(note, keys, 4, ORIGIN)
        assert (caught.value.signed, caught.value.threshold) == (3, 4)

    def test_one_key_counts_once_under_all_its_names_and_types(self) -> None:
        alias = NoteSigner("alias.example", LOG.key)
        signers = [LOG, LOG.cosigner(), alias, LOG]
        note = Note.decode(sign_checkpoint(HEAD, signers))
        with pytest.raises(ThresholdNotMet, match="1 of 1"):
            require_threshold(note, [one.verifier for one in signers], 2)

    def test_a_key_under_another_name_is_a_stranger(self) -> None:
        note = Note.decode(sign_checkpoint(HEAD, [NoteSigner("alias.example", LOG.key)]))
        with pytest.raises(ThresholdNotMet):
            require_threshold(note, [LOG.verifier], 1)

    def test_a_threshold_of_none_is_no_policy(self) -> None:
        with pytest.raises(ValueError, match="at least 1"):
            require_threshold(Note.decode(sign_checkpoint(HEAD, [LOG])), [LOG.verifier], 0)


class TestCosignatures:
    def test_a_cosignature_says_when(self) -> None:
        cosigner = WITNESSES[0]
        signature = cosigner.sign(HEAD.text, 1_679_315_147)
        assert cosignature_time(signature.signature) == 1_679_315_147
        assert cosigner.verifier.verify(HEAD.text, signature.signature)
        later = (1_679_315_148).to_bytes(8, "big") + signature.signature[8:]
        assert not cosigner.verifier.verify(HEAD.text, later)

    def test_the_time_is_now_unless_given(self) -> None:
        moment = cosignature_time(WITNESSES[0].sign(HEAD.text).signature)
        assert abs(moment - time.time()) < 60

    def test_the_message_is_that_of_the_specification(self) -> None:
        cosigner = WITNESSES[0]
        signed = cosigner.sign(HEAD.text, 7).signature[8:]
        plain = NoteVerifier(cosigner.name, SignatureType.ED25519, cosigner.verifier.public_key)
        assert plain.verify(f"cosignature/v1\ntime 7\n{HEAD.text}", signed)

    def test_a_cosignature_is_no_plain_signature_and_the_other_way_round(self) -> None:
        plain, cosigner = LOG, LOG.cosigner()
        signature = cosigner.sign(HEAD.text, 7).signature
        assert not plain.verifier.verify(HEAD.text, signature[8:])
        assert not cosigner.verifier.verify(HEAD.text, bytes(8) + plain.sign(HEAD.text).signature)

    def test_times_beyond_63_bits_are_false(self) -> None:
        signature = WITNESSES[0].sign(HEAD.text, 2**63)
        assert not WITNESSES[0].verifier.verify(HEAD.text, signature.signature)

    def test_witnesses_add_to_a_signed_checkpoint(self) -> None:
        note = add_cosignatures(sign_checkpoint(HEAD, [LOG]), WITNESSES)
        keys = [one.verifier for one in WITNESSES]
        assert open_checkpoint(note, keys, 3, ORIGIN) == HEAD
        assert len(Note.decode(note).signatures) == 4
