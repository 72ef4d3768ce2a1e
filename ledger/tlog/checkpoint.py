"""Checkpoints (C2SP tlog-checkpoint): the signed head of a log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ledger.tlog.encoding import UINT63_MAX, decode_base64, decode_decimal, encode_base64
from ledger.tlog.errors import CheckpointMalformed, OriginMismatch
from ledger.tlog.keys import NoteSigner, NoteVerifier
from ledger.tlog.merkle import HASH_SIZE_BYTES
from ledger.tlog.note import Note, require_threshold, sign_note


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log."""

    origin: str
    """Which log: a name unique to it, by custom a URL without scheme."""
    size: int
    """Number of leaves."""
    root: bytes
    """32 bytes."""
    extension: tuple[str, ...] = ()
    """Further lines. Signed, but without meaning here."""

    @property
    def text(self) -> str:
        """The text that is signed; `parse` reads it."""
        lines = (self.origin, str(self.size), encode_base64(self.root), *self.extension)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read a checkpoint's text (without signatures). Raises `CheckpointMalformed`."""
        if not text.endswith("\n"):
            raise CheckpointMalformed("the text does not end in a newline")
        lines = text[:-1].split("\n")
        if len(lines) < 3 or not all(lines):
            raise CheckpointMalformed("origin, size and root expected, each on a line of its own")
        try:
            size, root = decode_decimal(lines[1]), decode_base64(lines[2])
        except ValueError as error:
            raise CheckpointMalformed(str(error)) from None
        if len(root) != HASH_SIZE_BYTES:
            raise CheckpointMalformed(f"a root of {len(root)} bytes instead of {HASH_SIZE_BYTES}")
        return cls(lines[0], size, root, tuple(lines[3:]))


def sign_checkpoint(checkpoint: Checkpoint, signers: Iterable[NoteSigner]) -> str:
    """The checkpoint as a signed note. Raises `CheckpointMalformed`, `NoteMalformed`."""
    if not 0 <= checkpoint.size <= UINT63_MAX or Checkpoint.parse(checkpoint.text) != checkpoint:
        raise CheckpointMalformed("a line is empty or holds a newline, or the size is out of range")
    return sign_note(checkpoint.text, signers)


def add_cosignatures(note: str, signers: Iterable[NoteSigner]) -> str:
    """The note with further signatures. Does not check those already there."""
    opened = Note.decode(note)
    further = tuple(signer.sign(opened.text) for signer in signers)
    return Note(opened.text, opened.signatures + further).encode()


def open_checkpoint(
    note: str, verifiers: Sequence[NoteVerifier], threshold: int, origin: str
) -> Checkpoint:
    """The checkpoint of a note that enough known members have signed.

    Keys of `threshold` different members (`Members`) must have signed, and the origin must be
    `origin`.
    Raises `NoteMalformed`, `CheckpointMalformed`, `OriginMismatch`, `SignatureInvalid`,
    `ThresholdNotMet`.
    """
    opened = Note.decode(note)
    checkpoint = Checkpoint.parse(opened.text)
    if checkpoint.origin != origin:
        raise OriginMismatch(f"checkpoint of {checkpoint.origin!r}, expected {origin!r}")
    require_threshold(opened, verifiers, threshold)
    return checkpoint
