"""The command tree, and what becomes of errors: one line on stderr, exit code 2."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer
from sqlalchemy.exc import SQLAlchemyError

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


for _command, _short in (
    (demo.demo, "Show a small consortium with its story and a code to scan."),
    (dev.dev, "Run a node of one's own to build against."),
    (records.capture, "Put EPCIS documents on the ledger."),
    (records.trace, "Show where an item has been; check every proof."),
    (records.qr, "Make the QR label of an item."),
    (records.proof, "Fetch the proof of an event as a file."),
    (verification.verify, "Check proof files offline."),
    (maintenance.status, "Ask a running node how it is."),
    (maintenance.reindex, "Rebuild the SQL tables from the chain."),
    (maintenance.check, "Check the whole ledger on disk."),
):
    app.command(_command.__name__, short_help=_short)(_command)
app.add_typer(keys.app, name="key")


def main() -> None:
    """Entry point of the `tally` command."""
    try:
        app()
    except (ApiError, ContractError, LedgerError, NodeError, TraceabilityError) as refused:
        _one_line(refused)
    except BrokenPipeError:  # whoever read us (`tally … | head`) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_BAD_INPUT)
    except OSError as failed:
        _one_line(_of_file(failed))
    except SQLAlchemyError as failed:
        _one_line(NodeError(f"database: {getattr(failed, 'orig', None) or failed}"))
    except KeyboardInterrupt:
        sys.exit(130)


def _of_file(failed: OSError) -> Exception:
    """The same error with its file in front and without its number."""
    if failed.filename is None or failed.strerror is None:
        return failed
    return NodeError(f"{os.fsdecode(failed.filename)}: {failed.strerror}")


def _one_line(error: Exception) -> None:
    text = " ".join(str(error).split()) or type(error).__name__
    err.print(f"tally: {text}", markup=False)
    sys.exit(EXIT_BAD_INPUT)
