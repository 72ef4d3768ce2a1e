"""Errors of cutting features into bins."""

from __future__ import annotations

from federation.errors import FederationError

__all__ = ["BinsError", "BinsInvalid", "CountsInvalid"]


class BinsError(FederationError):
    """Base of every error of this room."""


class BinsInvalid(BinsError):
    """Edges, a number of bins or values that no bins can be made of."""


class CountsInvalid(BinsError):
    """Counts of bads and goods from which no weight of evidence follows."""
