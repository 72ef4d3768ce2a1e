"""What keys are for, and their public parts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class KeyKind(StrEnum):
    """What a key is for."""

    ACCOUNT = "account"
    """secp256k1: signs Ethereum transactions."""
    NOTE = "note"
    """Ed25519: signs checkpoints, as the log and as a witness."""
    VALIDATOR = "validator"
    """Ed25519: signs CometBFT's votes and proposals."""
    SEALING = "sealing"
    """XChaCha20-Poly1305: seals secrets in the node's database. In a file always: on no token."""


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """The public part of a stored key."""

    kind: KeyKind
    label: str
    public: str
    """An EIP-55 address for an account, a C2SP verifier key for a note key, else hex (of a sealing
    key, an id)."""
    path: Path
    token: str | None = None
    """Name of the PKCS#11 token that holds the key; None for a key file."""
