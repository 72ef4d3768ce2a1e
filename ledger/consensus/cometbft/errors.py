"""What can be wrong between the node and its consensus engine."""

from __future__ import annotations

from collections.abc import Mapping

from ledger.errors import LedgerError


class CometBftError(LedgerError):
    """Base of all errors of the engine's room."""


class EngineMissing(CometBftError):
    """The program is not on this machine."""


class EngineVersionWrong(CometBftError):
    """The program found is not the version that this software speaks to."""


class EngineSettingsInvalid(CometBftError):
    """A setting cannot be, or does not fit the others."""


class EngineHomeInvalid(CometBftError):
    """The engine's folder holds what does not belong to this ledger, or cannot be read."""


class EngineHalted(CometBftError):
    """The node must not go on: its ledger would no longer be that of the others."""


class EngineStartFailed(CometBftError):
    """The engine did not come up in the time given."""


class EngineUnreachable(CometBftError):
    """The engine does not answer at the moment."""


class EngineRefused(CometBftError):
    """The engine answered a call with an error."""

    def __init__(self, words: str, error: Mapping[str, object]) -> None:
        super().__init__(words)
        self.error = error
        """JSON-RPC's error object: code, message, data."""


class MethodNotAllowed(CometBftError):
    """The method is not among those that others may call."""


class MarkInvalid(CometBftError):
    """The consensus mark in the store was not written by this driver."""


class RequestMalformed(CometBftError):
    """Bytes on the socket are no request of the protocol."""
