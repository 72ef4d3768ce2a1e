"""Keeping a node to one core, the one with the least other work (see `ledger.cores` for why)."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ledger.cores import GIVEN, keep_to

LOOK_EVERY_S: Final = (2.0, 4.0)
"""At random between these: nodes of one machine that share a core do not all leave it at once."""
BETTER_BY: Final = 0.25
"""Of a core: so much less must others do on another one before the node goes there."""
BUSY_FROM: Final = 0.1
"""Of a core: a node that does less than this has no reason to go anywhere."""
_STAT: Final = Path("/proc/stat")

_log = logging.getLogger(__name__)

Ticks = Mapping[int, tuple[int, int]]
"""Of each core: busy, and all."""


@contextmanager
def on_one_core(wanted: bool = True) -> Iterator[None]:
    """While a node serves. Every core it was given again at the end; nothing where it has one."""
    if not wanted or len(GIVEN) < 2:
        yield
        return
    here = random.choice(sorted(GIVEN))
    keep_to(frozenset({here}))
    ended = threading.Event()
    keeper = threading.Thread(target=_watch, args=(here, ended), name="one-core", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ended.set()
        keeper.join()
        keep_to(GIVEN)


def better_core(here: int, before: Ticks, after: Ticks, own: float) -> int | None:
    """The core to go to, or None to stay: by what was done on each between two looks.

    `own`: what this process did meanwhile, as a share of a core.
    """
    busy = {core: _share(before[core], after[core]) for core in before.keys() & after.keys()}
    if own < BUSY_FROM or here not in busy:
        return None
    others = max(0.0, busy[here] - own)
    best = min(busy, key=lambda core: (busy[core], core))
    return best if best != here and others - busy[best] > BETTER_BY else None


def read_ticks(text: str, cores: frozenset[int]) -> Ticks:
    """What the system has counted of these cores (proc_stat(5), the lines `cpuN`)."""
    found: dict[int, tuple[int, int]] = {}
    for line in text.splitlines():
        name, _, rest = line.partition(" ")
        if not (name.startswith("cpu") and name[3:].isdecimal() and int(name[3:]) in cores):
            continue
        # user, nice, system, idle, iowait, irq, softirq, steal; guests are in user already.
        counted = [int(ticks) for ticks in rest.split()[:8]]
        if len(counted) >= 5:
            everything = sum(counted)
            found[int(name[3:])] = (everything - counted[3] - counted[4], everything)
    return found


def _share(before: tuple[int, int], after: tuple[int, int]) -> float:
    passed = after[1] - before[1]
    return (after[0] - before[0]) / passed if passed > 0 else 0.0


def _watch(here: int, ended: threading.Event) -> None:
    while True:
        before, used, began = _ticks(), time.process_time(), time.monotonic()
        if ended.wait(random.uniform(*LOOK_EVERY_S)):
            return
        own = (time.process_time() - used) / (time.monotonic() - began)
        there = better_core(here, before, _ticks(), own)
        if there is not None:
            _log.debug("others are busy on core %d: going to core %d", here, there)
            here = there
            keep_to(frozenset({here}))


def _ticks() -> Ticks:
    try:
        return read_ticks(_STAT.read_text("ascii"), GIVEN)
    except OSError:  # a system that does not show it
        return {}
