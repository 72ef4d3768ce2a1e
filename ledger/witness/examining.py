"""What a file of evidence proves, and against whom: pure, offline, in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ledger.tlog import Note, NoteVerifier, SignatureInvalid, signed_by
from ledger.witness.errors import EvidenceMalformed
from ledger.witness.evidence import Evidence, EvidenceKind


class Weight(StrEnum):
    """How much a file of evidence proves."""

    PROVEN = "proven"
    """Known keys signed two histories: nothing can explain it away."""
    CLAIMED = "claimed"
    """Known keys signed both, but whether the larger continues the smaller is still open."""
    UNKNOWN = "unknown"
    """Not enough known keys have signed to say against whom it speaks."""
    INVALID = "invalid"
    """The file is no evidence: malformed, no clash, or a signature that is false."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What `examine` says."""

    weight: Weight
    words: str
    """In plain words."""
    evidence: Evidence | None
    """None where the file is malformed."""
    first_signers: tuple[str, ...] = ()
    """Names of the known keys that signed the first checkpoint."""
    second_signers: tuple[str, ...] = ()
    both: tuple[str, ...] = ()
    """Names of the second's signers whose public key signed the first as well."""


def examine(data: bytes, keys: Sequence[NoteVerifier], origin: str | None) -> Finding:
    """Check a file of evidence with what is known of its log: keys and origin of a trust file.

    Never raises. `origin` None and no keys where nothing is known.
    """
    try:
        evidence = Evidence.decode(data)
    except EvidenceMalformed as error:
        return Finding(Weight.INVALID, f"this is no evidence of a fork: {error}", None)
    known = tuple(keys) if evidence.origin == origin else ()
    # The finder's key for the accused counts as a name only where the trust file has it too.
    try:
        first = signed_by(Note.decode(evidence.first), known)
        second = signed_by(Note.decode(evidence.second), known)
    except SignatureInvalid as error:
        words = f"this is no evidence: {error}, so one of the notes was altered"
        return Finding(Weight.INVALID, words, evidence)
    names = tuple(one.name for one in first), tuple(one.name for one in second)
    if not first or not second:
        return Finding(Weight.UNKNOWN, _unsigned(evidence, names, origin), evidence, *names)
    signed_first = {one.public_key for one in first}
    both = tuple(one.name for one in second if one.public_key in signed_first)
    if evidence.kind is EvidenceKind.SAME_SIZE:
        words = _same_size(evidence, names, both)
        return Finding(Weight.PROVEN, words, evidence, *names, both)
    return Finding(Weight.CLAIMED, _broken(evidence, names), evidence, *names, both)


def _same_size(
    evidence: Evidence, names: tuple[tuple[str, ...], tuple[str, ...]], both: tuple[str, ...]
) -> str:
    size = evidence.checkpoints[0].size
    words = (
        f"The log {evidence.origin!r} has forked: for its first {size} entries {_list(names[0])} "
        f"signed one content, and {_list(names[1])} signed another. One log cannot have both."
    )
    if both:
        words += f" {_list(both)} signed both and so contradicts itself."
    else:
        words += " Which of the two is the members' log, their other signatures show."
    return words


def _broken(evidence: Evidence, names: tuple[tuple[str, ...], tuple[str, ...]]) -> str:
    first, second = evidence.checkpoints
    return (
        f"{_list(names[0])} signed {first.size} entries of the log {evidence.origin!r}, and "
        f"{_list(names[1])} signed {second.size}. The proof that was given does not show that the "
        "larger continues the smaller. Nobody signed that proof: whoever signed the larger one "
        "can clear this up with a valid proof, and has forked the log if there is none."
    )


def _unsigned(
    evidence: Evidence, names: tuple[tuple[str, ...], tuple[str, ...]], origin: str | None
) -> str:
    if origin is None:
        return f"no trust file for the log {evidence.origin!r} is at hand: nobody knows who signed"
    if origin != evidence.origin:
        return f"this is about the log {evidence.origin!r}; what is trusted is about {origin!r}"
    which = "either checkpoint" if not any(names) else "one of the two checkpoints"
    return f"no key of the trust file has signed {which}: it says nothing about known members"


def _list(names: Sequence[str]) -> str:
    unique = list(dict.fromkeys(names))
    return unique[0] if len(unique) == 1 else f"{', '.join(unique[:-1])} and {unique[-1]}"
