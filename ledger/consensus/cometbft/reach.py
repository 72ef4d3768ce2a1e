"""Whether the engine must be made to dial its peers anew.

CometBFT v0.38 (p2p/switch.go, reconnectToPeer) dials a lost persistent peer every 5 s for a while,
then in pauses that grow threefold up to hours, and gives up after a day: a partition that lasted
some minutes would heal hours later. Only a restart begins anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from typing import Final

from ledger.chain import NodeEntry

REDIAL_S: Final = 150.0
"""About as long as the engine dials by itself without growing pauses."""


class Reach:
    """Remembers since when too few are reached. For one thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: float | None = None
        self._height = -1

    def redial_due(
        self,
        own: bytes,
        connected: Collection[bytes],
        wanted: Iterable[bytes],
        nodes: Iterable[NodeEntry],
        height: int,
    ) -> bool:
        """Whether for long no height has passed, and nodes with two thirds were out of reach.

        `wanted` are the peers that the engine dials. Who can be reached through others only does
        not count; where all that are wanted are connected, there is nothing to dial.
        """
        powers = {node.id: node.power for node in nodes if node.active}
        reached = sum(power for one, power in powers.items() if one == own or one in connected)
        missing = any(one in powers and one not in connected for one in wanted if one != own)
        enough = 3 * reached > 2 * sum(powers.values())
        if not powers.get(own):  # it takes no part in the vote: one peer is enough to follow
            enough = bool(connected)
        moved, self._height = height != self._height, height
        if enough or moved or not missing:
            self._since = None
            return False
        now = self._clock()
        if self._since is None:
            self._since = now
        if now - self._since < REDIAL_S:
            return False
        self._since = None
        return True
