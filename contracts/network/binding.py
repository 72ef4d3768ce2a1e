"""Calls and logs of the Network contract."""

from __future__ import annotations

from typing import Final

from contracts.abi import Function
from contracts.consortium.ids import organisation_id_text, organisation_id_word
from contracts.errors import CalldataError, CalldataValueError, OrganisationIdError
from contracts.events import LogDecoder, Values, address_of
from contracts.network.genesis import (
    NETWORK_ARTIFACT,
    NODE_ID_SIZE_BYTES,
    NODES_MAX,
    POWER_MAX,
    check_contact,
    node_id_word,
)
from contracts.network.types import (
    Contact,
    FoundingNode,
    NetworkEvent,
    NodeAdded,
    NodeEndpointsChanged,
    NodePowerChanged,
    NodeRemoved,
    NodeStatus,
    NodeStatusChanged,
    NodeValidatorKeyChanged,
    NodeWitnessKeyChanged,
    ValidatorsSettled,
)
from ledger.types import Log


def _function(name: str) -> Function:
    return Function.of(NETWORK_ARTIFACT, name)


_ADD_NODE: Final = _function("addNode")
_REMOVE_NODE: Final = _function("removeNode")
_SET_NODE_STATUS: Final = _function("setNodeStatus")
_SET_POWER: Final = _function("setPower")
_SET_ENDPOINTS: Final = _function("setEndpoints")
_ROTATE_WITNESS_KEY: Final = _function("rotateWitnessKey")
_ROTATE_VALIDATOR_KEY: Final = _function("rotateValidatorKey")
_NODE: Final = _function("node")
_NODE_IDS: Final = _function("nodeIds")
_SETTLED: Final = _function("settled")
_SETTLED_VALIDATORS: Final = _function("settledValidators")

# ---- calldata -----------------------------------------------------------------------------------
# All raise `CalldataValueError`, `GenesisError` or `OrganisationIdError` for what does not fit.


def add_node(node: FoundingNode) -> bytes:
    """Admit a node. For a proposal."""
    check_contact(node.contact)
    _check_power(node.power)
    if node.power and node.validator_key is None:
        raise CalldataValueError("addNode: a node with power has a validator key")
    contact = node.contact
    return _ADD_NODE.calldata(
        node_id_word(node.id),
        organisation_id_word(node.organisation),
        node.power,
        node.validator_key or bytes(32),
        (contact.p2p, contact.api, contact.witness_key),
    )


def remove_node(node: bytes) -> bytes:
    """Remove a node for good. For a proposal."""
    return _REMOVE_NODE.calldata(node_id_word(node))


def set_node_status(node: bytes, status: NodeStatus) -> bytes:
    """Suspend or reactivate a node. For a proposal."""
    return _SET_NODE_STATUS.calldata(node_id_word(node), int(status))


def set_power(node: bytes, power: int) -> bytes:
    """Set a validator's voting power. For a proposal."""
    _check_power(power)
    return _SET_POWER.calldata(node_id_word(node), power)


def set_endpoints(node: bytes, p2p: str, api: str) -> bytes:
    """Change how a node is reached. For its organisation's own accounts, or a proposal."""
    check_contact(Contact(p2p, api, "-"))
    return _SET_ENDPOINTS.calldata(node_id_word(node), p2p, api)


def rotate_witness_key(node: bytes, witness_key: str) -> bytes:
    """Replace the key that vouches. For its organisation's own accounts, or a proposal."""
    check_contact(Contact("-", "", witness_key))
    return _ROTATE_WITNESS_KEY.calldata(node_id_word(node), witness_key)


def rotate_validator_key(node: bytes, validator_key: bytes | None) -> bytes:
    """Replace the key that votes on blocks; None takes it from a node without power.

    For its organisation's own accounts (at most once in ten minutes), or a proposal.
    """
    if validator_key is not None and (len(validator_key) != 32 or not any(validator_key)):
        raise CalldataValueError("rotateValidatorKey: a validator key is 32 bytes and not zero")
    return _ROTATE_VALIDATOR_KEY.calldata(node_id_word(node), validator_key or bytes(32))


def _check_power(power: int) -> None:
    if not 0 <= power <= POWER_MAX:
        raise CalldataValueError(f"power {power} is not within 0 to {POWER_MAX}")


# ---- answers ------------------------------------------------------------------------------------


def node_ids_calldata() -> bytes:
    """Calldata of `nodeIds` for all of them, to be called, not sent."""
    return _NODE_IDS.calldata(0, NODES_MAX)


def decode_node_ids(output: bytes) -> tuple[bytes, ...]:
    """Ids of all nodes, 20 bytes each. Raises `CalldataError`."""
    return tuple(_id(word) for word in _NODE_IDS.result(output)[0])


