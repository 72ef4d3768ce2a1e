"""`tally verify`: check a proof bundle offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from nodes.cli.options import AsJson
from nodes.cli.output import EXIT_INVALID, EXIT_UNKNOWN, EXIT_VALID, out, print_json, progress
from traceability.bundle import (
    BUNDLE_SIZE_BYTES_MAX,
    Outcome,
    Trust,
    Verdict,
    known_trust,
    verify_bundle,
)

EXITS = {
    Outcome.VALID: EXIT_VALID,
    Outcome.INVALID: EXIT_INVALID,
    Outcome.UNKNOWN: EXIT_UNKNOWN,
    Outcome.NOT_CHECKED: EXIT_UNKNOWN,
}


def verify(
    bundles: Annotated[list[Path], typer.Argument(help="One or more .tally-proof.json files.")],
    trust: Annotated[
        Path | None,
        typer.Option(
            "--trust", help="Trust file of the ledger. Default: the logs known in $TALLY_HOME."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check proofs without any server.

    Exits 0 valid, 1 invalid, 3 unknown or of a format not known here; of several, the worst counts.
    """
    given = Trust.load(trust) if trust else None
    verdicts: list[tuple[Path, Verdict]] = []
    with progress("checking", len(bundles), len(bundles) > 1 and not as_json) as done:
        for index, path in enumerate(bundles, 1):
            with path.open("rb") as file:
                data = file.read(BUNDLE_SIZE_BYTES_MAX + 1)
            verdicts.append((path, verify_bundle(data, given or known_trust(data))))
            done(index)
    if as_json:
        objects = [{"bundle": str(path), **verdict_json(one)} for path, one in verdicts]
        print_json(objects[0] if len(objects) == 1 else {"bundles": objects})
    else:
        for path, verdict in verdicts:
            _print(path, verdict)
    exits = {EXITS[verdict.outcome] for _, verdict in verdicts}
    raise typer.Exit(next(code for code in WORST_FIRST if code in exits))


WORST_FIRST = (EXIT_INVALID, EXIT_UNKNOWN, EXIT_VALID)
MARKS = {
    Outcome.VALID: "[green]✓[/]",
    Outcome.INVALID: "[bold red]✗[/]",
    Outcome.UNKNOWN: "[yellow]?[/]",
    Outcome.NOT_CHECKED: "[dim]–[/]",
}


def verdict_json(verdict: Verdict) -> dict[str, object]:
    """A verdict for machines."""
    answer: dict[str, object] = {
        "verdict": str(verdict.outcome),
        "reason": verdict.reason,
        "steps": [
            {"name": str(step.name), "outcome": str(step.outcome), "reason": step.reason}
            for step in verdict.steps
        ],
    }
    said = verdict.statement
    if said is not None:
        answer["statement"] = {
            "eventID": said.event_id,
            "organisation": said.organisation,
            "submitter": "0x" + said.submitter.hex(),
            "blockNumber": said.block_number,
            "recordTime": said.record_time.isoformat(),
            "transactionHash": "0x" + said.transaction_hash.hex(),
            "origin": said.origin,
            "leafIndex": said.leaf_index,
            "treeSize": said.tree_size,
            "signers": list(said.signers),
        }
    return answer


def _print(bundle: Path, verdict: Verdict) -> None:
    out.print(f"{bundle}: {verdict.outcome}", markup=False, style="bold")
    if verdict.steps[0].outcome is not Outcome.VALID:
        out.print(f"  this is not a proof file: {verdict.steps[0].reason}", markup=False)
        return
    for step in verdict.steps:
        out.print(f"  {MARKS[step.outcome]} {step.name:11} {escape(step.reason)}")
    said = verdict.statement
    if said is not None and verdict.outcome is Outcome.VALID:
        out.print(
            f"  {said.organisation} recorded this at {said.record_time:%Y-%m-%d %H:%M:%S} UTC; "
            "it has not been changed since.",
            markup=False,
        )
    if verdict.outcome is Outcome.UNKNOWN:
        out.print(
            "  Nothing is wrong, but nothing vouches for it either: get the ledger's trust file "
            "from a member you trust and pass it with --trust.",
            markup=False,
        )
