"""The words of the consortium instrument."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from ledger.types import Address


class Role(IntEnum):
    """What an organisation does in the trade; the numbers are the contract's."""

    MANUFACTURER = 1
    WAREHOUSE = 2
    CARRIER = 3
    RETAILER = 4
    BANK = 5
    REGULATOR = 6
    ARBITRATOR = 7
    OPERATOR = 8

    @property
    def word(self) -> str:
        """As people and JSON read it: `manufacturer`, …"""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Role:
        """The role named by its word. Raises `ValueError`."""
        try:
            return cls[word.upper()]
        except KeyError:
            roles = ", ".join(role.word for role in cls)
            raise ValueError(f"role {word[:32]!r} is none of {roles}") from None


class Status(IntEnum):
    """Standing of an organisation or account; only `ACTIVE` may transact."""

    ACTIVE = 1
    SUSPENDED = 2
    REVOKED = 3
    """For ever."""

    @property
    def word(self) -> str:
        """As people and JSON read it: `active`, …"""
        return self.name.lower()


class Kind(IntEnum):
    """What an address is to its organisation."""

    ACCOUNT = 0
    """May administer the organisation."""
    DEVICE = 1
    """Only speaks for it."""

    @property
    def word(self) -> str:
        """As people and JSON read it: `account` or `device`."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Profile:
    """How an organisation is shown."""

    name: str
    """1 to 128 bytes of UTF-8, no control characters."""
    name_zh: str = ""
    """Chinese name, up to 128 bytes; may be empty."""
    uri: str = ""
    """Digital Link of the party's GLN, or a page; up to 512 bytes; may be empty."""


@dataclass(frozen=True, slots=True)
class Founder:
    """An organisation that is there from genesis."""

    id: str
    role: Role
    profile: Profile
    accounts: tuple[Address, ...]
    devices: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class OrganisationAdded:
    """An organisation was admitted."""

    organisation: str
    by: Address
    """Account that sent the transaction; in every event."""
    role: Role
    profile: Profile


@dataclass(frozen=True, slots=True)
class OrganisationProfileChanged:
    """An organisation is shown differently."""

    organisation: str
    by: Address
    profile: Profile


@dataclass(frozen=True, slots=True)
class OrganisationRoleChanged:
    """An organisation has another role."""

    organisation: str
    by: Address
    role: Role


@dataclass(frozen=True, slots=True)
class OrganisationStatusChanged:
    """An organisation was suspended, reactivated or revoked."""

    organisation: str
    by: Address
    status: Status


@dataclass(frozen=True, slots=True)
class AccountAdded:
    """An account or device speaks for an organisation."""

    organisation: str
    account: Address
    by: Address
    kind: Kind


@dataclass(frozen=True, slots=True)
class AccountStatusChanged:
    """An account or device was suspended, reactivated or revoked."""

    organisation: str
    account: Address
    by: Address
    status: Status


ConsortiumEvent = (
    OrganisationAdded
    | OrganisationProfileChanged
    | OrganisationRoleChanged
    | OrganisationStatusChanged
    | AccountAdded
    | AccountStatusChanged
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What instruments ask about an address."""

    organisation: str
    role: Role
    active: bool
    """Whether the address may transact now."""


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation as the projection knows it."""

    id: str
    role: Role
    status: Status
    profile: Profile


@dataclass(frozen=True, slots=True)
class Account:
    """An account or device as the projection knows it."""

    address: Address
    organisation: str
    kind: Kind
    status: Status
