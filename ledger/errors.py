"""The base class of every error that the ledger room raises on purpose."""

from __future__ import annotations


class TallystickError(Exception):
    """Base of every room's base: what the software refuses or cannot do, in words for people."""


class LedgerError(TallystickError):
    """Something in the ledger room was refused or could not be done; the message says what."""
