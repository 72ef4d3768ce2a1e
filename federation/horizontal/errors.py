"""Errors of horizontal training."""

from __future__ import annotations

from federation.errors import FederationError


class HorizontalError(FederationError):
    """Base of every error of this room."""


class SettingsRefused(HorizontalError, ValueError):
    """Settings that no training can have, or that the parties do not share."""


class TableRefused(HorizontalError, ValueError):
    """A bank's own rows do not fit the settings: a field is missing, the label is not 0 and 1."""


class TaskRefused(HorizontalError):
    """The server asks for what the agreed algorithm does not ask: `party` is the server."""

    def __init__(self, party: str, reason: str) -> None:
        super().__init__(f"{party}, who leads the training: {reason}")
        self.party = party
        self.reason = reason


class TrainingEnded(HorizontalError):
    """A training cannot go on: `reason` says why, `missing` names who is gone."""

    def __init__(self, reason: str, missing: tuple[str, ...] = ()) -> None:
        super().__init__(f"the training has ended: {reason}")
        self.reason = reason
        self.missing = missing


class DocumentInvalid(HorizontalError, ValueError):
    """A model or a state, as JSON, is not what it should be."""
