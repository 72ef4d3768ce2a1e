"""The command tree, and what becomes of errors: one line on stderr, exit code 2."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from api.errors import ApiError
from contracts.errors import ContractError
from ledger.errors import LedgerError
from nodes.cli import demo, dev, keys, maintenance, records, verification
from nodes.cli.output import EXIT_BAD_INPUT, err
from nodes.errors import NodeError
from traceability.errors import TraceabilityError

app = typer.Typer(
    name="tally",
    help="A consortium trust-and-traceability ledger: capture events, print codes, check proofs.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tally {version('tallystick')}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Options of the command itself."""


app.command("demo")(demo.demo)
app.command("dev")(dev.dev)
app.command("capture")(records.capture)
app.command("trace")(records.trace)
app.command("qr")(records.qr)
app.command("proof")(records.proof)
app.command("verify")(verification.verify)
app.command("reindex")(maintenance.reindex)
app.command("check")(maintenance.check)
app.command("status")(maintenance.status)
app.add_typer(keys.app, name="key")


def main() -> None:
    """Entry point of the `tally` command."""
    try:
        app()
    except (ApiError, ContractError, LedgerError, NodeError, TraceabilityError) as refused:
        _one_line(refused)
    except OSError as failed:
        _one_line(failed)
    except KeyboardInterrupt:
        sys.exit(130)


def _one_line(error: Exception) -> None:
    text = " ".join(str(error).split()) or type(error).__name__
    err.print(f"tally: {text}", markup=False)
    sys.exit(EXIT_BAD_INPUT)
