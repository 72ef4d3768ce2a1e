"""Note keys: Ed25519 signers and verifiers (C2SP signed-note and tlog-cosignature)."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from ledger.tlog.encoding import UINT63_MAX, decode_base64, encode_base64
from ledger.tlog.errors import NoteMalformed
from ledger.tlog.protocol import Ed25519Signer

KEY_SIZE_BYTES = 32
KEY_ID_SIZE_BYTES = 4
SIGNATURE_SIZE_BYTES = 64
_TIMESTAMP_SIZE_BYTES = 8
_NAME_CHARACTERS_MAX = 255


class SignatureType(IntEnum):
    """The signature type identifier byte."""

    ED25519 = 0x01
    """Over the note's text."""
    COSIGNATURE = 0x04
    """Over a time and the text of a checkpoint."""


def require_name(name: str) -> str:
    """The name, where it may name a key. Raises `NoteMalformed`."""
    if not name or len(name) > _NAME_CHARACTERS_MAX:
        raise NoteMalformed(f"a key name has 1 to {_NAME_CHARACTERS_MAX} characters")
    if any(c == "+" or c.isspace() or not c.isprintable() for c in name):
        raise NoteMalformed(
            f"the key name {name[:60]!r} has a space, a plus or a control character"
        )
    return name


def key_id(name: str, signature_type: SignatureType, public_key: bytes) -> bytes:
    """First four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key)."""
    return sha256(name.encode() + b"\n" + bytes([signature_type]) + public_key).digest()[
        :KEY_ID_SIZE_BYTES
    ]


def _cosigned_message(text: str, timestamp: int) -> bytes:
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


@dataclass(frozen=True, slots=True)
class NoteVerifier:
    """A public key under a name. The tuple of both, and the type, says whose signature it is."""

    name: str
    type: SignatureType
    public_key: bytes
    """32 bytes, RFC 8032."""

    @classmethod
    def parse(cls, vkey: str) -> NoteVerifier:
        """Read a verifier key, `name+id+base64(type ‖ public key)`. Raises `NoteMalformed`."""
        parts = vkey.split("+", 2)
        if len(parts) != 3:
            raise NoteMalformed(f"{vkey[:80]!r} is no verifier key: name+id+key expected")
        name, identifier, encoded = parts
        require_name(name)
        try:
            key = decode_base64(encoded)
        except ValueError as error:
            raise NoteMalformed(f"verifier key of {name!r}: {error}") from None
        if len(key) != 1 + KEY_SIZE_BYTES or key[0] not in set(SignatureType):
            raise NoteMalformed(f"verifier key of {name!r}: not an Ed25519 key of type 1 or 4")
        verifier = cls(name, SignatureType(key[0]), key[1:])
        if verifier.key_id.hex() != identifier:
            raise NoteMalformed(f"verifier key of {name!r}: the id does not belong to the key")
        return verifier

    @property
    def key_id(self) -> bytes:
        """4 bytes."""
        return key_id(self.name, self.type, self.public_key)

    @property
    def vkey(self) -> str:
        """The verifier key as text; `parse` reads it."""
        encoded = encode_base64(bytes([self.type]) + self.public_key)
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    def verify(self, text: str, signature: bytes) -> bool:
        """Whether `signature` (without the key id) is by this key over the note's text."""
        if self.type is SignatureType.ED25519:
            return self._verify_bytes(text.encode(), signature)
        timestamp = int.from_bytes(signature[:_TIMESTAMP_SIZE_BYTES], "big")
        if timestamp > UINT63_MAX:
            return False
        message = _cosigned_message(text, timestamp)
        return self._verify_bytes(message, signature[_TIMESTAMP_SIZE_BYTES:])

    def _verify_bytes(self, message: bytes, signature: bytes) -> bool:
        if len(signature) != SIGNATURE_SIZE_BYTES:
            return False
        try:
            VerifyKey(self.public_key).verify(message, signature)
        except BadSignatureError:
            return False
        return True


