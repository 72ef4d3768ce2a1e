"""Errors of sharing what a model is worth."""

from __future__ import annotations

from federation.errors import FederationError


class ContributionError(FederationError):
    """Base of every error of this room."""


class GameInvalid(ContributionError):
    """Parties, values or settings of which no contribution can be had."""


class EvidenceInvalid(ContributionError):
    """Evidence that is malformed, incomplete, or says other shares than its values give."""
