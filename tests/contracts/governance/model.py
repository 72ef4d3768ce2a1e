"""Membership, validators and votes in plain Python: what the contracts are held against.

Nothing here knows of storage or events. A `World` is changed by `Change`s, all of a proposal or
none: `World.apply` raises `Refused` where a rule forbids them. Tests that drive real nodes draw
changes from `changes(world)` (a Hypothesis strategy), propose `calls_of` each, and compare
`world.validators()` with what the nodes say.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from hypothesis import strategies as st

from contracts import consortium, governance, network
from contracts.consortium import Founder, Profile, Role, Status
from contracts.genesis import CONSORTIUM_ADDRESS, GOVERNANCE_ADDRESS, NETWORK_ADDRESS
from contracts.governance import Call, Threshold
from contracts.network import Contact, FoundingNode, NodeStatus
from ledger.types import Address

POWER_MAX = 1_000_000_000
NODES_MAX = 128
SUSPENDING_MAX = Fraction(2, 3)


class Refused(Exception):
    """The rules forbid it; the text is the contract's name for the reason."""


# ---- changes ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SetOrganisation:
    """Suspend, reactivate or revoke."""

    organisation: str
    status: Status


@dataclass(frozen=True)
class AddNode:
    """Admit a node."""

    node: FoundingNode


@dataclass(frozen=True)
class RemoveNode:
    """A node is gone."""

    node: bytes


@dataclass(frozen=True)
class SetNode:
    """Suspend or reactivate a node."""

    node: bytes
    status: NodeStatus


@dataclass(frozen=True)
class SetPower:
    """Voting power of a node."""

    node: bytes
    power: int


@dataclass(frozen=True)
class SetVotes:
    """Weight of an organisation."""

    organisation: str
    votes: int


@dataclass(frozen=True)
class SetDefault:
    """Threshold of everything without one of its own."""

    share: Fraction


Change = SetOrganisation | AddNode | RemoveNode | SetNode | SetPower | SetVotes | SetDefault


def calls_of(change: Change) -> Call:
    """The call of a proposal that makes this change."""
    match change:
        case SetOrganisation(organisation, status):
            data = consortium.set_organisation_status(organisation, status)
            return Call(CONSORTIUM_ADDRESS, data)
        case AddNode(node):
            return Call(NETWORK_ADDRESS, network.add_node(node))
        case RemoveNode(node):
            return Call(NETWORK_ADDRESS, network.remove_node(node))
        case SetNode(node, standing):
            return Call(NETWORK_ADDRESS, network.set_node_status(node, standing))
        case SetPower(node, power):
            return Call(NETWORK_ADDRESS, network.set_power(node, power))
        case SetVotes(organisation, votes):
            return Call(GOVERNANCE_ADDRESS, governance.set_votes(organisation, votes))
        case SetDefault(share):
            threshold = Threshold(share.numerator, share.denominator)
            return Call(GOVERNANCE_ADDRESS, governance.set_default_threshold(threshold))


# ---- the world ----------------------------------------------------------------------------------


@dataclass
class ModelNode:
    """A node and whether it stands itself."""

    organisation: str
    power: int
    key: bytes | None
    active: bool = True


