"""Errors about EPCIS documents and events."""

from __future__ import annotations

from collections.abc import Sequence

from traceability.epcis.types import Problem
from traceability.errors import TraceabilityError

__all__ = ["DocumentRefused", "EpcisError"]

_SHOWN_MAX = 5


class EpcisError(TraceabilityError):
    """Base of the errors about EPCIS documents and events."""


class DocumentRefused(EpcisError):
    """The document is not valid EPCIS 2.0. `problems` has every fault found, in document order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        shown = "; ".join(str(problem) for problem in problems[:_SHOWN_MAX])
        more = len(problems) - _SHOWN_MAX
        super().__init__(shown + (f"; and {more} more" if more > 0 else ""))
        self.problems = tuple(problems)
