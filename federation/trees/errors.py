"""What boosting over several parties refuses."""

from __future__ import annotations

from federation.errors import FederationError

__all__ = [
    "DataInvalid",
    "PartInvalid",
    "PartyWrong",
    "SettingsInvalid",
    "StateInvalid",
    "TreesError",
]


class TreesError(FederationError):
    """Base of every error of this room."""


class SettingsInvalid(TreesError):
    """Settings that cannot be meant, that hide nothing, or with which totals could overflow."""


class DataInvalid(TreesError):
    """A party's own rows or labels that nothing can be learned from, or that fit no part."""


class PartInvalid(TreesError):
    """A stored part of a model that is none, or that is another party's."""


class StateInvalid(TreesError):
    """A stored state that is none, or that belongs to another run, other settings or other rows."""


class PartyWrong(TreesError):
    """What `party` sent cannot be what the protocol asks for: it errs or it lies."""

    def __init__(self, party: str, reason: str) -> None:
        super().__init__(f"{party}: {reason}")
        self.party = party
        self.reason = reason
