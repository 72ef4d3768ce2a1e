"""Evidence on disk: one file each, named by its hash, never overwritten, bounded in number."""

from __future__ import annotations

import logging
import os
import re
import secrets
import threading
from contextlib import suppress
from pathlib import Path

from ledger.witness.errors import EvidenceMalformed, EvidenceStoreFull
from ledger.witness.evidence import FILE_SUFFIX, SIZE_BYTES_MAX, Evidence, EvidenceKind

FILES_MAX = 512
_NAME = re.compile(r"[0-9a-f]{64}" + re.escape(FILE_SUFFIX))

_log = logging.getLogger(__name__)


class EvidenceStore:
    """The folder `evidence/`. Thread-safe.

    Of each log, key and kind of evidence one file is kept, the first, and no broken proof beside
    two roots of one size: a fork goes on with every further checkpoint, and a hostile peer must
    not fill the disk. Files that were moved away by hand are forgotten with the next start; what
    is found anew then is kept again.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._lock = threading.Lock()
        self._known: dict[str, Evidence] | None = None

    def list(self) -> tuple[Evidence, ...]:
        """All evidence, the earliest found first."""
        with self._lock:
            known = self._load().values()
        return tuple(sorted(known, key=lambda one: (one.found_at, one.id)))

    def count(self) -> int:
        """How many files there are."""
        with self._lock:
            return len(self._load())

    def read(self, evidence_id: str) -> bytes | None:
        """The bytes of a file by its id; None where there is none."""
        with self._lock:
            found = self._load().get(evidence_id)
        return None if found is None else found.encode()

    def path(self, evidence: Evidence) -> Path:
        """The file that holds this evidence, or what is kept in its place."""
        with self._lock:
            kept = (one for one in self._load().values() if _covers(one, evidence))
            return self.directory / f"{next(kept, evidence).id}{FILE_SUFFIX}"

    def knows(self, evidence: Evidence) -> bool:
        """Whether evidence that says as much is kept already."""
        with self._lock:
            return self._has(evidence)

    def add(self, evidence: Evidence) -> bool:
        """Keep evidence, durably; whether it says something new.

        Raises `EvidenceMalformed` where it is none, `EvidenceStoreFull`.
        """
        evidence.check()
        with self._lock:
            if self._has(evidence):
                return False
            known = self._load()
            if len(known) >= FILES_MAX:
                raise EvidenceStoreFull(
                    f"{self.directory} holds {FILES_MAX} files of evidence: look at them, and move "
                    "them away"
                )
            self._write(evidence)
            known[evidence.id] = evidence
            return True

    def _has(self, evidence: Evidence) -> bool:
        return any(_covers(one, evidence) for one in self._load().values())

    def _load(self) -> dict[str, Evidence]:
        if self._known is None:
            self._known = {}
            for path in sorted(self.directory.glob(f"*{FILE_SUFFIX}"))[:FILES_MAX]:
                try:
                    evidence = Evidence.decode(_read(path))
                except (EvidenceMalformed, OSError) as error:
                    _log.error("%s is not readable as fork evidence: %s", path, error)
                    continue
                if path.name != evidence.id + FILE_SUFFIX:
                    _log.error("%s does not bear the hash of its content", path)
                self._known[evidence.id] = evidence
        return self._known

    def _write(self, evidence: Evidence) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / f"{evidence.id}{FILE_SUFFIX}"
        draft = self.directory / f".{secrets.token_hex(8)}.draft"
        try:
            with draft.open("xb") as file:
                file.write(evidence.encode())
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):  # the same bytes: the name is their hash
                os.link(draft, path)  # unlike a rename, never replaces
        finally:
            draft.unlink(missing_ok=True)
        descriptor = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _covers(kept: Evidence, evidence: Evidence) -> bool:
    """Whether evidence says no more than what is kept: two roots of a size say all there is."""
    kind, *rest = kept.subject
    return rest == list(evidence.subject[1:]) and kind in (EvidenceKind.SAME_SIZE, evidence.kind)


def is_evidence_name(name: str) -> bool:
    """Whether it can be the name of a file of evidence."""
    return _NAME.fullmatch(name) is not None


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(SIZE_BYTES_MAX + 1)