def node_calldata(node: bytes) -> bytes:
    """Calldata of `node`, to be called, not sent."""
    return _NODE.calldata(node_id_word(node))


def decode_node(node: bytes, output: bytes) -> tuple[FoundingNode, NodeStatus] | None:
    """The node of that id and its standing; None where it is unknown. Raises `CalldataError`."""
    ((organisation, status, power, validator_key, _, contact),) = _NODE.result(output)
    if status == 0:
        return None
    try:
        owner = organisation_id_text(organisation)
        found = FoundingNode(node, owner, power, _key(validator_key), Contact(*contact))
        return found, NodeStatus(status)
    except (OrganisationIdError, ValueError) as error:
        raise CalldataError(f"result of node: {error}") from error


def settled_calldata() -> bytes:
    """Calldata of `settled`, to be called, not sent."""
    return _SETTLED.calldata()


def decode_settled(output: bytes) -> tuple[int, int]:
    """Sum of the settled powers and the block of the last change. Raises `CalldataError`."""
    power, block_number = _SETTLED.result(output)
    return power, block_number


def settled_validators_calldata() -> bytes:
    """Calldata of `settledValidators`, to be called, not sent."""
    return _SETTLED_VALIDATORS.calldata()


def decode_settled_validators(output: bytes) -> dict[bytes, int]:
    """Powers by validator key, as last settled. Raises `CalldataError`."""
    keys, powers = _SETTLED_VALIDATORS.result(output)
    if len(keys) != len(powers):
        raise CalldataError("settledValidators: keys and powers are not of one length")
    return dict(zip(keys, powers, strict=True))


def decode_add_node(calldata: bytes) -> FoundingNode:
    """What a call of `addNode` would admit. Raises `CalldataError`."""
    node, organisation, power, validator_key, contact = _ADD_NODE.arguments(calldata)
    try:
        owner = organisation_id_text(organisation)
    except OrganisationIdError as error:
        raise CalldataError(f"addNode: {error}") from error
    return FoundingNode(_id(node), owner, power, _key(validator_key), Contact(*contact))


# ---- logs ---------------------------------------------------------------------------------------


def decode_log(log: Log) -> NetworkEvent:
    """The event in a log of the contract. Raises `LogError` where it is none of its events."""
    return _EVENTS.decode(log)


def _id(word: bytes) -> bytes:
    return word[:NODE_ID_SIZE_BYTES]


def _key(word: bytes) -> bytes | None:
    return word if any(word) else None


def _node_added(values: Values) -> NetworkEvent:
    return NodeAdded(
        node=_id(values["node"]),
        organisation=organisation_id_text(values["organisation"]),
        by=address_of(values["by"]),
        power=values["power"],
        validator_key=_key(values["validatorKey"]),
        contact=Contact(values["p2p"], values["api"], values["witnessKey"]),
    )


def _node_removed(values: Values) -> NetworkEvent:
    organisation = organisation_id_text(values["organisation"])
    return NodeRemoved(_id(values["node"]), organisation, address_of(values["by"]))


def _status_changed(values: Values) -> NetworkEvent:
    status = NodeStatus(values["status"])
    return NodeStatusChanged(_id(values["node"]), address_of(values["by"]), status)


def _power_changed(values: Values) -> NetworkEvent:
    return NodePowerChanged(_id(values["node"]), address_of(values["by"]), values["power"])


def _endpoints_changed(values: Values) -> NetworkEvent:
    node, by = _id(values["node"]), address_of(values["by"])
    return NodeEndpointsChanged(node, by, values["p2p"], values["api"])


def _witness_key_changed(values: Values) -> NetworkEvent:
    node, by = _id(values["node"]), address_of(values["by"])
    return NodeWitnessKeyChanged(node, by, values["witnessKey"])


def _validator_key_changed(values: Values) -> NetworkEvent:
    node, by = _id(values["node"]), address_of(values["by"])
    return NodeValidatorKeyChanged(node, by, _key(values["validatorKey"]))


def _settled(values: Values) -> NetworkEvent:
    return ValidatorsSettled(values["validators"], values["power"])


_EVENTS: Final = LogDecoder[NetworkEvent](
    NETWORK_ARTIFACT,
    NodeAdded=_node_added,
    NodeRemoved=_node_removed,
    NodeStatusChanged=_status_changed,
    NodePowerChanged=_power_changed,
    NodeEndpointsChanged=_endpoints_changed,
    NodeWitnessKeyChanged=_witness_key_changed,
    NodeValidatorKeyChanged=_validator_key_changed,
    ValidatorsSettled=_settled,
)
