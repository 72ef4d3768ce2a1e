"""`tally verify`: check proof bundles and fork evidence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from ledger.witness import Finding, examine
from nodes.cli.evidence import (
    FINDING_EXITS,
    finding_json,
    is_evidence,
    known_trust_of_evidence,
    print_finding,
)
from nodes.cli.history import (
    check_histories,
    history_json,
    is_broken,
    known_address,
    print_histories,
)
from nodes.cli.options import AsJson
from nodes.cli.output import EXIT_INVALID, EXIT_UNKNOWN, EXIT_VALID, out, print_json, progress
from traceability.bundle import (
    BUNDLE_SIZE_BYTES_MAX,
    Outcome,
    SeenHistory,
    StepName,
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
    bundles: Annotated[
        list[Path],
        typer.Argument(help="One or more .tally-proof.json or .tally-evidence.json files."),
    ],
    trust: Annotated[
        Path | None,
        typer.Option(
            "--trust", help="Trust file of the ledger. Default: the logs known in $TALLY_HOME."
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            help="A node to ask whether the log goes on from what was last seen of it. Default: "
            "$TALLY_URL, else the node last started here.",
        ),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask no node at all, remember all the same.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check proofs without trusting any server, and say what fork evidence proves.

    The verdict needs no network. A node is asked only for the proof that a log still continues
    what was last seen of it here. Exits 0 valid, 1 invalid (a log that contradicts what was seen
    included), 3 unknown or of a format not known here; of several, the worst counts.
    """
    given = Trust.load(trust) if trust else None
    verdicts: list[tuple[Path, bytes, Verdict | Finding]] = []
    with progress("checking", len(bundles), len(bundles) > 1 and not as_json) as done:
        for index, path in enumerate(bundles, 1):
            with path.open("rb") as file:
                data = file.read(BUNDLE_SIZE_BYTES_MAX + 1)
            verdicts.append((path, data, _judge(data, given)))
            done(index)
    proofs = [(data, one) for _, data, one in verdicts if isinstance(one, Verdict)]
    histories = check_histories(proofs, None if offline else known_address(url))
    if as_json:
        print_json(_json(verdicts, histories))
    else:
        for path, _, one in verdicts:
            if isinstance(one, Verdict):
                _print(path, one)
            else:
                print_finding(path, one)
        print_histories(histories)
    exits = {
        EXITS[one.outcome] if isinstance(one, Verdict) else FINDING_EXITS[one.weight]
        for _, _, one in verdicts
    }
    if is_broken(histories):
        exits.add(EXIT_INVALID)
    raise typer.Exit(next(code for code in WORST_FIRST if code in exits))


def _judge(data: bytes, given: Trust | None) -> Verdict | Finding:
    if not is_evidence(data):
        return verify_bundle(data, given or known_trust(data))
    trust = given or known_trust_of_evidence(data)
    return examine(data, trust.keys if trust else (), trust.origin if trust else None)


def _json(
    verdicts: Sequence[tuple[Path, bytes, Verdict | Finding]], histories: Sequence[SeenHistory]
) -> dict[str, object]:
    objects: list[dict[str, object]] = [
        {"bundle": str(path), **verdict_json(one)}
        if isinstance(one, Verdict)
        else {"evidence": str(path), **finding_json(one)}
        for path, _, one in verdicts
    ]
    told = [history_json(one) for one in histories]
    if len(objects) == 1:
        return {**objects[0], "history": told[0] if told else None}
    return {"bundles": objects, "histories": told}


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
        out.print(f"  {_missing(verdict)}", markup=False)


def _missing(verdict: Verdict) -> str:
    leaf = next(step for step in verdict.steps if step.name is StepName.LEAF)
    if leaf.outcome is Outcome.VALID:  # then trust is at hand, and signatures are missing
        return (
            "Nothing is wrong, but too few of the trusted members have signed so far: fetch the "
            "proof again in a moment."
        )
    return (
        "Nothing is wrong, but nothing vouches for it either: get the ledger's trust file from a "
        "member you trust and pass it with --trust."
    )
