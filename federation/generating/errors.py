"""Errors of making invented data."""

from __future__ import annotations

from federation.errors import FederationError


class GeneratingError(FederationError):
    """Base of every error of this room."""


class SettingsInvalid(GeneratingError):
    """No world can be made of these settings."""


class CreditCodeInvalid(GeneratingError):
    """A text is no unified social credit code."""
