"""A key that seals small secrets which a node keeps in its database.

A box is a version byte, a nonce of 24 random bytes and the ciphertext of XChaCha20-Poly1305
(draft-irtf-cfrg-xchacha-03) with the purpose as associated data: it opens only as what it was
sealed for.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from nacl.exceptions import CryptoError as BoxError
from nacl.secret import Aead

from ledger.crypto.errors import KeyMalformed, SealBroken

KEY_SIZE_BYTES: Final = Aead.KEY_SIZE
OVERHEAD_BYTES: Final = 1 + Aead.NONCE_SIZE + Aead.MACBYTES
"""By how much a box is longer than what is in it."""
_VERSION: Final = b"\x01"
_ID_CONTEXT: Final = b"tallystick sealing key id\n"


@dataclass(frozen=True, slots=True)
class SealingKey:
    """32 secret bytes. Raises `KeyMalformed` where they are not as many. Thread-safe."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_SIZE_BYTES:
            raise KeyMalformed(f"a sealing key has {KEY_SIZE_BYTES} bytes")

    @classmethod
    def generate(cls) -> SealingKey:
        """A new one, of the system's randomness."""
        return cls(secrets.token_bytes(KEY_SIZE_BYTES))

    @property
    def id(self) -> str:
        """What it is told from others by, in hex; says nothing about the key."""
        return sha256(_ID_CONTEXT + self.secret).hexdigest()

    def seal(self, secret: bytes, purpose: str) -> bytes:
        """The secret in a box, `OVERHEAD_BYTES` longer."""
        return _VERSION + bytes(Aead(self.secret).encrypt(secret, purpose.encode()))

    def unseal(self, box: bytes, purpose: str) -> bytes:
        """What `seal` put in for that purpose. Raises `SealBroken`."""
        if box[:1] != _VERSION:
            raise SealBroken("no box of a sealing key that this software knows")
        try:
            return Aead(self.secret).decrypt(box[1:], purpose.encode())
        except (BoxError, ValueError):
            raise SealBroken(
                "the box was sealed with another key or for another purpose, or is damaged"
            ) from None
