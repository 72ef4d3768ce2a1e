"""How the command line speaks: answers on stdout, as JSON if asked; progress on stderr."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

EXIT_VALID = 0
EXIT_INVALID = 1
EXIT_BAD_INPUT = 2
EXIT_UNKNOWN = 3
EXIT_HALTED = 4
"""The node stopped by itself, because its ledger would no longer be that of the others."""

out = Console(highlight=False, soft_wrap=True, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def program() -> str:
    """How this program was called, for commands that a person is to copy."""
    called = sys.argv[0]
    if Path(called).name != "tally":
        return "python -m nodes"
    if (found := shutil.which("tally")) and Path(found).resolve() == Path(called).resolve():
        return "tally"
    with suppress(ValueError):
        called = min(called, os.path.relpath(called), key=len)
    return called


def print_json(value: object) -> None:
    """One JSON object on one line of stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


@contextmanager
def progress(label: str, total: int, show: bool = True) -> Iterator[Callable[[int], None]]:
    """A bar on stderr; the yielded function says how much is done. Silent where not a terminal."""
    if not show or total <= 0 or not err.is_terminal:
        yield lambda _done: None
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
    )
    with bar:
        task = bar.add_task(label, total=total)
        yield lambda done: bar.update(task, completed=done)
