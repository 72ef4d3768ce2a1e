"""Keys and streams: what hides a vector, and what hides a share on its way.

X25519 (RFC 7748) agrees on a secret, HKDF-SHA-256 (RFC 5869) makes a key of it for one use,
ChaCha20 (RFC 8439) makes the mask, ChaCha20-Poly1305 seals shares, Ed25519 (RFC 8032) signs.
Every key is made for one step and forgotten with it; what is signed or derived names the run, the
step and the parties, so that nothing of one step means anything in another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

import numpy as np
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray

_DOMAIN: Final = b"tallystick/masking/v1"
TAG_BYTES: Final = 16


def statement(purpose: str, *parts: str | bytes) -> bytes:
    """An unambiguous digest of what is said: each part with its length before it."""
    out = hashlib.sha256()
    for part in (_DOMAIN, purpose, *parts):
        data = part.encode() if isinstance(part, str) else part
        out.update(len(data).to_bytes(8, "big") + data)
    return out.digest()


def signed_by(key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the Ed25519 signature is that key's, over that message."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def agree(mine: X25519PrivateKey, theirs: bytes, purpose: bytes) -> bytes:
    """The key for one purpose that both sides come to. Raises `ValueError` for a weak key."""
    secret = mine.exchange(X25519PublicKey.from_public_bytes(theirs))
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret)


def public_key(private: X25519PrivateKey) -> bytes:
    """The 32 bytes of the public key."""
    return private.public_key().public_bytes_raw()


def stream(key: bytes, length: int) -> NDArray[np.uint64]:
    """So many uniform numbers below 2^64 from a key that is used for nothing else."""
    cipher = Cipher(ChaCha20(key, bytes(16)), mode=None).encryptor()
    return np.frombuffer(cipher.update(bytes(8 * length)), dtype="<u8").astype(np.uint64)


def pair_mask(key: bytes, length: int, me: str, other: str) -> NDArray[np.uint64]:
    """What `me` adds for the pair: the stream, or its negative, so that the two cancel."""
    mask = stream(key, length)
    return mask if me < other else np.negative(mask)


def pair_purpose(run: str, step: str, one: str, other: str) -> bytes:
    """What the key of a pair's mask is for."""
    return statement("pair", run, step, names((one, other)))


def seed_commitment(seed: bytes) -> bytes:
    """What a member says of the seed of its self mask before it shares it."""
    return statement("seed", seed)


def seal(key: bytes, plain: bytes, context: bytes) -> bytes:
    """Sealed under a key of one use, hence without a nonce; 16 bytes longer."""
    return ChaCha20Poly1305(key).encrypt(bytes(12), plain, context)


def unseal(key: bytes, sealed: bytes, context: bytes) -> bytes | None:
    """What was sealed, or nothing where it was altered."""
    try:
        return ChaCha20Poly1305(key).decrypt(bytes(12), sealed, context)
    except InvalidTag:
        return None


def names(parties: Iterable[str]) -> bytes:
    """A set of parties as bytes that mean no other set."""
    return b"".join(
        len(data).to_bytes(4, "big") + data for data in (p.encode() for p in sorted(parties))
    )
