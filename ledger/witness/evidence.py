"""Fork evidence: two signed checkpoints that cannot both be of one log (proof-format.md, 10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256

from ledger.canonical import CanonicalError, JsonError, canonical_json, parse_json
from ledger.tlog import (
    Checkpoint,
    ConsistencyError,
    Note,
    NoteMalformed,
    NoteVerifier,
    TlogError,
    verify_consistency,
)
from ledger.tlog.encoding import decode_base64, encode_base64
from ledger.tlog.merkle import HASH_SIZE_BYTES
from ledger.witness.errors import EvidenceMalformed

FORMAT = "tallystick-evidence/1"
FILE_SUFFIX = ".tally-evidence.json"
SIZE_BYTES_MAX = 256 * 1024
PROOF_LENGTH_MAX = 2 * 63
_NAMES = frozenset(("format", "kind", "origin", "first", "second", "proof", "accused", "foundAt"))
_TIME_MAX = 253_402_300_799


class EvidenceKind(StrEnum):
    """What is wrong with the two checkpoints."""

    SAME_SIZE = "same-size"
    """One size, two roots. Needs nothing else: one log cannot have both."""
    BROKEN_PROOF = "broken-proof"
    """The consistency proof that was given does not lead from the smaller to the larger one."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Two checkpoints, the smaller one first, well-formed and of one log; signatures unchecked."""

    kind: EvidenceKind
    first: str
    """Signed note. Of equal sizes, the finder's own."""
    second: str
    """Signed note."""
    proof: tuple[bytes, ...] | None
    """The consistency proof that failed, 32 bytes each; None of equal sizes."""
    accused: NoteVerifier | None
    """Who signed the second one, as the finder knew it; None where several did."""
    found_at: int
    """Seconds since 1970."""

    @property
    def checkpoints(self) -> tuple[Checkpoint, Checkpoint]:
        """First and second."""
        return _checkpoint(self.first), _checkpoint(self.second)

    @property
    def origin(self) -> str:
        """Which log."""
        return self.checkpoints[0].origin

    @property
    def subject(self) -> tuple[EvidenceKind, str, bytes]:
        """What makes evidence distinct: of one log, kind and key a single file is kept."""
        # A fork goes on for ever: each further checkpoint of it says nothing new.
        return self.kind, self.origin, self.accused.public_key if self.accused else b""

    @property
    def id(self) -> str:
        """SHA-256 of the file, hex."""
        return sha256(self.encode()).hexdigest()

    @property
    def summary(self) -> str:
        """One line for people."""
        first, second = self.checkpoints
        who = self.accused.name if self.accused else "several keys"
        if self.kind is EvidenceKind.SAME_SIZE:
            return f"{who} signed another root at size {second.size} of {first.origin}"
        return (
            f"{who} signed size {second.size} of {first.origin} and gave no valid proof that it "
            f"continues size {first.size}"
        )

    def encode(self) -> bytes:
        """The file's bytes: JCS and a newline."""
        fields = {
            "format": FORMAT,
            "kind": str(self.kind),
            "origin": self.origin,
            "first": self.first,
            "second": self.second,
            "proof": None if self.proof is None else [encode_base64(one) for one in self.proof],
            "accused": self.accused.vkey if self.accused else None,
            "foundAt": self.found_at,
        }
        return canonical_json(fields) + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> Evidence:
        """Read a file's bytes; one spelling only. Raises `EvidenceMalformed`.

        What comes back is really of its kind: equal sizes and different roots, or a proof that
        fails. Who signed is not looked at.
        """
        fields = _fields(data)
        texts = [fields[name] for name in ("origin", "first", "second")]
        found_at, accused = fields["foundAt"], fields["accused"]
        if not all(isinstance(text, str) for text in texts):
            raise EvidenceMalformed("origin, first and second must be texts")
        if type(found_at) is not int or not 0 <= found_at <= _TIME_MAX:
            raise EvidenceMalformed("foundAt is no time in seconds since 1970")
        try:
            kind = EvidenceKind(str(fields["kind"]))
            key = None if accused is None else NoteVerifier.parse(str(accused))
        except ValueError:
            raise EvidenceMalformed(f"kind {str(fields['kind'])[:40]!r} is not known") from None
        except NoteMalformed as error:
            raise EvidenceMalformed(f"accused: {error}") from None
        evidence = cls(kind, str(texts[1]), str(texts[2]), _proof(fields["proof"]), key, found_at)
        evidence.check()
        if evidence.origin != texts[0]:
            raise EvidenceMalformed("the origin is not that of the checkpoints")
        return evidence

    def check(self) -> None:
        """Whether the two checkpoints clash as `kind` says. Raises `EvidenceMalformed`."""
        first, second = self.checkpoints
        if first.origin != second.origin:
            raise EvidenceMalformed("the checkpoints are of two logs, which may differ")
        if self.kind is EvidenceKind.SAME_SIZE:
            if self.proof is not None or first.size != second.size:
                raise EvidenceMalformed("two checkpoints of one size are needed, and no proof")
            if first.root == second.root:
                raise EvidenceMalformed("both checkpoints have the same root: there is no fork")
            return
        if self.proof is None or not 1 <= first.size < second.size:
            raise EvidenceMalformed("a smaller and a larger checkpoint and a proof are needed")
        try:
            verify_consistency(first.size, second.size, self.proof, first.root, second.root)
        except ConsistencyError:
            return
        raise EvidenceMalformed("the consistency proof is valid: there is no fork")

    @property
    def found(self) -> datetime:
        """When it was found, UTC."""
        return datetime.fromtimestamp(self.found_at, UTC)


def _fields(data: bytes) -> dict[str, object]:
    try:
        fields = parse_json(data, size_bytes_max=SIZE_BYTES_MAX, depth_max=3)
        canonical = canonical_json(fields) + b"\n"
    except (JsonError, CanonicalError) as error:
        raise EvidenceMalformed(f"not the JSON of fork evidence: {error}") from None
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise EvidenceMalformed(f"not fork evidence of the format {FORMAT!r}")
    if fields.keys() != _NAMES:
        odd = ", ".join(sorted(name[:40] for name in fields.keys() ^ _NAMES)[:5])
        raise EvidenceMalformed(f"members missing or too many: {odd}")
    if canonical != data:
        raise EvidenceMalformed("not spelled as canonical JSON (RFC 8785) with one newline")
    return fields


def _proof(value: object) -> tuple[bytes, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > PROOF_LENGTH_MAX:
        raise EvidenceMalformed(f"proof is no list of at most {PROOF_LENGTH_MAX} hashes")
    try:
        hashes = tuple(decode_base64(one if isinstance(one, str) else "?") for one in value)
    except ValueError as error:
        raise EvidenceMalformed(f"proof: {error}") from None
    if any(len(one) != HASH_SIZE_BYTES for one in hashes):
        raise EvidenceMalformed("proof: a hash that is not of 32 bytes")
    return hashes


def _checkpoint(note: str) -> Checkpoint:
    try:
        return Checkpoint.parse(Note.decode(note).text)
    except TlogError as error:
        raise EvidenceMalformed(f"a checkpoint: {error}") from None
