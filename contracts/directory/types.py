"""The words of the directory instrument."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.types import Address, Hash32


@dataclass(frozen=True, slots=True)
class FoundingContract:
    """A contract's first version, there from genesis."""

    name: str
    """A lower-case letter and up to 31 characters of `[a-z0-9-]`."""
    address: Address
    code_hash: Hash32
    """keccak-256 of its code."""
    fixed: bool
    """Whether this version stays for ever."""


@dataclass(frozen=True, slots=True)
class VersionAdded:
    """A name has a new current version."""

    name: str
    address: Address
    by: Address
    index: int
    """0 for the first version of a name."""
    code_hash: Hash32
    note: str


@dataclass(frozen=True, slots=True)
class ContractVersion:
    """A version as the projection knows it."""

    name: str
    index: int
    address: Address
    code_hash: Hash32
    since_block: int
    """0 from genesis."""
    note: str
    current: bool
