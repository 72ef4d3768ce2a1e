"""`tally verify`: check a proof bundle offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nodes.cli.options import AsJson
from nodes.cli.output import EXIT_INVALID, EXIT_UNKNOWN, EXIT_VALID, print_json
from traceability.bundle import Outcome, Trust, known_trust, verify_bundle

EXITS = {
    Outcome.VALID: EXIT_VALID,
    Outcome.INVALID: EXIT_INVALID,
    Outcome.UNKNOWN: EXIT_UNKNOWN,
    Outcome.NOT_CHECKED: EXIT_UNKNOWN,
}


def verify(
    bundle: Annotated[Path, typer.Argument(help="A .tally-proof.json file.")],
    trust: Annotated[
        Path | None,
        typer.Option(
            "--trust", help="Trust file of the ledger. Default: the logs known in $TALLY_HOME."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a proof without any server. Exit code: 0 valid, 1 invalid, 3 unknown."""
    data = bundle.read_bytes()
    verdict = verify_bundle(data, Trust.load(trust) if trust else known_trust(data))
    if as_json:
        print_json({"bundle": str(bundle), **verdict_json(verdict)})
    else:
        _print(bundle, verdict)
    raise typer.Exit(EXITS[verdict.outcome])