def cosignature_time(signature: bytes) -> int:
    """When a cosignature (without the key id) was made, seconds since 1970."""
    return int.from_bytes(signature[:_TIMESTAMP_SIZE_BYTES], "big")


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature of a note."""

    name: str
    key_id: bytes
    """4 bytes."""
    signature: bytes
    """What follows the key id: 64 bytes, or a time of 8 bytes and 64 bytes."""

    @property
    def line(self) -> str:
        """The signature line, with its newline."""
        return f"\u2014 {self.name} {encode_base64(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Ed25519Key:
    """An Ed25519 private key in memory: an `Ed25519Signer`."""

    seed: bytes = field(repr=False)
    """32 bytes, the private key of RFC 8032. Secret."""
    _key: SigningKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.seed) != KEY_SIZE_BYTES:
            raise NoteMalformed(f"an Ed25519 seed has {KEY_SIZE_BYTES} bytes, not {len(self.seed)}")
        object.__setattr__(self, "_key", SigningKey(self.seed))

    @classmethod
    def generate(cls) -> Ed25519Key:
        """A new random key."""
        return cls(bytes(SigningKey.generate()))

    @property
    def public_key(self) -> bytes:
        """32 bytes."""
        return bytes(self._key.verify_key)

    def sign(self, message: bytes) -> bytes:
        """The signature, 64 bytes."""
        return self._key.sign(message).signature


@dataclass(frozen=True, slots=True, init=False)
class NoteSigner:
    """An Ed25519 private key under a name."""

    name: str
    key: Ed25519Signer = field(repr=False)
    """In memory, or in hardware (`ledger.crypto`)."""
    type: SignatureType = SignatureType.ED25519
    """ED25519 signs as the log itself, COSIGNATURE as a witness of it."""

    def __init__(
        self,
        name: str,
        key: Ed25519Signer | bytes,
        type: SignatureType = SignatureType.ED25519,  # noqa: A002 - the field's own name
    ) -> None:
        """`key` may be the 32 bytes of a seed. Raises `NoteMalformed`."""
        object.__setattr__(self, "name", require_name(name))
        object.__setattr__(self, "key", Ed25519Key(key) if isinstance(key, bytes) else key)
        object.__setattr__(self, "type", type)

    @classmethod
    def generate(cls, name: str, type: SignatureType = SignatureType.ED25519) -> NoteSigner:  # noqa: A002 - the field's own name
        """A new random key in memory. Raises `NoteMalformed` where `name` may not name a key."""
        return cls(name, Ed25519Key.generate(), type)

    @property
    def verifier(self) -> NoteVerifier:
        """The public half."""
        return NoteVerifier(self.name, self.type, self.key.public_key)

    @property
    def vkey(self) -> str:
        """The public half as text (`NoteVerifier.parse` reads it)."""
        return self.verifier.vkey

    def cosigner(self, name: str | None = None) -> NoteSigner:
        """The same key, signing as a witness, under the same name unless another is given.

        Types sign different messages. Raises `NoteMalformed` where `name` may not name a key.
        """
        return NoteSigner(name or self.name, self.key, SignatureType.COSIGNATURE)

    def sign(self, text: str, timestamp: int | None = None) -> NoteSignature:
        """Sign a note's text, which ends in a newline.

        `timestamp` (seconds since 1970, now by default) is part of cosignatures alone. A
        cosigner must have checked the text to be a checkpoint consistent with all it signed.
        """
        message, prefix = text.encode(), b""
        if self.type is SignatureType.COSIGNATURE:
            moment = int(time.time()) if timestamp is None else timestamp
            message = _cosigned_message(text, moment)
            prefix = moment.to_bytes(_TIMESTAMP_SIZE_BYTES, "big")
        return NoteSignature(self.name, self.verifier.key_id, prefix + self.key.sign(message))
