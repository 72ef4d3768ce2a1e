"""Errors of the traceability room."""

from __future__ import annotations

from ledger.errors import TallystickError

__all__ = ["TraceabilityError"]


class TraceabilityError(TallystickError):
    """Base of every error that the traceability room raises on purpose."""
