"""A trust file after a log's key was changed (docs/proof-format.md, section 6)."""

from __future__ import annotations

from dataclasses import replace

from ledger.tlog import KeyRotation, NoteVerifier
from traceability.bundle.errors import TrustMalformed
from traceability.bundle.trust import Trust


def rotated(trust: Trust, rotation: KeyRotation, *, keep_old: bool = True) -> Trust:
    """The trust with the log's new key, in the names and types in which it lists the old one.

    The old key stays, so that proofs made before still verify; without `keep_old`, for a key that
    others may have, it goes. Raises `TrustMalformed` where the rotation is of another log or its
    old key is not one that is trusted.
    """
    if rotation.origin != trust.origin:
        raise TrustMalformed(f"the rotation is of log {rotation.origin!r}, not {trust.origin!r}")
    before = [key for key in trust.keys if key.public_key == rotation.old.public_key]
    if not before:
        raise TrustMalformed(f"the rotation is by {rotation.old.vkey}, which is not trusted")
    after = [NoteVerifier(key.name, key.type, rotation.new.public_key) for key in before]
    kept = [key for key in trust.keys if keep_old or key not in before]
    return replace(trust, keys=(*kept, *(key for key in after if key not in kept)))
