"""Where tiles come from, and who signs."""

from __future__ import annotations

from typing import Protocol


class TileReader(Protocol):
    """Stored tiles of one log."""

    def tile(self, level: int, index: int) -> bytes | None:
        """The widest stored tile: 1 to 256 hashes, 32 bytes each; None where there is none."""


class Ed25519Signer(Protocol):
    """An Ed25519 private key (RFC 8032), wherever it is: in memory or in hardware."""

    @property
    def public_key(self) -> bytes:
        """32 bytes."""

    def sign(self, message: bytes) -> bytes:
        """The signature of the whole message, 64 bytes. May raise where the key is out of reach."""
