"""The `tally` command."""

from nodes.cli.app import main

__all__ = ["main"]
