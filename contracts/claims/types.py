"""The words of the Claims contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ledger.types import Address, Hash32


@dataclass(frozen=True, slots=True)
class Claim:
    """Who has a key."""

    instrument: Address
    """The contract, in the version that made the record."""
    id: Hash32
    """The record."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A record has the key from now on."""

    key: Hash32
    instrument: Address
    id: Hash32


@dataclass(frozen=True, slots=True)
class Released:
    """The record has the key no longer."""

    key: Hash32
    instrument: Address
    id: Hash32


@dataclass(frozen=True, slots=True)
class Annulled:
    """By which decision a key was taken from a record that has ended."""

    key: Hash32
    by: str
    """The arbitrator or regulator."""
    decision: Hash32
    """SHA-256 of the decision's document."""
    remark: str


ClaimsEvent: TypeAlias = Claimed | Released | Annulled
