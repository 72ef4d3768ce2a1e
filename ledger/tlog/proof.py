"""Proofs of inclusion as one text (C2SP tlog-proof)."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.encoding import decode_base64, decode_decimal, encode_base64
from ledger.tlog.errors import ProofMalformed
from ledger.tlog.merkle import HASH_SIZE_BYTES, verify_inclusion
from ledger.tlog.note import NOTE_SIZE_BYTES_MAX, Note

HEADER = "c2sp.org/tlog-proof@v1"
PATH_LENGTH_MAX = 63
EXTRA_SIZE_BYTES_MAX = 64 * 1024
_TEXT_CHARACTERS_MAX = NOTE_SIZE_BYTES_MAX + 2 * EXTRA_SIZE_BYTES_MAX


@dataclass(frozen=True, slots=True)
class TlogProof:
    """An entry's place in a log, with the path to a checkpoint that brings its own signatures."""

    index: int
    path: tuple[bytes, ...]
    """Hashes of 32 bytes, from the leaf's sibling upwards; at most 63."""
    checkpoint_note: str
    """The checkpoint as a signed note, verbatim."""
    extra: bytes | None = None
    """Opaque, and never authenticated."""

    def encode(self) -> str:
        """The proof as text; `decode` reads it."""
        head = [HEADER]
        if self.extra is not None:
            head.append(f"extra {encode_base64(self.extra)}")
        head.append(f"index {self.index}")
        head += [encode_base64(value) for value in self.path]
        return "\n".join(head) + "\n\n" + self.checkpoint_note

    @classmethod
    def decode(cls, text: str) -> TlogProof:
        """Read a proof, one spelling only. Raises `ProofMalformed`; nothing is verified yet."""
        if len(text) > _TEXT_CHARACTERS_MAX:
            raise ProofMalformed(f"a proof of {len(text)} characters is too long")
        head, separator, note = text.partition("\n\n")
        lines = head.split("\n")
        if not separator or lines[0] != HEADER:
            raise ProofMalformed(f"expected {HEADER!r}, an index, a path, a blank line, a note")
        extra = _extra(lines[1]) if len(lines) > 1 and lines[1].startswith("extra ") else None
        rest = lines[1:] if extra is None else lines[2:]
        if not rest or not rest[0].startswith("index "):
            raise ProofMalformed("the line 'index <number>' is missing")
        try:
            index = decode_decimal(rest[0].removeprefix("index "))
            path = tuple(decode_base64(line) for line in rest[1:])
        except ValueError as error:
            raise ProofMalformed(str(error)) from None
        if len(path) > PATH_LENGTH_MAX or any(len(value) != HASH_SIZE_BYTES for value in path):
            raise ProofMalformed("the path is no list of at most 63 hashes of 32 bytes")
        return cls(index, path, note, extra)

    def checkpoint(self) -> Checkpoint:
        """The checkpoint, signatures unchecked. Raises `NoteMalformed`, `CheckpointMalformed`."""
        return Checkpoint.parse(Note.decode(self.checkpoint_note).text)

    def verify(self, leaf: bytes) -> Checkpoint:
        """Check that the leaf hash stands at the index below the checkpoint's root.

        The checkpoint's signatures are not looked at: `open_checkpoint` does that. Raises
        `InclusionError`, `NoteMalformed`, `CheckpointMalformed`.
        """
        checkpoint = self.checkpoint()
        verify_inclusion(leaf, self.index, checkpoint.size, self.path, checkpoint.root)
        return checkpoint


def _extra(line: str) -> bytes:
    try:
        extra = decode_base64(line.removeprefix("extra "))
    except ValueError as error:
        raise ProofMalformed(f"extra data: {error}") from None
    if len(extra) > EXTRA_SIZE_BYTES_MAX:
        raise ProofMalformed(f"extra data of {len(extra)} bytes")
    return extra
