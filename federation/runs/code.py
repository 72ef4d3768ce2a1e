"""Which software runs: one hash over the source of the federated gateway."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import federation
from ledger.canonical import canonical_json


@cache
def code_hash() -> str:
    """SHA-256 of the gateway's Python files: 0x and 64 hexadecimal digits.

    Hashed is the canonical JSON (RFC 8785) of an object from each file's path within the package
    to the SHA-256 of its bytes. Read once a process: what was loaded is what was hashed.
    """
    return hash_of_sources(Path(federation.__file__).parent)


def hash_of_sources(root: Path) -> str:
    """The same for any folder of sources."""
    files = {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*.py")
    }
    return "0x" + hashlib.sha256(canonical_json(files)).hexdigest()
