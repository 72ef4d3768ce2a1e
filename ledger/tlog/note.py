"""Signed notes (C2SP signed-note): text, a blank line, signature lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ledger.tlog.encoding import decode_base64
from ledger.tlog.errors import NoteMalformed, SignatureInvalid, ThresholdNotMet
from ledger.tlog.keys import (
    KEY_ID_SIZE_BYTES,
    NoteSignature,
    NoteSigner,
    NoteVerifier,
    require_name,
)
from ledger.tlog.members import Members, identity_of

NOTE_SIZE_BYTES_MAX = 64 * 1024
SIGNATURES_MAX = 128
_DASH = "\u2014 "


@dataclass(frozen=True, slots=True)
class Note:
    """A note with its signatures, none of them checked yet."""

    text: str
    """With its final newline; without the blank line before the signatures."""
    signatures: tuple[NoteSignature, ...]

    def encode(self) -> str:
        """The note as one text; `decode` reads it."""
        return f"{self.text}\n" + "".join(signature.line for signature in self.signatures)

    @classmethod
    def decode(cls, note: str) -> Note:
        """Split a note. Raises `NoteMalformed`; whoever signed is not looked at."""
        _require_note_characters(note)
        text, separator, lines = note.rpartition("\n\n")
        if not separator or not text:
            raise NoteMalformed("no blank line between a text and its signatures")
        if not lines.endswith("\n"):
            raise NoteMalformed("the last signature line does not end in a newline")
        signatures = lines[:-1].split("\n")
        if len(signatures) > SIGNATURES_MAX:
            raise NoteMalformed(f"{len(signatures)} signatures, at most {SIGNATURES_MAX}")
        return cls(text + "\n", tuple(_signature(line) for line in signatures))


def _require_note_characters(note: str) -> None:
    try:
        size = len(note.encode())
    except UnicodeEncodeError:
        raise NoteMalformed("the note has half of a surrogate pair") from None
    if size > NOTE_SIZE_BYTES_MAX:
        raise NoteMalformed(f"a note of {size} bytes, at most {NOTE_SIZE_BYTES_MAX}")
    if any(character < " " and character != "\n" for character in note):
        raise NoteMalformed("the note has a control character other than newline")


def _signature(line: str) -> NoteSignature:
    name, separator, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not separator:
        raise NoteMalformed(f"{line[:60]!r} is no signature line")
    require_name(name)
    try:
        signature = decode_base64(encoded)
    except ValueError as error:
        raise NoteMalformed(f"signature of {name!r}: {error}") from None
    if len(signature) <= KEY_ID_SIZE_BYTES:
        raise NoteMalformed(f"signature of {name!r}: only {len(signature)} bytes")
    return NoteSignature(name, signature[:KEY_ID_SIZE_BYTES], signature[KEY_ID_SIZE_BYTES:])


def sign_note(text: str, signers: Iterable[NoteSigner]) -> str:
    """A note of `text`, which must end in a newline, signed by each signer in order."""
    if not text.endswith("\n"):
        raise NoteMalformed("the text of a note ends in a newline")
    note = Note(text, tuple(signer.sign(text) for signer in signers)).encode()
    Note.decode(note)
    return note


def signed_by(note: Note, verifiers: Sequence[NoteVerifier]) -> tuple[NoteVerifier, ...]:
    """Those of `verifiers` that have signed, in their own order.

    Signatures by other keys are passed over. Raises `SignatureInvalid` where a signature with
    the name and id of a known key does not verify: then the whole note is to be rejected.
    """
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    found: set[tuple[str, bytes]] = set()
    for signature in note.signatures:
        identity = (signature.name, signature.key_id)
        verifier = known.get(identity)
        if verifier is None:
            continue
        if not verifier.verify(note.text, signature.signature):
            raise SignatureInvalid(f"the signature of {verifier.name!r} does not verify")
        found.add(identity)
    return tuple(verifier for identity, verifier in known.items() if identity in found)


def require_threshold(
    note: Note, verifiers: Sequence[NoteVerifier], threshold: int
) -> tuple[NoteVerifier, ...]:
    """Check "`threshold` of these": keys of that many different members must have signed.

    Which keys belong to one member, `Members` says; the note's first line is taken for the name
    of its log. Returns the verifiers that have signed. Raises `ThresholdNotMet`,
    `SignatureInvalid`.
    """
    if threshold < 1:
        raise ValueError("a threshold is at least 1")
    signed = signed_by(note, verifiers)
    members = Members(verifiers, note.text.partition("\n")[0])
    distinct = members.among(identity_of(verifier) for verifier in signed)
    if distinct < threshold:
        raise ThresholdNotMet(distinct, threshold, members.count)
    return signed
