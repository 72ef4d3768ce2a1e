"""Keys on PKCS#11 tokens, behind the same seams as keys in files.

Every signature is checked against the public key before it is given away: a token with another
key under the same label, or one that computes wrongly, is told at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from coincurve import PublicKey
from eth_utils.crypto import keccak
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from ledger.crypto.account import GROUP_ORDER, DigestSigner
from ledger.crypto.errors import TokenFailed
from ledger.crypto.pkcs11 import Curve, Token, token_at
from ledger.crypto.reference import TokenPlace
from ledger.crypto.types import KeyKind
from ledger.types import Address

Pin = Callable[[str], str]
_SIGNATURE_SIZE_BYTES: Final = 64
_TRIES: Final = 3
"""Where another thread began the module anew meanwhile, a handle may have become another key's."""


@dataclass(frozen=True, slots=True)
class TokenEd25519Key:
    """An Ed25519 key on a token: an `Ed25519Signer` and a `ValidatorSigner`. Thread-safe."""

    place: TokenPlace
    public_key: bytes
    """32 bytes."""
    pin: Pin = field(repr=False, compare=False)

    def sign(self, message: bytes) -> bytes:
        """The signature, 64 bytes. Raises `Pkcs11Error`."""
        token = token_at(self.place, self.pin)
        for _ in range(_TRIES):
            signature = token.sign(self.place.object, Curve.ED25519, message)
            try:
                VerifyKey(self.public_key).verify(message, signature)
            except (BadSignatureError, ValueError):
                token.close()
            else:
                return signature
        raise TokenFailed(
            f"{token.words}: what key {self.place.object!r} signed is not of the public key "
            f"{self.public_key.hex()} that its file names"
        )


@dataclass(frozen=True, slots=True)
class TokenAccountKey(DigestSigner):
    """A secp256k1 key on a token: an `AccountSigner`. Thread-safe."""

    place: TokenPlace
    public_key: bytes
    """x and y of the point, 64 bytes."""
    pin: Pin = field(repr=False, compare=False)

    @property
    def address(self) -> Address:
        """20 bytes: the end of the keccak-256 of the public key."""
        return Address(keccak(self.public_key)[12:])

    def sign_digest(self, digest: bytes) -> bytes:
        """r, s and the recovery id (0 or 1), 65 bytes; s is in the lower half (EIP-2).

        PKCS#11 gives neither a low s nor the recovery id: both are made here. Raises
        `Pkcs11Error`.
        """
        token = token_at(self.place, self.pin)
        for _ in range(_TRIES):
            found = self._signed(token, digest)
            if found is not None:
                return found
            token.close()
        raise TokenFailed(
            f"{token.words}: what key {self.place.object!r} signed is not of account "
            f"0x{self.address.hex()} that its file names"
        )

    def _signed(self, token: Token, digest: bytes) -> bytes | None:
        """None where it is another key's signature."""
        raw = token.sign(self.place.object, Curve.SECP256K1, digest)
        if len(raw) != _SIGNATURE_SIZE_BYTES:
            raise TokenFailed(f"{token.words}: a signature of {len(raw)} bytes instead of 64")
        r, s = raw[:32], min(int.from_bytes(raw[32:]), GROUP_ORDER - int.from_bytes(raw[32:]))
        if s <= 0:
            raise TokenFailed(f"{token.words}: a signature outside the order of secp256k1")
        compact = r + s.to_bytes(32, "big")
        for recovery_id in (0, 1):
            if self._recovers(compact + bytes([recovery_id]), digest):
                return compact + bytes([recovery_id])
        return None

    def _recovers(self, signature: bytes, digest: bytes) -> bool:
        try:
            found = PublicKey.from_signature_and_message(signature, digest, hasher=None)
        except ValueError:
            return False
        return found.format(compressed=False)[1:] == self.public_key


_CURVES: Final = {
    KeyKind.ACCOUNT: Curve.SECP256K1,
    KeyKind.NOTE: Curve.ED25519,
    KeyKind.VALIDATOR: Curve.ED25519,
}


def generate(kind: KeyKind, place: TokenPlace, pin: Pin) -> bytes:
    """Make a key on the token that can never be read from it. Its public key.

    Raises `Pkcs11Error`; `TokenKeyMissing` where the label is taken.
    """
    return token_at(place, pin).generate(place.object, _CURVES[kind])


def find(kind: KeyKind, place: TokenPlace, pin: Pin) -> bytes:
    """The public key of a key that is on the token. Raises `Pkcs11Error`."""
    return token_at(place, pin).public_key(place.object, _CURVES[kind])
