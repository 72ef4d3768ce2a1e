"""Errors of sums that the adder cannot read."""

from __future__ import annotations

from federation.errors import FederationError

__all__ = [
    "KeyInvalid",
    "OfferInvalid",
    "SchemeRefused",
    "SealedInvalid",
    "SumsError",
    "TeamBroken",
    "TotalsExceeded",
]


class SumsError(FederationError):
    """Base of every error of this room."""


class SchemeRefused(SumsError):
    """No such scheme, or one that must not be used here."""


class KeyInvalid(SumsError):
    """A key of a size that is not safe, or that is too long to be worked with."""


class OfferInvalid(SumsError):
    """What a sealer offered is no public key of its scheme."""


class SealedInvalid(SumsError):
    """What was received is not so many sealed numbers: `place` is the first that is wrong.

    Wrong width or count, out of the group's range, not invertible, not of this key, or a total
    that does not fit into its slot.
    """

    def __init__(self, reason: str, place: int | None = None) -> None:
        super().__init__(reason if place is None else f"sealed number {place}: {reason}")
        self.reason = reason
        self.place = place

    def __reduce__(self) -> tuple[type[SealedInvalid], tuple[str, int | None]]:
        return SealedInvalid, (self.reason, self.place)  # across processes


class TotalsExceeded(SumsError):
    """A number, or a total that could come about, is too long for what holds it."""


class TeamBroken(SumsError):
    """One of the processes that share the work of this party has ended."""
