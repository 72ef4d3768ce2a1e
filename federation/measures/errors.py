"""Errors of measuring a score."""

from __future__ import annotations

from federation.errors import FederationError


class MeasuresError(FederationError):
    """Base of every error of this room."""


class MeasureInvalid(MeasuresError):
    """Arrays or settings that cannot be measured: shapes, kinds, bounds."""


class MeasureUndefined(MeasuresError):
    """The measure has no value for these rows, for one because all of them have the same label."""
