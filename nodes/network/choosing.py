"""By which way a new node is filled: a snapshot, or all blocks executed anew."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from nodes.network.admission import Tell
from nodes.network.beginning import Beginning
from nodes.network.errors import JoinRefused
from nodes.network.source import MemberSource
from nodes.network.synchronising import worth_state_sync

POLL_S: Final = 2.0


def by_replay(
    source: MemberSource,
    beginning: Beginning,
    asked: bool,
    timeout_s: float,
    tell: Tell,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Whether all blocks are executed: because that was `asked`, or no snapshot can be used yet.

    The engine of a ledger that was promoted does not have the blocks of before: such a one is
    joined by a snapshot alone, which is waited for. Raises `JoinRefused` where replay is asked for
    in vain, or no snapshot comes in time.
    """
    alone = beginning.blocks_before
    if not alone:
        return asked or not worth_state_sync(source)
    if asked:
        raise JoinRefused(
            f"blocks 1 to {alone} were made before this ledger was a consortium's: the engine does "
            "not have them, and they come by a snapshot only; join without --replay"
        )
    deadline = time.monotonic() + timeout_s
    told = False
    while not worth_state_sync(source):
        if time.monotonic() > deadline:
            raise JoinRefused(
                f"{source.url} has no snapshot with two heights of the engine above it: make one "
                "there (`tally node snapshot`), record something, and join again"
            )
        if not told:
            tell(
                "waiting for a snapshot with two heights of the engine above it: every block of "
                "the others brings that nearer"
            )
            told = True
        sleep(POLL_S)
    return False
