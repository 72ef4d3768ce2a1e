"""The base class of every error that the ledger room raises on purpose."""

from __future__ import annotations


class LedgerError(Exception):
    """Something in the ledger room was refused or could not be done; the message says what."""
