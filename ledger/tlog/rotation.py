"""Changing a log's key: the old key says which one follows it, and from which size on.

A signed note (C2SP signed-note) that is no checkpoint, its second line being no number:

    <origin>
    key-rotation/v1
    <size of the log>
    <root of the log, base64>
    <verifier key before>
    <verifier key from then on>

Both keys sign it, as the log (type 0x01): the old one hands over, the new one shows it is held.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.encoding import decode_base64, decode_decimal, encode_base64
from ledger.tlog.errors import RotationInvalid, TlogError
from ledger.tlog.keys import NoteSigner, NoteVerifier, SignatureType
from ledger.tlog.merkle import HASH_SIZE_BYTES
from ledger.tlog.note import Note, require_threshold, sign_note

KIND: Final = "key-rotation/v1"
_LINES: Final = 6


@dataclass(frozen=True, slots=True)
class KeyRotation:
    """That `new` signs for the log from `size` on, instead of `old`."""

    origin: str
    size: int
    root: bytes
    """32 bytes: what the old key signed last."""
    old: NoteVerifier
    new: NoteVerifier

    def __post_init__(self) -> None:
        for key in (self.old, self.new):
            if key.name != self.origin or key.type is not SignatureType.ED25519:
                raise RotationInvalid(f"{key.vkey} is no key of the log {self.origin!r} itself")
        if self.old.public_key == self.new.public_key:
            raise RotationInvalid("a rotation to the same key")

    @property
    def text(self) -> str:
        """What is signed."""
        root = encode_base64(self.root)
        lines = (self.origin, KIND, str(self.size), root, self.old.vkey, self.new.vkey)
        return "".join(f"{line}\n" for line in lines)

    def sign(self, old: NoteSigner, new: NoteSigner) -> str:
        """The signed note; `open_rotation` reads it. Raises `RotationInvalid`."""
        if (old.verifier, new.verifier) != (self.old, self.new):
            raise RotationInvalid("the signers are not those that the rotation names")
        return sign_note(self.text, (old, new))


def open_rotation(note: str) -> KeyRotation:
    """Read a rotation that both of its keys have signed. Whether the old one is trusted is the
    caller's to ask. Raises `RotationInvalid`."""
    try:
        opened = Note.decode(note)
        found = _parse(opened.text)
        require_threshold(opened, (found.old, found.new), 2)
    except RotationInvalid:
        raise
    except (TlogError, ValueError) as error:
        raise RotationInvalid(f"no key rotation: {error}") from error
    return found


def _parse(text: str) -> KeyRotation:
    lines = text.removesuffix("\n").split("\n")
    if len(lines) != _LINES or lines[1] != KIND:
        raise RotationInvalid(f"no key rotation: six lines expected, the second {KIND}")
    root = decode_base64(lines[3])
    if len(root) != HASH_SIZE_BYTES:
        raise RotationInvalid(f"a root of {len(root)} bytes instead of {HASH_SIZE_BYTES}")
    return KeyRotation(
        lines[0],
        decode_decimal(lines[2]),
        root,
        NoteVerifier.parse(lines[4]),
        NoteVerifier.parse(lines[5]),
    )


def rotation_at(checkpoint: Checkpoint, old: NoteSigner, new: NoteSigner) -> str:
    """The signed note of a rotation at the log's head. Raises `RotationInvalid`."""
    rotation = KeyRotation(
        checkpoint.origin, checkpoint.size, checkpoint.root, old.verifier, new.verifier
    )
    return rotation.sign(old, new)
