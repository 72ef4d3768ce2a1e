"""Commands that are imported when they are called.

All of them together bring in an EVM, a web framework and a database toolkit: two seconds that
`tally verify` need not wait for.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from nodes.cli.tree import COMMANDS, Branch, Entry


class LazyGroup(TyperGroup):
    """Commands known by name; the one that is asked for is imported."""

    entries: Mapping[str, Entry | Branch] = COMMANDS

    def list_commands(self, ctx: Any) -> list[str]:
        """Names, in the order in which a newcomer meets them."""
        del ctx
        return list(self.entries)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, or None."""
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        if isinstance(entry, Branch):
            return _group(cmd_name, entry, ctx)
        found = getattr(import_module(entry.module), entry.name)
        if isinstance(found, typer.Typer):
            return get_command(found)
        alone = typer.Typer(add_completion=False, rich_markup_mode=None)
        alone.command(cmd_name, short_help=entry.summary)(found)
        return get_command(alone)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The list in `--help`, without importing anything."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in self.entries.items()])


def _group(name: str, branch: Branch, ctx: Any) -> LazyGroup:
    group = LazyGroup(
        name=name,
        help=branch.help,
        no_args_is_help=True,
        rich_markup_mode=None,
        context_settings=dict(ctx.command.context_settings),
    )
    group.entries = branch.commands
    return group
