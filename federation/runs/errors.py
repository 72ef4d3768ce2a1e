"""Errors of runs."""

from __future__ import annotations

from federation.errors import FederationError

REASON_CHARACTERS_MAX = 500


class RunError(FederationError):
    """Base of every error about a run. Its text may be told to the other parties."""


class RunInvalid(RunError):
    """A run, stage or answer is malformed or beyond a bound."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


class StageRefused(RunError):
    """Raised by a party's work: the party will not do this stage; the text says why."""


class StageFailed(RunError):
    """Raised by a party's work: it could not do the stage; the text may be told to others.

    `blames` is the party whose fault it is, empty where it is the party's own.
    """

    def __init__(self, reason: str, *, blames: str = "") -> None:
        super().__init__(reason)
        self.blames = blames


class JournalInvalid(RunError):
    """The journal of a run cannot be read, is of another run, or is being written by another."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"the journal {path} {reason}")
        self.path = path
        self.reason = reason
