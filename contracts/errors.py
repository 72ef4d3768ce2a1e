"""Errors of the contracts room."""

from __future__ import annotations

from ledger.errors import TallystickError


class ContractError(TallystickError):
    """Base of everything that the contracts room raises."""


class ArtifactError(ContractError):
    """A compiled contract is missing from the installation or is not what this code expects."""


class CalldataError(ContractError):
    """Bytes are not a call of the named function."""


class CalldataValueError(ContractError, ValueError):
    """A value cannot be put into calldata: out of range, wrong length, wrong type."""


class LogError(ContractError):
    """A log is not the contract's event, or not one that this code knows."""


class StorageError(ContractError):
    """A value does not fit the storage layout, or stored words do not make sense by it."""


class OrganisationIdError(ContractError, ValueError):
    """An organisation id is not 1 to 32 characters of `[a-z0-9-]`."""


class GenesisError(ContractError, ValueError):
    """The founders given for genesis do not make a consortium."""
