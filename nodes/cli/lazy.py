"""Commands that are imported when they are called.

All of them together bring in an EVM, a web framework and a database toolkit: two seconds that
`tally verify` need not wait for.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command lies, and what it does in one sentence."""

    module: str
    name: str
    """A function, or a Typer app with commands of its own."""
    summary: str


COMMANDS: dict[str, Entry] = {
    "demo": Entry(
        "nodes.cli.demo", "demo", "Show a small consortium with its story and a code to scan."
    ),
    "dev": Entry("nodes.cli.dev", "dev", "Run a node of one's own to build against."),
    "capture": Entry("nodes.cli.records", "capture", "Put EPCIS documents on the ledger."),
    "trace": Entry("nodes.cli.records", "trace", "Show where an item has been; check every proof."),
    "qr": Entry("nodes.cli.labels", "qr", "Make the QR label of an item."),
    "proof": Entry("nodes.cli.records", "proof", "Fetch the proof of an event as a file."),
    "verify": Entry("nodes.cli.verification", "verify", "Check proof files offline."),
    "status": Entry("nodes.cli.status", "status", "Ask a running node how it is."),
    "reindex": Entry("nodes.cli.maintenance", "reindex", "Rebuild the SQL tables from the chain."),
    "check": Entry("nodes.cli.maintenance", "check", "Check the whole ledger on disk."),
    "key": Entry("nodes.cli.keys", "app", "Make, list and revoke keys."),
}


class LazyGroup(TyperGroup):
    """The `tally` command: knows its commands by name, imports the one that is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names, in the order in which a newcomer meets them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, or None."""
        del ctx
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        found = getattr(import_module(entry.module), entry.name)
        if isinstance(found, typer.Typer):
            return get_command(found)
        alone = typer.Typer(add_completion=False, rich_markup_mode=None)
        alone.command(cmd_name, short_help=entry.summary)(found)
        return get_command(alone)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The list in `tally --help`, without importing anything."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])
