"""The pauses that Python's collector of cyclic garbage makes."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

THRESHOLDS: Final = (10_000, 20, 20)
"""Objects made and still there, collections of the youngest, of the middle generation, after which
a generation is looked through. With Python's own (700, 10, 10) it took a sixth of a busy node's
processor, a quarter of a second at a time."""


STARTING: Final = (100_000, 20, 20)
"""Hardly any of what is made by importing is garbage: to look for it took a sixth of the time."""


@contextmanager
def few_pauses() -> Iterator[None]:
    """While a command is imported and runs. Puts everything back at the end."""
    before = gc.get_threshold()
    gc.set_threshold(*STARTING)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def short_pauses() -> Iterator[None]:
    """While a program serves: what it consists of by now is never looked through again.

    For a process that has started up. Puts everything back at the end.
    """
    before = gc.get_threshold()
    # What is garbage already stays: to look for it would take a good part of a node's first second.
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
