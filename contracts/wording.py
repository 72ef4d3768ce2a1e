"""Proposals in words: what each call would do, for people who vote on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from contracts.abi import Function
from contracts.artifact import Artifact
from contracts.consortium import Role, Status, organisation_id_text
from contracts.consortium.genesis import CONSORTIUM_ARTIFACT
from contracts.directory.genesis import DIRECTORY_ARTIFACT, contract_name_text
from contracts.errors import ContractError
from contracts.genesis import (
    CONSORTIUM_ADDRESS,
    DIRECTORY_ADDRESS,
    GOVERNANCE_ADDRESS,
    NETWORK_ADDRESS,
    PARAMETERS_ADDRESS,
)
from contracts.governance.genesis import GOVERNANCE_ARTIFACT
from contracts.governance.types import Call, Threshold
from contracts.network.genesis import NETWORK_ARTIFACT, NODE_ID_SIZE_BYTES
from contracts.network.types import NodeStatus
from contracts.parameters.genesis import PARAMETERS_ARTIFACT
from ledger.state.keccak import keccak
from ledger.types import Address

Words = Callable[..., str]
_RAW_BYTES_MAX: Final = 36
"""Selector and one argument."""


@dataclass(frozen=True, slots=True)
class Described:
    """A call as people read it."""

    contract: str
    """Name of the contract, or its address in hex where it is not known."""
    function: str
    """Name, or the selector in hex."""
    words: str
    """One sentence without a full stop: `suspend organisation green-valley`."""


def describe(call: Call, contracts: Mapping[str, Address] | None = None) -> Described:
    """Put a call into words. Never raises: what is not known is told as bytes.

    `contracts` are addresses by name, as genesis has them; by default the usual ones.
    """
    places = {address: name for name, address in (contracts or _PLACES).items()}
    name = places.get(call.target, "")
    known = _KNOWN.get(name, {}).get(call.selector)
    contract = name or f"0x{call.target.hex()}"
    raw = f"call {contract}: {_raw(call.data)}"
    if known is None:
        return Described(contract, f"0x{call.selector.hex()}", raw)
    function, words = known
    try:
        return Described(contract, function.name, words(*function.arguments(call.data)))
    except (ContractError, ValueError, LookupError):
        return Described(contract, function.name, raw)


def function_name(target: Address, selector: bytes) -> str:
    """`consortium.setRole` for a known function, otherwise address and selector in hex."""
    place = {address: name for name, address in _PLACES.items()}.get(target, "")
    known = _KNOWN.get(place, {}).get(selector)
    return f"{place}.{known[0].name}" if known else f"0x{target.hex()}.0x{selector.hex()}"


def function_of(text: str) -> tuple[Address, bytes]:
    """Target and selector of `contract.function`, as `consortium.setRole`, or both in hex.

    Raises `ValueError` with what is known.
    """
    contract, _, function = text.partition(".")
    for selector, (known, _) in _KNOWN.get(contract, {}).items():
        if known.name == function:
            return _PLACES[contract], selector
    try:
        target, selector = bytes.fromhex(contract[2:]), bytes.fromhex(function[2:])
        if (len(target), len(selector)) == (20, 4) and text.startswith("0x"):
            return Address(target), selector
    except ValueError:
        pass
    names = sorted(f"{c}.{f.name}" for c, known in _KNOWN.items() for f, _ in known.values())
    raise ValueError(
        f"function {text[:60]!r} is none of {', '.join(names)}, nor 0xADDRESS.0xSELECTOR"
    )


# ---- words --------------------------------------------------------------------------------------


def _printable(text: str) -> str:
    """What others wrote must not move the cursor of who reads it."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def _raw(data: bytes) -> str:
    """Calldata in hex; of much of it the beginning, with what tells it from all other."""
    if len(data) <= _RAW_BYTES_MAX:
        return f"0x{data.hex()}"
    return (
        f"0x{data[:_RAW_BYTES_MAX].hex()}… ({len(data)} bytes, keccak-256 0x{keccak(data).hex()})"
    )


def _profile(profile: tuple[str, str, str]) -> str:
    name, name_zh, uri = (_printable(text) for text in profile)
    # In quotes, so that none of them can go on with words of its own.
    more = [repr(text) for text in (name_zh, uri) if text]
    return f"{name!r}" + (f" ({', '.join(more)})" if more else "")


def _add_organisation(id_: bytes, role: int, profile: Any, account: str) -> str:
    return (
        f"add organisation {organisation_id_text(id_)} as {Role(role).word}, named "
        f"{_profile(profile)}, with account {account}"
    )


def _set_profile(id_: bytes, profile: Any) -> str:
    return f"name organisation {organisation_id_text(id_)} {_profile(profile)}"


def _set_role(id_: bytes, role: int) -> str:
    return f"make organisation {organisation_id_text(id_)} a {Role(role).word}"


_STATUS_VERBS: Final = {
    Status.ACTIVE: "reactivate",
    Status.SUSPENDED: "suspend",
    Status.REVOKED: "remove for ever",
}