@dataclass
class World:
    """Who is in, who validates, who votes."""

    organisations: dict[str, Status] = field(default_factory=dict)
    nodes: dict[bytes, ModelNode] = field(default_factory=dict)
    owners: dict[bytes, str] = field(default_factory=dict)
    """Of ids and keys, for ever."""
    votes: dict[str, int] = field(default_factory=dict)
    default: Fraction = Fraction(2, 3)

    @classmethod
    def founded(
        cls,
        founders: tuple[Founder, ...],
        nodes: tuple[FoundingNode, ...],
        votes: Mapping[str, int] | None = None,
    ) -> World:
        """As `contracts.founding.consortium_alloc` makes it."""
        world = cls(organisations={founder.id: Status.ACTIVE for founder in founders})
        world.votes = dict(votes) if votes is not None else {f.id: 1 for f in founders}
        for node in nodes:
            world._add(node)
        return world

    def validators(self) -> dict[bytes, int]:
        """Effective power by validator key; nobody without power."""
        return {
            node.key: node.power
            for node in self.nodes.values()
            if node.key is not None and node.power and self.counts(node)
        }

    def counts(self, node: ModelNode) -> bool:
        """Whether the node counts: it and its organisation stand."""
        return node.active and self.organisations[node.organisation] is Status.ACTIVE

    def weights(self) -> dict[str, int]:
        """Votes that count now."""
        return {
            name: votes
            for name, votes in self.votes.items()
            if votes and self.organisations[name] is Status.ACTIVE
        }

    def required(self, changes: tuple[Change, ...]) -> Fraction:
        """The highest threshold that the changes touch."""
        needed = []
        for change in changes:
            if isinstance(change, SetOrganisation):
                needed.append(min(self.default, SUSPENDING_MAX))
            else:
                needed.append(self.default)
            if isinstance(change, SetDefault):
                needed.append(change.share)
        return max(needed)

    def passes(self, changes: tuple[Change, ...], yes: set[str]) -> bool:
        """Whether these organisations' yes is enough."""
        weights = self.weights()
        total = sum(weights.values())
        said = sum(weight for name, weight in weights.items() if name in yes)
        share = self.required(changes)
        return said == total if share == 1 else Fraction(said, total) > share

    def apply(self, changes: tuple[Change, ...]) -> None:
        """Make all changes, or none. Raises `Refused`."""
        after = copy.deepcopy(self)
        for change in changes:
            after._make(change)
        check_quorum(self.validators(), after.validators())
        if not after.weights():
            raise Refused("NoVoterLeft")
        vars(self).update(vars(after))

    def rotate(self, node: bytes, key: bytes) -> None:
        """An organisation gives its node another validator key. Raises `Refused`."""
        after = copy.deepcopy(self)
        subject = after._known(node)
        if subject.key == key:
            raise Refused("Unchanged")
        subject.key = None
        after._take(key, subject.organisation)
        subject.key = key
        check_quorum(self.validators(), after.validators())
        vars(self).update(vars(after))

    # ---- single changes -------------------------------------------------------------------------

    def _make(self, change: Change) -> None:
        match change:
            case SetOrganisation(organisation, status):
                before = self.organisations.get(organisation)
                if before is None:
                    raise Refused("UnknownOrganisation")
                if before is Status.REVOKED:
                    raise Refused("OrganisationIsRevoked")
                if before is status:
                    raise Refused("Unchanged")
                self.organisations[organisation] = status
            case AddNode(node):
                self._add(node)
            case RemoveNode(node):
                self._known(node)
                del self.nodes[node]
            case SetNode(node, standing):
                subject = self._known(node)
                if subject.active == (standing is NodeStatus.ACTIVE):
                    raise Refused("Unchanged")
                subject.active = standing is NodeStatus.ACTIVE
            case SetPower(node, power):
                subject = self._known(node)
                if power and subject.key is None:
                    raise Refused("ValidatorKeyMissing")
                if subject.power == power:
                    raise Refused("Unchanged")
                subject.power = power
            case SetVotes(organisation, votes):
                self._set_votes(organisation, votes)
            case SetDefault(share):
                if not Fraction(1, 2) < share <= 1:
                    raise Refused("InvalidThreshold")
                self.default = share

    def _add(self, node: FoundingNode) -> None:
        standing = self.organisations.get(node.organisation)
        if standing not in (Status.ACTIVE, Status.SUSPENDED):
            raise Refused("OrganisationNotMember")
        if node.id in self.nodes:
            raise Refused("NodeExists")
        if len(self.nodes) >= NODES_MAX:
            raise Refused("TooManyNodes")
        self._own(node.id, node.organisation)
        if node.validator_key is not None:
            self._take(node.validator_key, node.organisation)
        self.nodes[node.id] = ModelNode(node.organisation, node.power, node.validator_key)

    def _known(self, node: bytes) -> ModelNode:
        if node not in self.nodes:
            raise Refused("UnknownNode")
        return self.nodes[node]

    def _own(self, name: bytes, organisation: str) -> None:
        if self.owners.setdefault(name, organisation) != organisation:
            raise Refused("AlreadyTaken")

    def _take(self, key: bytes, organisation: str) -> None:
        self._own(key, organisation)
        if any(node.key == key for node in self.nodes.values()):
            raise Refused("AlreadyTaken")

    def _set_votes(self, organisation: str, votes: int) -> None:
        standing = self.organisations.get(organisation)
        if votes and standing not in (Status.ACTIVE, Status.SUSPENDED):
            raise Refused("UnknownOrganisation")
        if self.votes.get(organisation, 0) == votes:
            raise Refused("Unchanged")
        self.votes[organisation] = votes


def check_quorum(before: Mapping[bytes, int], after: Mapping[bytes, int]) -> None:
    """The validators of before keep more than two thirds of the power. Raises `Refused`."""
    if before == after or not before:
        return
    total = sum(after.values())
    if not total:
        raise Refused("NoValidatorLeft")
    kept = sum(min(power, before.get(key, 0)) for key, power in after.items())
    if kept * 3 <= total * 2:
        raise Refused("QuorumLost")


# ---- drawing changes ----------------------------------------------------------------------------


def founder(name: str, account: Address, *others: Address) -> Founder:
    """A member with one account or more."""
    return Founder(name, Role.MANUFACTURER, Profile(name.title()), (account, *others))


def node_of(number: int, organisation: str, power: int) -> FoundingNode:
    """A node whose id and keys follow from its number."""
    contact = Contact(
        f"127.0.0.1:{20_000 + number}", "", f"log/n{number}+{number:08x}+key-{number}"
    )
    return FoundingNode(
        id=b"N" + number.to_bytes(19, "big"),
        organisation=organisation,
        power=power,
        validator_key=b"V" + number.to_bytes(31, "big"),
        contact=contact,
    )


def changes(
    world: World, *, numbers: int = 12, power_max: int = 30
) -> st.SearchStrategy[tuple[Change, ...]]:
    """One to three changes, mostly of what is there; many of them break a rule."""
    names = st.sampled_from(sorted(world.organisations))
    known = st.sampled_from(sorted(world.nodes)) if world.nodes else st.just(b"N" * 20)
    powers = st.integers(0, power_max)
    nodes = st.builds(node_of, st.integers(0, numbers - 1), names, powers)
    standing = st.sampled_from([Status.ACTIVE, Status.SUSPENDED, Status.SUSPENDED, Status.ACTIVE])
    shares = st.sampled_from([Fraction(2, 3), Fraction(3, 4), Fraction(3, 5), Fraction(1)])
    one: st.SearchStrategy[Change] = st.one_of(
        st.builds(SetOrganisation, names, standing),
        st.builds(AddNode, nodes),
        st.builds(RemoveNode, known),
        st.builds(SetNode, known, st.sampled_from([NodeStatus.ACTIVE, NodeStatus.SUSPENDED])),
        st.builds(SetPower, known, powers),
        st.builds(SetVotes, names, st.integers(0, 3)),
        st.builds(SetDefault, shares),
    )
    return st.lists(one, min_size=1, max_size=3).map(tuple)
