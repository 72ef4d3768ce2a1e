"""Founders as the contracts of genesis have them, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from contracts.consortium import Founder
from contracts.founding import consortium_alloc
from contracts.genesis import AllocEntry
from contracts.network.genesis import founding_nodes_of
from contracts.network.types import Contact, FoundingNode
from ledger.chain import Genesis
from ledger.types import Address
from nodes.founding import Contracts
from nodes.network.descriptor import Descriptor
from nodes.network.errors import GenesisForeign

VALIDATOR_POWER: Final = 10
"""Of each founder's node: all alike. More than 1, so that power can be given in steps: beside one
or two of power 1 none could ever join, since the validators of before keep more than two thirds."""


def consortium_contracts(descriptors: Sequence[Descriptor], origin: str) -> Contracts:
    """Code and storage of all contracts; each organisation one vote, each node like power."""
    founders = founders_of(descriptors)
    alloc, section = consortium_alloc(founders, [founding_node(one, origin) for one in descriptors])
    return Contracts(alloc, section)


def founders_of(descriptors: Sequence[Descriptor]) -> tuple[Founder, ...]:
    """The organisations, each once, with the accounts of all its nodes."""
    accounts: dict[str, list[Address]] = {}
    first: dict[str, Descriptor] = {}
    for one in descriptors:
        first.setdefault(one.organisation, one)
        known = accounts.setdefault(one.organisation, [])
        known += [account for account in one.accounts if account not in known]
    return tuple(
        Founder(id=name, role=one.role, profile=one.profile, accounts=tuple(accounts[name]))
        for name, one in first.items()
    )


def founding_nodes(genesis: Genesis) -> tuple[FoundingNode, ...]:
    """The nodes that a genesis begins with. Raises `GenesisForeign`: it is no consortium's."""
    address = genesis.contracts.get("network")
    if address is None or genesis.nodes is None:
        raise GenesisForeign("this genesis places no Network contract: it is no consortium's")
    for key, entry in genesis.fields["alloc"].items():
        if bytes.fromhex(key.removeprefix("0x")) == address:
            return founding_nodes_of(cast(AllocEntry, entry))
    raise GenesisForeign(f"this genesis places nothing at 0x{address.hex()}")


def founding_node(descriptor: Descriptor, origin: str) -> FoundingNode:
    """The node as genesis registers it: a validator like all others."""
    return FoundingNode(
        id=descriptor.node_id,
        organisation=descriptor.organisation,
        power=VALIDATOR_POWER,
        validator_key=descriptor.validator_key,
        contact=Contact(str(descriptor.p2p), descriptor.api, descriptor.witness(origin).vkey),
    )
