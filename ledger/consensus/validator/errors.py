"""What signing for a validator refuses."""

from __future__ import annotations

from ledger.errors import LedgerError


class ValidatorError(LedgerError):
    """Base class of everything that goes wrong when signing for a validator."""


class RequestRefused(ValidatorError):
    """The engine asked for a signature over something that is no vote or proposal of this chain."""


class DoubleSignRefused(ValidatorError):
    """A signature was asked for at or below what has been signed, over something else."""


class SignStateDamaged(ValidatorError):
    """The record of what was signed last cannot be read. Nothing is signed without it."""


class SignStateForeign(ValidatorError):
    """The record of what was signed last is of another key or another chain."""


class SignStateBusy(ValidatorError):
    """Another process signs with the same record."""
