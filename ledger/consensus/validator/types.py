"""What the remote signer tells of itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ValidatorStatus:
    """The signer at a moment."""

    public_key: bytes
    """32 bytes."""
    connected: bool
    """Whether the engine is on the line."""
    height: int
    """Of the last signature; 0 before the first."""
    round: int
    signed: int
    """Signatures since the start of the process."""
    refused: int
    """Requests that were not signed."""
    signing_s: float
    """Time that all signatures took together, the record on disk included."""