def _set_organisation_status(id_: bytes, status: int) -> str:
    return f"{_STATUS_VERBS[Status(status)]} organisation {organisation_id_text(id_)}"


def _add_account(id_: bytes, account: str) -> str:
    return f"add account {account} to organisation {organisation_id_text(id_)}"


def _set_account_status(account: str, status: int) -> str:
    return f"{_STATUS_VERBS[Status(status)]} account {account}"


def _node(id_: bytes) -> str:
    return id_[:NODE_ID_SIZE_BYTES].hex()


def _add_node(id_: bytes, organisation: bytes, power: int, key: bytes, contact: Any) -> str:
    p2p, api, witness_key = (_printable(text) for text in contact)
    votes = f"with power {power} and validator key {key.hex()}" if any(key) else "without validator"
    return (
        f"add node {_node(id_)} of {organisation_id_text(organisation)} at {p2p}"
        f"{f' ({api})' if api else ''} {votes}, vouching as {witness_key}"
    )


def _remove_node(id_: bytes) -> str:
    return f"remove node {_node(id_)}"


def _set_node_status(id_: bytes, status: int) -> str:
    verb = {NodeStatus.ACTIVE: "reactivate", NodeStatus.SUSPENDED: "suspend"}[NodeStatus(status)]
    return f"{verb} node {_node(id_)}"


def _set_power(id_: bytes, power: int) -> str:
    return f"give node {_node(id_)} power {power}"


def _set_endpoints(id_: bytes, p2p: str, api: str) -> str:
    return f"reach node {_node(id_)} at {_printable(p2p)} ({_printable(api) or 'no API'})"


def _rotate_witness_key(id_: bytes, key: str) -> str:
    return f"let node {_node(id_)} vouch as {_printable(key)}"


def _rotate_validator_key(id_: bytes, key: bytes) -> str:
    return f"give node {_node(id_)} validator key {key.hex()}"


def _set_votes(id_: bytes, votes: int) -> str:
    return f"give organisation {organisation_id_text(id_)} {votes} vote{'' if votes == 1 else 's'}"


def _votes_of(share: tuple[int, int]) -> str:
    threshold = Threshold(*share)
    whole = threshold.numerator == threshold.denominator
    return "all votes" if whole else f"{threshold} of all votes"


def _set_default_threshold(share: tuple[int, int]) -> str:
    return f"require {_votes_of(share)} where nothing else is set"


def _set_threshold(target: str, selector: bytes, share: tuple[int, int]) -> str:
    name = function_name(Address(bytes.fromhex(target[2:])), selector)
    if share[1] == 0:
        return f"require for {name} what is required by default"
    return f"require {_votes_of(share)} for {name}"


def _add_version(name: bytes, address: str, note: str) -> str:
    more = f" ({_printable(note)})" if note else ""
    return f"make {address} the current version of contract {contract_name_text(name)}{more}"


def _set_parameter(name: bytes, value: int) -> str:
    shown = _printable(name.rstrip(b"\0").decode("latin-1"))
    return f"set {shown} back to that of genesis" if value == 0 else f"set {shown} to {value}"


def _functions(artifact: Artifact, words: Mapping[str, Words]) -> dict[bytes, tuple[Function, Any]]:
    functions = {name: Function.of(artifact, name) for name in words}
    return {functions[name].selector: (functions[name], told) for name, told in words.items()}


_PLACES: Final = {
    "consortium": CONSORTIUM_ADDRESS,
    "network": NETWORK_ADDRESS,
    "governance": GOVERNANCE_ADDRESS,
    "directory": DIRECTORY_ADDRESS,
    "parameters": PARAMETERS_ADDRESS,
}
_KNOWN: Final[Mapping[str, Mapping[bytes, tuple[Function, Words]]]] = {
    "consortium": _functions(
        CONSORTIUM_ARTIFACT,
        {
            "addOrganisation": _add_organisation,
            "setProfile": _set_profile,
            "setRole": _set_role,
            "setOrganisationStatus": _set_organisation_status,
            "addAccount": _add_account,
            "setAccountStatus": _set_account_status,
        },
    ),
    "network": _functions(
        NETWORK_ARTIFACT,
        {
            "addNode": _add_node,
            "removeNode": _remove_node,
            "setNodeStatus": _set_node_status,
            "setPower": _set_power,
            "setEndpoints": _set_endpoints,
            "rotateWitnessKey": _rotate_witness_key,
            "rotateValidatorKey": _rotate_validator_key,
        },
    ),
    "governance": _functions(
        GOVERNANCE_ARTIFACT,
        {
            "setVotes": _set_votes,
            "setDefaultThreshold": _set_default_threshold,
            "setThreshold": _set_threshold,
        },
    ),
    "directory": _functions(DIRECTORY_ARTIFACT, {"addVersion": _add_version}),
    "parameters": _functions(PARAMETERS_ARTIFACT, {"set": _set_parameter}),
}
