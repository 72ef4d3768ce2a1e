"""keccak-256 as Ethereum uses it (Keccak padding, not FIPS 202 SHA-3)."""

from __future__ import annotations

import os

from sha3 import keccak_256

# py-evm and eth-keys hash through eth-hash, whose first choice (pycryptodome) takes
# eight times as long per call. eth-hash looks at this variable at its first call.
os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")


def keccak(data: bytes) -> bytes:
    """The 32-byte keccak-256 digest of `data`."""
    digest: bytes = keccak_256(data).digest()
    return digest


EMPTY_CODE_HASH = keccak(b"")
"""Code hash of an account without code."""
EMPTY_TRIE_ROOT = keccak(b"\x80")
"""Root of a Merkle-Patricia trie without entries."""
