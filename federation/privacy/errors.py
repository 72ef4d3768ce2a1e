"""Errors of differential privacy."""

from __future__ import annotations

from federation.errors import FederationError


class PrivacyError(FederationError):
    """Base of every error of this room."""


class PrivacyInvalid(PrivacyError, ValueError):
    """A parameter that no mechanism or account can have."""


class BudgetExceeded(PrivacyError):
    """A step would spend more than was agreed; nothing of it has been released."""

    def __init__(self, step: str, would_be: int, allowed: int) -> None:
        super().__init__(
            f"step {step!r} would bring what is spent to {would_be} millionths of epsilon; "
            f"{allowed} are agreed, so nothing of it is released"
        )
        self.step = step
        self.would_be = would_be
        self.allowed = allowed


class StepSpent(PrivacyError):
    """A step of that name has been spent for already."""

    def __init__(self, step: str) -> None:
        super().__init__(f"step {step!r} stands in the account already; a step has one name")
        self.step = step
