"""The words of the network instrument."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from ledger.types import Address


class NodeStatus(IntEnum):
    """Standing of a node; the numbers are the contract's."""

    ACTIVE = 1
    SUSPENDED = 2
    REMOVED = 3
    """For the projection alone: the contract forgets the node."""

    @property
    def word(self) -> str:
        """As people and JSON read it: `active`, …"""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Contact:
    """How a node is reached, and by which key it vouches; printable ASCII without spaces."""

    p2p: str
    """`host:port` for peers, 1 to 256 characters."""
    api: str
    """Base address of the HTTP interface, up to 512 characters; may be empty."""
    witness_key: str
    """C2SP verifier key (`name+hash+key`), 1 to 512 characters."""


@dataclass(frozen=True, slots=True)
class FoundingNode:
    """A node that is there from genesis."""

    id: bytes
    """The 20 bytes of the CometBFT node id."""
    organisation: str
    power: int
    """Voting power, 0 for a node that does not validate; at most 1,000,000,000."""
    validator_key: bytes | None
    """Ed25519 public key of 32 bytes."""
    contact: Contact


@dataclass(frozen=True, slots=True)
class NodeAdded:
    """A node was admitted."""

    node: bytes
    """20 bytes, as in every event."""
    organisation: str
    by: Address
    power: int
    validator_key: bytes | None
    contact: Contact


@dataclass(frozen=True, slots=True)
class NodeRemoved:
    """A node is gone for good."""

    node: bytes
    organisation: str
    by: Address


@dataclass(frozen=True, slots=True)
class NodeStatusChanged:
    """A node was suspended or reactivated."""

    node: bytes
    by: Address
    status: NodeStatus


@dataclass(frozen=True, slots=True)
class NodePowerChanged:
    """A validator has another voting power."""

    node: bytes
    by: Address
    power: int


@dataclass(frozen=True, slots=True)
class NodeEndpointsChanged:
    """A node is reached elsewhere."""

    node: bytes
    by: Address
    p2p: str
    api: str


@dataclass(frozen=True, slots=True)
class NodeWitnessKeyChanged:
    """A node vouches by another key."""

    node: bytes
    by: Address
    witness_key: str


@dataclass(frozen=True, slots=True)
class NodeValidatorKeyChanged:
    """A node votes on blocks by another key; None where it validates no longer."""

    node: bytes
    by: Address
    validator_key: bytes | None


@dataclass(frozen=True, slots=True)
class ValidatorsSettled:
    """The validators and their effective powers are others than before."""

    validators: int
    power: int


NetworkEvent = (
    NodeAdded
    | NodeRemoved
    | NodeStatusChanged
    | NodePowerChanged
    | NodeEndpointsChanged
    | NodeWitnessKeyChanged
    | NodeValidatorKeyChanged
    | ValidatorsSettled
)


@dataclass(frozen=True, slots=True)
class Node:
    """A node as the projection knows it."""

    id: bytes
    organisation: str
    status: NodeStatus
    power: int
    validator_key: bytes | None
    contact: Contact
    since_block: int
    """Block of its admission; 0 from genesis."""
