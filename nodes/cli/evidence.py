"""Fork evidence on the command line: what a file proves, and against whom."""

from __future__ import annotations

from pathlib import Path

from ledger.witness import Evidence, EvidenceMalformed, Finding, Weight
from nodes.cli.output import EXIT_INVALID, EXIT_UNKNOWN, EXIT_VALID, out
from traceability.bundle import Trust, TrustStore

FINDING_EXITS = {
    Weight.PROVEN: EXIT_VALID,
    Weight.CLAIMED: EXIT_UNKNOWN,
    Weight.UNKNOWN: EXIT_UNKNOWN,
    Weight.INVALID: EXIT_INVALID,
}
_MARK = b'"format":"tallystick-evidence/'
_TITLES = {
    Weight.PROVEN: "evidence of a fork",
    Weight.CLAIMED: "an open accusation",
    Weight.UNKNOWN: "undecided",
    Weight.INVALID: "no evidence",
}


def is_evidence(data: bytes) -> bool:
    """Whether the file means to be fork evidence; nothing is checked."""
    return _MARK in data and b'"format":"tallystick-proof/' not in data


def known_trust_of_evidence(data: bytes) -> Trust | None:
    """What the trust store knows of the log that the file is about, or None.

    Raises `TrustMalformed`, `TrustConflict`.
    """
    try:
        origin = Evidence.decode(data).origin
    except EvidenceMalformed:
        return None
    return TrustStore().find(origin)


def finding_json(finding: Finding) -> dict[str, object]:
    """For machines."""
    evidence = finding.evidence
    answer: dict[str, object] = {"weight": str(finding.weight), "reason": finding.words}
    if evidence is not None:
        first, second = evidence.checkpoints
        answer |= {
            "kind": str(evidence.kind),
            "origin": evidence.origin,
            "foundAt": evidence.found.isoformat(),
            "first": {"size": first.size, "signers": list(finding.first_signers)},
            "second": {"size": second.size, "signers": list(finding.second_signers)},
            "signedBoth": list(finding.both),
        }
    return answer


def print_finding(path: Path, finding: Finding) -> None:
    """In plain words."""
    out.print(f"{path}: {_TITLES[finding.weight]}", markup=False, style="bold")
    out.print(f"  {finding.words}", markup=False)
    if finding.evidence is not None:
        out.print(f"  Found {finding.evidence.found:%Y-%m-%d %H:%M:%S} UTC.", markup=False)
    if finding.weight is Weight.UNKNOWN:
        out.print("  Pass the log's trust file with --trust.", markup=False)
