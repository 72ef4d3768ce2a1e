"""Random changes of a consortium's membership, valid as far as one can tell beforehand.

`Members` is what the contracts should hold. Ghosts are organisations and nodes that exist on the
ledger alone; together they never get so much power that the nodes that run could not go on.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from contracts.consortium import (
    CONSORTIUM_ADDRESS,
    Profile,
    Role,
    Status,
    add_account,
    add_organisation,
    set_account_status,
    set_organisation_status,
    set_profile,
    set_role,
)
from contracts.governance import GOVERNANCE_ADDRESS, Call, set_votes
from contracts.network import (
    NETWORK_ADDRESS,
    Contact,
    FoundingNode,
    NodeStatus,
    add_node,
    remove_node,
    rotate_witness_key,
    set_endpoints,
    set_node_status,
    set_power,
)
from ledger.tlog import Ed25519Key, NoteSigner, SignatureType
from ledger.types import Address

ORGANISATIONS_MAX = 40
NODES_MAX = 40
ACCOUNTS_MAX = 8
GHOST_SHARE = 0.2
"""Of the whole power, at most."""
_One = TypeVar("_One")


@dataclass
class Organisation:
    """A member; it is live if a node of it runs."""

    id: str
    live: bool
    role: Role
    active: bool = True
    votes: int = 1
    accounts: dict[Address, bool] = field(default_factory=dict)
    """Further accounts, and whether each is active."""


@dataclass
class Node:
    """A node on the ledger."""

    id: bytes
    organisation: str
    live: bool
    power: int
    active: bool = True


@dataclass
class Members:
    """What should stand on the ledger."""

    draw: random.Random
    organisations: dict[str, Organisation] = field(default_factory=dict)
    nodes: dict[bytes, Node] = field(default_factory=dict)
    _count: int = 0

    def powers(self) -> dict[bytes, int]:
        """Effective power by node."""
        return {
            one.id: one.power
            for one in self.nodes.values()
            if one.power and one.active and self.organisations[one.organisation].active
        }

    def changes(self, count: int) -> list[tuple[str, Call]]:
        """So many calls for one proposal, each with what it is; they are applied here at once."""
        found: list[tuple[str, Call]] = []
        before = self.powers()
        while len(found) < count:
            saved = copy.deepcopy((self.organisations, self.nodes))
            name, change = self._pick()
            call = change()
            if call is not None and self._is_safe(before):
                found.append((name, call))
            else:
                self.organisations, self.nodes = saved
        return found

    def _is_safe(self, before: dict[bytes, int]) -> bool:
        """Enough of the old power stays, and any three of those that run decide for all."""
        after = self.powers()
        total = sum(after.values())
        kept = sum(min(power, before.get(node, 0)) for node, power in after.items())
        live = sorted(power for node, power in after.items() if self.nodes[node].live)
        voters = [one for one in self.organisations.values() if one.active and one.votes]
        return (
            kept * 3 > total * 2
            and total - sum(live) <= total * GHOST_SHARE
            and sum(live[:-1]) * 3 > total * 2
            and sum(one.votes for one in voters if one.live) * 3
            > sum(one.votes for one in voters) * 2
        )

    def _pick(self) -> tuple[str, Callable[[], Call | None]]:
        weighted = (
            (3, "organisation added", self._add_organisation),
            (6, "organisation suspended or back", self._toggle_organisation),
            (2, "role", self._role),
            (2, "profile", self._profile),
            (3, "votes", self._votes),
            (4, "account added", self._add_account),
            (4, "account suspended or back", self._toggle_account),
            (4, "node added", self._add_node),
            (6, "node suspended or back", self._toggle_node),
            (8, "power", self._power),
            (1, "node removed", self._remove_node),
            (2, "endpoints", self._endpoints),
            (1, "witness key", self._witness_key),
        )
        _, name, change = self.draw.choices(weighted, [one[0] for one in weighted])[0]
        return name, change

    # ---- each changes this and gives its call; None where there is nothing to change ------------

    def _add_organisation(self) -> Call | None:
        if len(self.organisations) >= ORGANISATIONS_MAX:
            return None
        name, role = f"ghost-{self._number()}", self.draw.choice(list(Role))
        self.organisations[name] = Organisation(name, live=False, role=role, votes=0)
        account = Address(self.draw.randbytes(20))
        return Call(CONSORTIUM_ADDRESS, add_organisation(name, role, Profile(name), account))

    def _toggle_organisation(self) -> Call | None:
        one = self._ghost()
        if one is None:
            return None
        one.active = not one.active
        status = Status.ACTIVE if one.active else Status.SUSPENDED
        return Call(CONSORTIUM_ADDRESS, set_organisation_status(one.id, status))

    def _role(self) -> Call | None:
        one = self._ghost()
        if one is None:
            return None
        one.role = self.draw.choice([role for role in Role if role is not one.role])
        return Call(CONSORTIUM_ADDRESS, set_role(one.id, one.role))

    def _profile(self) -> Call | None:
        one = self._ghost()
        if one is None:
            return None
        return Call(CONSORTIUM_ADDRESS, set_profile(one.id, Profile(f"Ghost {self._number()}")))

    def _votes(self) -> Call | None:
        one = self.draw.choice(list(self.organisations.values()))
        choices = (2, 3, 4) if one.live else (0, 1)
        one.votes = self.draw.choice([votes for votes in choices if votes != one.votes])
        return Call(GOVERNANCE_ADDRESS, set_votes(one.id, one.votes))

    def _add_account(self) -> Call | None:
        one = self._ghost()
        if one is None or len(one.accounts) >= ACCOUNTS_MAX:
            return None
        account = Address(self.draw.randbytes(20))
        one.accounts[account] = True
        return Call(CONSORTIUM_ADDRESS, add_account(one.id, account))

    def _toggle_account(self) -> Call | None:
        one = self._one(one for one in self.organisations.values() if one.accounts)
        if one is None:
            return None
        account = self.draw.choice(list(one.accounts))
        one.accounts[account] = not one.accounts[account]
        status = Status.ACTIVE if one.accounts[account] else Status.SUSPENDED
        return Call(CONSORTIUM_ADDRESS, set_account_status(account, status))

    def _add_node(self) -> Call | None:
        owner = self._ghost()
        if owner is None or len(self.nodes) >= NODES_MAX:
            return None
        node, power = self.draw.randbytes(20), self.draw.choice((0, 1, 1, 2))
        self.nodes[node] = Node(node, owner.id, live=False, power=power)
        key = Ed25519Key(self.draw.randbytes(32)).public_key
        contact = Contact("198.18.0.200:26656", "", self._witness(node))
        return Call(NETWORK_ADDRESS, add_node(FoundingNode(node, owner.id, power, key, contact)))

    def _toggle_node(self) -> Call | None:
        one = self._node(live=False)
        if one is None:
            return None
        one.active = not one.active
        status = NodeStatus.ACTIVE if one.active else NodeStatus.SUSPENDED
        return Call(NETWORK_ADDRESS, set_node_status(one.id, status))

    def _power(self) -> Call | None:
        one = self._node(live=self.draw.random() < 0.7)
        if one is None:
            return None
        choices = range(8, 13) if one.live else range(3)
        one.power = self.draw.choice([power for power in choices if power != one.power])
        return Call(NETWORK_ADDRESS, set_power(one.id, one.power))

    def _remove_node(self) -> Call | None:
        one = self._node(live=False)
        if one is None:
            return None
        del self.nodes[one.id]
        return Call(NETWORK_ADDRESS, remove_node(one.id))

    def _endpoints(self) -> Call | None:
        one = self._node(live=False)
        if one is None:
            return None
        text = f"198.18.0.200:{1024 + self._number()}"
        return Call(NETWORK_ADDRESS, set_endpoints(one.id, text, ""))

    def _witness_key(self) -> Call | None:
        one = self._node(live=False)
        if one is None:
            return None
        return Call(NETWORK_ADDRESS, rotate_witness_key(one.id, self._witness(one.id)))

    # ---- help -----------------------------------------------------------------------------------

    def _witness(self, node: bytes) -> str:
        key = Ed25519Key(self.draw.randbytes(32))
        name = f"tallystick.example/ghost/{node.hex()[:12]}"
        return NoteSigner(name, key, SignatureType.COSIGNATURE).verifier.vkey

    def _number(self) -> int:
        self._count += 1
        return self._count

    def _ghost(self) -> Organisation | None:
        return self._one(one for one in self.organisations.values() if not one.live)

    def _node(self, *, live: bool) -> Node | None:
        return self._one(one for one in self.nodes.values() if one.live is live)

    def _one(self, among: Iterable[_One]) -> _One | None:
        found = list(among)
        return self.draw.choice(found) if found else None
