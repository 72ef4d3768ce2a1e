"""What a scorecard refuses."""

from __future__ import annotations

from federation.errors import FederationError


class ScorecardError(FederationError):
    """Base of this room's errors."""


class SettingsInvalid(ScorecardError):
    """Settings that cannot be meant, or with which numbers could overflow."""


class DataInvalid(ScorecardError):
    """A party's own rows or labels that nothing can be learned from."""


class PartInvalid(ScorecardError):
    """A stored part of a scorecard that is none, or that is another party's."""


class PartsWrong(ScorecardError):
    """What several hosts sent is wrong together; whose fault it is cannot be told, for each hides
    its part from the guest."""


class PartyWrong(ScorecardError):
    """What a party sent cannot be what the protocol asks for: it errs or it lies."""

    def __init__(self, party: str, reason: str) -> None:
        super().__init__(f"{party}: {reason}")
        self.party = party
        self.reason = reason
