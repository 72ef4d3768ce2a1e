"""The command tree, and what becomes of errors: one line on stderr, exit code 2."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from ledger.errors import TallystickError
from nodes.cli.lazy import LazyGroup
from nodes.cli.output import EXIT_BAD_INPUT, err, print_json
from nodes.errors import NodeError

app = typer.Typer(
    name="tally",
    cls=LazyGroup,
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


def main() -> None:
    """Entry point of the `tally` command."""
    try:
        app()
    except TallystickError as refused:
        _one_line(refused)
    except BrokenPipeError:  # whoever read us (`tally … | head`) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_BAD_INPUT)
    except OSError as failed:
        _one_line(_of_file(failed))
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as failed:
        if not _of_database(failed):
            raise
        _one_line(NodeError(f"database: {getattr(failed, 'orig', None) or failed}"))


def _of_database(failed: Exception) -> bool:
    """Whether SQLAlchemy raised it; where it has not been imported, it has not."""
    errors = sys.modules.get("sqlalchemy.exc")
    return errors is not None and isinstance(failed, errors.SQLAlchemyError)


def _of_file(failed: OSError) -> Exception:
    """The same error with its file in front and without its number."""
    if failed.filename is None or failed.strerror is None:
        return failed
    return NodeError(f"{os.fsdecode(failed.filename)}: {failed.strerror}")


def _one_line(error: Exception) -> None:
    text = " ".join(str(error).split()) or type(error).__name__
    err.print(f"tally: {text}", markup=False)
    if "--json" in sys.argv[1:]:
        print_json({"error": text})
    sys.exit(EXIT_BAD_INPUT)
