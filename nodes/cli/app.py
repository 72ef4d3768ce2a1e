"""The command tree, and what becomes of errors: one line on stderr, exit code 2."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from typing import Annotated, Any, NoReturn

import typer

from ledger.errors import TallystickError
from nodes.cli.lazy import LazyGroup
from nodes.cli.output import EXIT_BAD_INPUT, err, print_json
from nodes.errors import NodeError
from nodes.pauses import few_pauses

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
        with few_pauses():
            code = app(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except typer.Abort:
        _one_line(NodeError("aborted"))
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
        if _is_usage(failed):
            _misused(failed)
        if not _of_database(failed):
            raise
        _one_line(NodeError(f"database: {getattr(failed, 'orig', None) or failed}"))


def _of_database(failed: Exception) -> bool:
    """Whether SQLAlchemy raised it; where it has not been imported, it has not."""
    errors = sys.modules.get("sqlalchemy.exc")
    return errors is not None and isinstance(failed, errors.SQLAlchemyError)


def _is_usage(failed: Exception) -> bool:
    """Whether click raised it: an unknown command or option, a value that does not fit.

    Told by its methods, for typer may bring a copy of click of its own.
    """
    return hasattr(failed, "format_message") and hasattr(failed, "exit_code")


def _misused(failed: Any) -> NoReturn:
    """One line, with the command whose help says more; the help itself where nothing was said."""
    context = getattr(failed, "ctx", None)
    if type(failed).__name__ == "NoArgsIsHelpError":
        failed.show()
        sys.exit(EXIT_BAD_INPUT)
    told = " ".join(failed.format_message().split())
    more = "" if context is None else f" (see {context.command_path} --help)"
    _one_line(NodeError(told + more))


def _of_file(failed: OSError) -> Exception:
    """The same error with its file in front and without its number."""
    if failed.filename is None or failed.strerror is None:
        return failed
    return NodeError(f"{os.fsdecode(failed.filename)}: {failed.strerror}")


def _one_line(error: Exception) -> NoReturn:
    text = " ".join(str(error).split()) or type(error).__name__
    err.print(f"tally: {text}", markup=False)
    if "--json" in sys.argv[1:]:
        print_json({"error": text})
    sys.exit(EXIT_BAD_INPUT)
