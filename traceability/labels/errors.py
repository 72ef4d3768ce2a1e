"""Errors about labels."""

from __future__ import annotations

from traceability.errors import TraceabilityError

__all__ = ["LabelError", "SizeOutOfRange", "TooMuchData"]


class LabelError(TraceabilityError):
    """Base of the errors about labels."""


class SizeOutOfRange(LabelError):
    """The printed size is outside what the GS1 General Specifications allow."""


class TooMuchData(LabelError):
    """The text does not fit into one QR code."""
