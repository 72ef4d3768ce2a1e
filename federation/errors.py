"""Errors of the federated gateway; each of its rooms has a base of its own below this one."""

from __future__ import annotations

from ledger.errors import TallystickError

__all__ = ["FederationError"]


class FederationError(TallystickError):
    """Base of every error that the federated gateway raises on purpose."""
