"""Blocks executed for proposals, kept until one of them is final: each is executed once."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.chain import Executed

CANDIDATES_MAX: Final = 4
"""Of one height: one for each round at least, if it comes to more rounds."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What executing the transactions of a proposal came to."""

    executed: Executed | None
    """None: no block, because no transaction can be part of one."""
    refusal: str | None = None
    """Why the proposal must not be accepted; None where it may be."""
    late: bool = False
    """Refused only because this machine was too slow."""


class Candidates:
    """Outcomes by height, time and transactions. For one thread."""

    def __init__(self) -> None:
        self._outcomes: OrderedDict[tuple[int, int, bytes], Outcome] = OrderedDict()

    def get(self, height: int, timestamp: int, raws: Sequence[bytes]) -> Outcome | None:
        """What was remembered for exactly these transactions in this order."""
        return self._outcomes.get((height, timestamp, digest(raws)))

    def put(self, height: int, timestamp: int, raws: Sequence[bytes], outcome: Outcome) -> None:
        """Remember; the oldest is forgotten."""
        self._outcomes[height, timestamp, digest(raws)] = outcome
        while len(self._outcomes) > CANDIDATES_MAX:
            self._outcomes.popitem(last=False)

    def clear(self) -> None:
        """A block is final: all others were executed on what is no longer the head."""
        self._outcomes.clear()


def digest(raws: Iterable[bytes]) -> bytes:
    """SHA-256 of the transactions, each behind its length."""
    state = hashlib.sha256()
    for raw in raws:
        state.update(len(raw).to_bytes(8, "big"))
        state.update(raw)
    return state.digest()
