"""A moment's patience: what was recorded just now is signed by the other members a little later."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from api.services import Services
from traceability.query import StoredEvent

WAIT_MAX_S: Final = 2.0
YOUNG_S: Final = 10.0
"""What is older is not waited for: then the other members are out of reach, not late."""
_PAUSE_S: Final = 0.05


async def wait_for_members(
    services: Services, events: Iterable[StoredEvent], wait_s: float
) -> bool:
    """Until enough members have signed for all of the events, at most `wait_s`; see `YOUNG_S`.

    Whether any time has passed.
    """
    youngest = max(events, key=lambda event: event.leaf_index, default=None)
    if youngest is None or wait_s <= 0:
        return False
    if (datetime.now(UTC) - youngest.record_time).total_seconds() > YOUNG_S:
        return False
    loop, trust, log = asyncio.get_running_loop(), services.trust, services.ledger.log
    deadline = loop.time() + min(wait_s, WAIT_MAX_S)
    waited = False
    while log.witnessed(youngest.leaf_index + 1, trust.threshold, trust.keys) is None:
        if loop.time() >= deadline:
            break
        waited = True
        await asyncio.sleep(_PAUSE_S)
    return waited
