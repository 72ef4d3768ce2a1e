"""Errors of proposals on the command line."""

from __future__ import annotations

from nodes.errors import NodeError


class ProposalError(NodeError):
    """Base of what this room raises."""


class ActionInvalid(ProposalError):
    """An action is unknown, or lacks something, or has something that does not fit."""


class CallRefused(ProposalError):
    """The ledger or a contract refused; the message says why."""

    def __init__(self, message: str, name: str | None = None) -> None:
        """`name` of the contract's error, where it is known."""
        super().__init__(message)
        self.name = name
