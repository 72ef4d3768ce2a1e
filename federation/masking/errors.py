"""Errors of masked sums."""

from __future__ import annotations

from collections.abc import Iterable

from federation.errors import FederationError


class MaskingError(FederationError):
    """Base of every error of this room."""


class GroupRefused(MaskingError, ValueError):
    """Those parties, with that threshold, could learn each other's vectors from a sum."""


class VectorRefused(MaskingError, ValueError):
    """A party's own vector is not what was agreed: its length, its type or its range."""


class StepRepeated(MaskingError):
    """A second vector for a step that this party has taken part in before.

    Two sums of one step over different sets of parties would show the difference: one vector.
    """

    def __init__(self, step: str) -> None:
        super().__init__(f"step {step!r} has had its sum; a second one could show a single vector")
        self.step = step


class MaskingEnded(MaskingError):
    """Too few parties are left for a sum: `step`, and `missing` with what became of each."""

    def __init__(self, step: str, reason: str, missing: Iterable[str] = ()) -> None:
        super().__init__(f"step {step!r} has ended without a sum: {reason}")
        self.step = step
        self.reason = reason
        self.missing = tuple(missing)


class ServerLied(MaskingError):
    """What the server says cannot be: `party` is the server, `reason` says which."""

    def __init__(self, party: str, step: str, reason: str) -> None:
        super().__init__(f"{party}, the server of step {step!r}: {reason}")
        self.party = party
        self.step = step
        self.reason = reason


class SharesRefused(MaskingError):
    """Shares are malformed, or do not lead to the secret that was committed to."""


class SumImpossible(MaskingError):
    """A sum is beyond what vectors within their bound can give: one of `parties` lied."""

    def __init__(self, step: str, parties: tuple[str, ...]) -> None:
        super().__init__(
            f"the sum of step {step!r} is beyond the bound of the vectors of {', '.join(parties)}: "
            "one of them sent what it may not; no single vector is known, so none can be named"
        )
        self.step = step
        self.parties = parties
