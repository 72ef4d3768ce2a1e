"""What calls have used: gas for a call that is not tried before it is sent."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

from api.operations.types import Call
from ledger.types import Address

KINDS_MAX: Final = 2_000
FACTOR: Final = 3
SPARE: Final = 300_000
"""Beside `FACTOR` times the most that was used. Unused gas costs nothing on this ledger."""


class GasBook:
    """By contract and function: the most gas used, and for how long a call. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[Address, bytes], tuple[int, int]] = OrderedDict()

    def learn(self, call: Call, gas_used: int) -> None:
        """The call went well with this."""
        kind = (call.to, call.data[:4])
        with self._lock:
            gas, size = self._known.pop(kind, (0, 0))
            self._known[kind] = (max(gas, gas_used), max(size, len(call.data)))
            if len(self._known) > KINDS_MAX:
                self._known.popitem(last=False)

    def enough_for(self, call: Call) -> int | None:
        """Gas that will do; None for what has not been seen, or only with shorter calls."""
        with self._lock:
            known = self._known.get((call.to, call.data[:4]))
        if known is None or len(call.data) > known[1]:
            return None
        return FACTOR * known[0] + SPARE
