"""How often one client may ask, and how much dear work is done at once. Memory is bounded; no
background work."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from api.errors import Unavailable


class RateLimiter:
    """One bucket of `burst` tokens a client, refilled with `rate_per_s`.

    Lives on the event loop: not thread-safe. At `clients_max` clients the longest silent one is
    forgotten, which can only give a client more, never less than its rate.
    """

    def __init__(
        self,
        rate_per_s: float,
        burst: int,
        clients_max: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate = rate_per_s
        self._burst = float(max(burst, 1))
        self._clients_max = clients_max
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, client: str, tokens: float = 1.0) -> int:
        """Take tokens. 0 if granted, otherwise whole seconds after which to try again."""
        if self._rate <= 0:
            return 0
        now = self._clock()
        level, seen = self._buckets.get(client, (self._burst, now))
        level = min(self._burst, level + (now - seen) * self._rate)
        granted = level >= min(tokens, self._burst)
        self._buckets[client] = (level - tokens if granted else level, now)
        self._buckets.move_to_end(client)
        if len(self._buckets) > self._clients_max:
            self._buckets.popitem(last=False)
        if granted:
            return 0
        return max(1, math.ceil((min(tokens, self._burst) - level) / self._rate))


class Turns:
    """Work that is dear: so much at once, and one for each organisation.

    Lives on the event loop: not thread-safe. Nobody waits for his turn.
    """

    def __init__(self, at_once_max: int, retry_after_s: int) -> None:
        self._at_once_max = at_once_max
        self._retry_after_s = retry_after_s
        self._taken: set[str] = set()

    @contextmanager
    def taken(self, organisation: str) -> Iterator[None]:
        """The organisation's turn, as long as the block lasts. Raises `Unavailable`."""
        if organisation in self._taken:
            told = f"{organisation} has such a request under way: wait for its answer"
            raise Unavailable(told, retry_after_s=self._retry_after_s)
        if len(self._taken) >= self._at_once_max:
            told = "others have such requests under way"
            raise Unavailable(told, retry_after_s=self._retry_after_s)
        self._taken.add(organisation)
        try:
            yield
        finally:
            self._taken.discard(organisation)
