"""What a proposal can do, in words that a person types; each becomes one or two calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from contracts import consortium, directory, governance, network, parameters
from contracts.consortium import Profile, Role, Status
from contracts.errors import ContractError
from contracts.genesis import (
    CONSORTIUM_ADDRESS,
    DIRECTORY_ADDRESS,
    GOVERNANCE_ADDRESS,
    NETWORK_ADDRESS,
    PARAMETERS_ADDRESS,
)
from contracts.governance import Call, Threshold
from contracts.network import Contact, FoundingNode, NodeStatus
from contracts.wording import function_of
from ledger.types import Address
from nodes.network.descriptor import Descriptor
from nodes.proposals.errors import ActionInvalid

SEPARATOR: Final = "and"
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")
_DATA: Final = re.compile(r"0x(?:[0-9a-fA-F]{2}){4,}")
_SHARE: Final = re.compile(r"([0-9]{1,7})/([0-9]{1,7})")


class ActionContext(Protocol):
    """What actions need to know of the ledger."""

    @property
    def origin(self) -> str:
        """Name of the log."""

    def node_named(self, text: str) -> bytes:
        """Id (20 bytes) of the node of that id or label. Raises `ActionInvalid`."""


Words = Sequence[str]


@dataclass(frozen=True, slots=True)
class Action:
    """One kind of action."""

    arguments: str
    """As `--help` shows them; those in brackets may be left out."""
    summary: str
    calls: Callable[[Words, ActionContext], list[Call]]

    @property
    def counts(self) -> tuple[int, int]:
        """Fewest and most arguments."""
        words = self.arguments.split()
        return sum(not word.startswith("[") for word in words), len(words)


def parse_actions(words: Words, context: ActionContext) -> tuple[Call, ...]:
    """The calls of `ACTION ARGUMENTS… and ACTION ARGUMENTS…`. Raises `ActionInvalid`."""
    groups: list[list[str]] = [[]]
    for word in words:
        if word == SEPARATOR:
            groups.append([])
        else:
            groups[-1].append(word)
    calls: list[Call] = []
    for group in groups:
        if not group:
            raise ActionInvalid(f"an action is missing before or after {SEPARATOR!r}")
        calls += _parse(group[0], group[1:], context)
    return tuple(calls)


def with_votes(words: Words, votes: int) -> list[str]:
    """The same with so many votes for each member to admit. Raises `ActionInvalid`."""
    groups: list[list[str]] = [[]]
    for word in words:
        if word == SEPARATOR:
            groups.append([])
        else:
            groups[-1].append(word)
    admitted = [group for group in groups if group[:1] == ["admit"]]
    if not admitted:
        raise ActionInvalid("--votes is for members to admit; set-votes for the others")
    for group in admitted:
        if len(group) == 4:
            raise ActionInvalid("votes are named twice: after the power, and by --votes")
        group += ["0"] * (3 - len(group)) + [str(votes)]
    return [word for group in groups for word in (SEPARATOR, *group)][1:]


def _parse(name: str, arguments: Words, context: ActionContext) -> list[Call]:
    action = ACTIONS.get(name)
    if action is None:
        raise ActionInvalid(f"action {name[:40]!r} is none of {', '.join(ACTIONS)}")
    fewest, most = action.counts
    if not fewest <= len(arguments) <= most:
        raise ActionInvalid(
            f"{name} is written: {name} {action.arguments} (texts with spaces in quotes)"
        )
    try:
        return action.calls(arguments, context)
    except (ContractError, ValueError) as bad:
        raise ActionInvalid(f"{name}: {bad}") from bad


# ---- arguments ----------------------------------------------------------------------------------


def _address(text: str) -> Address:
    if not _ADDRESS.fullmatch(text):
        raise ActionInvalid(f"{text[:60]!r} is no address (0x and 40 hex digits)")
    return Address(bytes.fromhex(text[2:]))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise ActionInvalid(f"{text[:40]!r} is no whole number")
    return int(text)


def _threshold(text: str) -> Threshold:
    if text == "all":
        return Threshold(1, 1)
    found = _SHARE.fullmatch(text)
    if found is None:
        raise ActionInvalid(f"{text[:40]!r} is no share: write 2/3, 3/4, … or all")
    return Threshold(int(found[1]), int(found[2]))


def _profile(name: str, rest: Words) -> Profile:
    return Profile(name, *rest)


# ---- actions ------------------------------------------------------------------------------------


def _members(data: bytes) -> list[Call]:
    return [Call(CONSORTIUM_ADDRESS, data)]


def _nodes(data: bytes) -> list[Call]:
    return [Call(NETWORK_ADDRESS, data)]


def _add_organisation(words: Words, _: ActionContext) -> list[Call]:
    id_, role, account, name, *rest = words
    data = consortium.add_organisation(id_, Role.of(role), _profile(name, rest), _address(account))
    return _members(data)


def _admit(words: Words, context: ActionContext) -> list[Call]:
    """Organisation, all its accounts, the node (by default without power), and its vote."""
    found = Descriptor.load(Path(words[0]))
    first, *others = found.accounts
    calls = [
        consortium.add_organisation(found.organisation, found.role, found.profile, first),
        *(consortium.add_account(found.organisation, account) for account in others),
    ]
    power, votes = words[1:2] or ["0"], words[2:3] or ["1"]
    made = [call for data in calls for call in _members(data)]
    made += _add_node([words[0], *power], context)
    if number := _number(*votes):
        made.append(Call(GOVERNANCE_ADDRESS, governance.set_votes(found.organisation, number)))
    return made


def _add_node(words: Words, context: ActionContext) -> list[Call]:
    found = Descriptor.load(Path(words[0]))
    node = FoundingNode(
        id=found.node_id,
        organisation=found.organisation,
        power=_number(words[1]),
        validator_key=found.validator_key,
        contact=Contact(str(found.p2p), found.api, found.witness(context.origin).vkey),
    )
    return _nodes(network.add_node(node))


def _organisation_status(status: Status) -> Callable[[Words, ActionContext], list[Call]]:
    return lambda words, _: _members(consortium.set_organisation_status(words[0], status))


def _account_status(status: Status) -> Callable[[Words, ActionContext], list[Call]]:
    return lambda words, _: _members(consortium.set_account_status(_address(words[0]), status))


def _node_status(status: NodeStatus) -> Callable[[Words, ActionContext], list[Call]]:
    return lambda words, context: _nodes(
        network.set_node_status(context.node_named(words[0]), status)
    )


def _set_endpoints(words: Words, context: ActionContext) -> list[Call]:
    node, p2p, *api = words
    return _nodes(network.set_endpoints(context.node_named(node), p2p, "".join(api)))


def _set_threshold(words: Words, _: ActionContext) -> list[Call]:
    function, share = words
    if function == "default":
        data = governance.set_default_threshold(_threshold(share))
    else:
        own = None if share == "default" else _threshold(share)
        data = governance.set_threshold(*function_of(function), own)
    return [Call(GOVERNANCE_ADDRESS, data)]


def _add_contract(words: Words, _: ActionContext) -> list[Call]:
    name, address, *note = words
    data = directory.add_version(name, _address(address), "".join(note))
    return [Call(DIRECTORY_ADDRESS, data)]


def _set_parameter(words: Words, _: ActionContext) -> list[Call]:
    name, value = words
    number = 0 if value == "default" else _number(value)
    return [Call(PARAMETERS_ADDRESS, parameters.set_parameter(name, number))]


def _call(words: Words, _: ActionContext) -> list[Call]:
    if not _DATA.fullmatch(words[1]):
        raise ActionInvalid("calldata is 0x and at least eight hex digits, an even number")
    return [Call(_address(words[0]), bytes.fromhex(words[1][2:]))]


ACTIONS: Final[dict[str, Action]] = {
    "admit": Action(
        "DESCRIPTOR.json [POWER] [VOTES]",
        "add a new member: its organisation, accounts and node; power 0 and 1 vote unless said",
        _admit,
    ),
    "add-organisation": Action(
        "ID ROLE ACCOUNT NAME [NAME-ZH] [URI]",
        "add an organisation with its first account",
        _add_organisation,
    ),
    "suspend-organisation": Action(
        "ID",
        "its accounts, devices and nodes stop counting",
        _organisation_status(Status.SUSPENDED),
    ),
    "reactivate-organisation": Action("ID", "the way back", _organisation_status(Status.ACTIVE)),
    "remove-organisation": Action("ID", "for ever", _organisation_status(Status.REVOKED)),
    "set-role": Action(
        "ID ROLE",
        "another role",
        lambda words, _: _members(consortium.set_role(words[0], Role.of(words[1]))),
    ),
    "set-profile": Action(
        "ID NAME [NAME-ZH] [URI]",
        "another name",
        lambda words, _: _members(consortium.set_profile(words[0], _profile(words[1], words[2:]))),
    ),
    "add-account": Action(
        "ID ACCOUNT",
        "an account of an organisation, where it has lost its own",
        lambda words, _: _members(consortium.add_account(words[0], _address(words[1]))),
    ),
    "suspend-account": Action("ACCOUNT", "stop an account", _account_status(Status.SUSPENDED)),
    "reactivate-account": Action("ACCOUNT", "the way back", _account_status(Status.ACTIVE)),
    "revoke-account": Action("ACCOUNT", "for ever", _account_status(Status.REVOKED)),
    "add-node": Action(
        "DESCRIPTOR.json POWER", "a node of a member; power 0 does not validate", _add_node
    ),
    "remove-node": Action(
        "NODE",
        "a node (label or id) is gone",
        lambda words, context: _nodes(network.remove_node(context.node_named(words[0]))),
    ),
    "suspend-node": Action("NODE", "a node stops counting", _node_status(NodeStatus.SUSPENDED)),
    "reactivate-node": Action("NODE", "the way back", _node_status(NodeStatus.ACTIVE)),
    "set-power": Action(
        "NODE POWER",
        "voting power of a validator",
        lambda words, context: _nodes(
            network.set_power(context.node_named(words[0]), _number(words[1]))
        ),
    ),
    "set-endpoints": Action("NODE HOST:PORT [URL]", "where a node is reached", _set_endpoints),
    "set-votes": Action(
        "ID VOTES",
        "weight of an organisation in votes; 0 for none",
        lambda words, _: [
            Call(GOVERNANCE_ADDRESS, governance.set_votes(words[0], _number(words[1])))
        ],
    ),
    "set-parameter": Action("NAME VALUE", "a bound of the ledger, or default", _set_parameter),
    "set-threshold": Action(
        "FUNCTION SHARE",
        "votes that consortium.setRole, …, or default need: 2/3, …, all, or default",
        _set_threshold,
    ),
    "add-contract": Action("NAME ADDRESS [URI]", "a new version of a contract", _add_contract),
    "call": Action("ADDRESS 0xCALLDATA", "any call of a governed contract", _call),
}
"""What can be proposed, by name."""
