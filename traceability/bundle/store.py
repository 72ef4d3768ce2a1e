"""The logs that this user knows: trust files in `$TALLY_HOME/trust`, like ssh's known hosts."""

from __future__ import annotations

import os
import re
from dataclasses import replace as changed
from hashlib import sha256
from pathlib import Path

from traceability.bundle.bundle import Bundle, log_origin
from traceability.bundle.errors import BundleError, TrustConflict
from traceability.bundle.trust import Trust

FILES_MAX = 1024
_NOT_IN_FILE_NAMES = re.compile(r"[^a-z0-9.-]+")


def trust_directory() -> Path:
    """`$TALLY_HOME/trust`, by default `~/.tallystick/trust`."""
    home = os.environ.get("TALLY_HOME")
    return (Path(home) if home else Path.home() / ".tallystick") / "trust"


class TrustStore:
    """Trust files in one directory, at most one for each log."""

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = trust_directory() if directory is None else directory

    def all(self) -> tuple[tuple[Path, Trust], ...]:
        """All files and what they say. Raises `TrustMalformed`, `TrustConflict`."""
        paths = sorted(self.directory.glob("*.json"))
        if len(paths) > FILES_MAX:
            raise TrustConflict(f"{self.directory}: {len(paths)} files, at most {FILES_MAX}")
        return tuple((path, Trust.load(path)) for path in paths)

    def find(self, origin: str) -> Trust | None:
        """What is known of the log, or None.

        Raises `TrustMalformed` for a file that cannot be read, and `TrustConflict` where two
        files speak about the log: neither may then be preferred.
        """
        found = [(path, trust) for path, trust in self.all() if trust.origin == origin]
        if len(found) > 1:
            names = " and ".join(path.name for path, _ in found)
            raise TrustConflict(f"{self.directory}: {names} both speak about the log {origin!r}")
        return found[0][1] if found else None

    def add(self, trust: Trust, *, replace: bool = False, proven: bool = False) -> Path:
        """Remember a log; the path of its file. The same again changes nothing.

        What only one of the two files says of the genesis is kept, and what is known of the
        Directory and of later versions of the Provenance contract. What is not known of these is
        taken only where it is `proven`: by the log itself, or by one's own node's ledger. One
        address too many, and whoever has its key writes records that are believed for ever.

        Raises `TrustConflict` where something else is known of the log and `replace` is not set.
        """
        for path, known in self.all():
            if known.origin == trust.origin:
                if not replace:
                    trust = _agreed(trust, known, path, proven=proven)
                trust.save(path)
                return path
        path = self.directory / file_name(trust.origin, ".json")
        trust.save(path)
        return path


def _agreed(trust: Trust, known: Trust, path: Path, *, proven: bool) -> Trust:
    """What both say together. Raises `TrustConflict` where they contradict each other."""
    both = _completed(trust, known)
    if both != _completed(known, both):
        raise TrustConflict(
            f"{path} says something else about the log {trust.origin!r}: find out "
            "whether its keys have really changed, then remove the file"
        )
    if both.later != known.later and not proven:
        raise TrustConflict(
            f"{path} knows other versions of the Provenance contract of the log "
            f"{trust.origin!r}: `tally network update` adds those that the log proves"
        )
    if both.directory != known.directory and not proven:
        raise TrustConflict(
            f"{path} names no Directory for the log {trust.origin!r}, by which versions are "
            "proven: where you trust the new file, put it in the other's place"
        )
    return both


def _completed(trust: Trust, other: Trust) -> Trust:
    """With what the other one says and this one is silent about: genesis, directory, versions."""
    return changed(
        trust.with_versions_that_fit(other.later),
        genesis=other.genesis if trust.genesis is None else trust.genesis,
        directory=other.directory if trust.directory is None else trust.directory,
    )


def file_name(origin: str, suffix: str) -> str:
    """Name of a file about a log: readable, and one for each origin."""
    readable = _NOT_IN_FILE_NAMES.sub("-", origin.lower()).strip("-.")[:80]
    return f"{readable or 'log'}-{sha256(origin.encode()).hexdigest()[:8]}{suffix}"


def known_trust(data: bytes, store: TrustStore | None = None) -> Trust | None:
    """What the trust store knows of the log that a bundle says it comes from, or None.

    Raises `TrustMalformed`, `TrustConflict`.
    """
    try:
        origin = log_origin(Bundle.decode(data))
    except BundleError:
        return None
    return None if origin is None else (store or TrustStore()).find(origin)
