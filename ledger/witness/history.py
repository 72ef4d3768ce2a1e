"""Whether what is shown now continues what was seen before (docs/proof-format.md, section 11)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ledger.canonical import JsonError, parse_json
from ledger.tlog import Checkpoint, ConsistencyError, Note, TlogError, verify_consistency
from ledger.tlog.encoding import decode_base64
from ledger.tlog.merkle import HASH_SIZE_BYTES
from ledger.witness.errors import PeerAnswerRefused
from ledger.witness.evidence import PROOF_LENGTH_MAX, Evidence, EvidenceKind

CONSISTENCY_SIZE_BYTES_MAX = 16 * 1024

FetchPath = Callable[[int, int], Sequence[bytes] | None]
"""The consistency proof between two sizes; None where none could be had."""


class HistoryKind(StrEnum):
    """How a checkpoint stands to the one that is remembered."""

    FIRST = "first"
    """None is remembered of this log."""
    SAME = "same"
    CONSISTENT = "consistent"
    """One was proven to continue the other."""
    UNKNOWN = "unknown"
    """No proof could be had."""
    BROKEN = "broken"
    """The two cannot both be of one log, or the proof that was given does not show it."""


@dataclass(frozen=True, slots=True)
class History:
    """What came of comparing."""

    kind: HistoryKind
    remember: str
    """The note to remember from now on."""
    evidence: Evidence | None = None
    """Where the history is broken."""


def compare_history(before: str | None, now: str, fetch_path: FetchPath, time_s: int) -> History:
    """Compare a checkpoint that was found duly signed with the one remembered (signed notes).

    What is remembered was checked when it was seen: who signs may change since, the history may
    not. A note that is none, or of another log, counts as nothing remembered. Raises `TlogError`
    where `now` is no checkpoint.
    """
    present = _checkpoint(now)
    known = None if before is None else _checkpoint_or_none(before)
    if before is None or known is None or known.origin != present.origin:
        return History(HistoryKind.FIRST, now)
    (older, first), (newer, second) = sorted(
        ((known, before), (present, now)), key=lambda pair: pair[0].size
    )
    if older.size == newer.size:
        if older.root == newer.root:
            return History(HistoryKind.SAME, before)
        evidence = Evidence(EvidenceKind.SAME_SIZE, before, now, None, None, time_s)
        return History(HistoryKind.BROKEN, before, evidence)
    if older.size == 0:
        return History(HistoryKind.CONSISTENT, second)
    path = fetch_path(older.size, newer.size)
    if path is None:
        return History(HistoryKind.UNKNOWN, before)
    try:
        verify_consistency(older.size, newer.size, path, older.root, newer.root)
    except ConsistencyError:
        kind = EvidenceKind.BROKEN_PROOF
        evidence = Evidence(kind, first, second, tuple(path), None, time_s)
        return History(HistoryKind.BROKEN, before, evidence)
    return History(HistoryKind.CONSISTENT, second)


def read_consistency(data: bytes, origin: str, size1: int, size2: int) -> tuple[bytes, ...]:
    """The path in an answer of `/log/consistency`, not verified. Raises `PeerAnswerRefused`."""
    try:
        body = parse_json(data, size_bytes_max=CONSISTENCY_SIZE_BYTES_MAX, depth_max=3)
    except JsonError as error:
        raise PeerAnswerRefused(f"consistency proof: {error}") from None
    if not isinstance(body, dict) or not isinstance(body.get("proof"), list):
        raise PeerAnswerRefused("consistency proof: no JSON object with a proof")
    if [body.get(name) for name in ("origin", "from", "to")] != [origin, size1, size2]:
        raise PeerAnswerRefused("consistency proof: of another log or of other sizes")
    hashes = body["proof"]
    if len(hashes) > PROOF_LENGTH_MAX or not all(isinstance(one, str) for one in hashes):
        raise PeerAnswerRefused("consistency proof: too long, or not of texts")
    try:
        path = tuple(decode_base64(one) for one in hashes)
    except ValueError as error:
        raise PeerAnswerRefused(f"consistency proof: {error}") from None
    if any(len(one) != HASH_SIZE_BYTES for one in path):
        raise PeerAnswerRefused("consistency proof: a hash that is not of 32 bytes")
    return path


def _checkpoint(note: str) -> Checkpoint:
    return Checkpoint.parse(Note.decode(note).text)


def _checkpoint_or_none(note: str) -> Checkpoint | None:
    try:
        return _checkpoint(note)
    except TlogError:
        return None
