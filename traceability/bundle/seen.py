"""What this user has seen of each log: the newest checkpoint, in `$TALLY_HOME/seen`."""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ledger.tlog import Checkpoint, Note, TlogError, TlogProof
from ledger.tlog.note import NOTE_SIZE_BYTES_MAX
from ledger.witness import EvidenceStore, FetchPath, History, HistoryKind, compare_history
from traceability.bundle.bundle import Bundle
from traceability.bundle.errors import BundleError
from traceability.bundle.store import file_name, trust_directory

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SeenHistory:
    """How the checkpoints of one log that were just checked stand to what was seen before."""

    origin: str
    size: int
    """Leaves of the newest of them."""
    seen_size: int | None
    """Leaves of the one remembered, None where none was."""
    history: History
    evidence: Path | None
    """The file in which a broken history is kept."""


class SeenStore:
    """Remembered checkpoints, one file a log, and what contradicted them."""

    def __init__(self, home: Path | None = None) -> None:
        """`home` is `$TALLY_HOME` by default."""
        self._home = trust_directory().parent if home is None else home

    def find(self, origin: str) -> str | None:
        """The note remembered of a log; None where there is none, or it cannot be read."""
        try:
            with self._path(origin).open(encoding="utf-8") as file:
                return file.read(NOTE_SIZE_BYTES_MAX)
        except (OSError, UnicodeDecodeError):
            return None

    def check(self, notes: Sequence[str], fetch_path: FetchPath) -> SeenHistory:
        """Compare duly signed checkpoints of one log with the one remembered, and each other.

        Requires at least one. The newest is remembered once it is known to continue what was
        seen; a broken history is kept in `evidence/`. `fetch_path` is asked only where needed.
        """
        found = sorted(set(notes), key=lambda note: (-_checkpoint(note).size, note))
        newest = _checkpoint(found[0])
        before, now_s = self.find(newest.origin), int(time.time())
        history = compare_history(before, found[0], fetch_path, now_s)
        for one, other in pairwise(found):
            if _checkpoint(one).size == _checkpoint(other).size:
                pair = compare_history(one, other, lambda _from, _to: None, now_s)
                history = pair if pair.kind is HistoryKind.BROKEN else history
        evidence = None
        if history.evidence is not None:
            store = EvidenceStore(self._home / "evidence")
            store.add(history.evidence)
            evidence = store.path(history.evidence)
        elif history.remember != before:
            try:
                self._remember(newest.origin, history.remember)
            except OSError as error:  # the verdict stands all the same
                _log.warning("what was seen of %s is not remembered: %s", newest.origin, error)
        seen = None if history.kind is HistoryKind.FIRST or before is None else _size(before)
        return SeenHistory(newest.origin, newest.size, seen, history, evidence)

    def _remember(self, origin: str, note: str) -> None:
        path = self._path(origin)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            with draft.open("x", encoding="utf-8") as file:
                file.write(note)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            with suppress(FileNotFoundError):
                draft.unlink()

    def _path(self, origin: str) -> Path:
        return self._home / "seen" / file_name(origin, ".note")


def checkpoint_note(data: bytes) -> str | None:
    """The checkpoint that a bundle brings, as a signed note; None where there is none."""
    try:
        return TlogProof.decode(Bundle.decode(data).proof).checkpoint_note
    except (BundleError, TlogError):
        return None


def _checkpoint(note: str) -> Checkpoint:
    return Checkpoint.parse(Note.decode(note).text)


def _size(note: str) -> int | None:
    try:
        return _checkpoint(note).size
    except TlogError:
        return None
