"""Errors of the traceability room."""

from __future__ import annotations

__all__ = ["TraceabilityError"]


class TraceabilityError(Exception):
    """Base of every error that the traceability room raises on purpose."""
