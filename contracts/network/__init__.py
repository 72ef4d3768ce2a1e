"""Nodes of the consortium: endpoints, keys, validators and their power."""

from contracts.genesis import (
    NETWORK_ADDRESS,
)
from contracts.network.genesis import (
    founding_nodes_of,
    genesis_account,
    nodes_layout,
)
from contracts.network.types import (
    Contact,
    FoundingNode,
    NetworkEvent,
    Node,
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

__all__ = [
    "NETWORK_ADDRESS",
    "Contact",
    "FoundingNode",
    "NetworkEvent",
    "Node",
    "NodeAdded",
    "NodeEndpointsChanged",
    "NodePowerChanged",
    "NodeRemoved",
    "NodeStatus",
    "NodeStatusChanged",
    "NodeValidatorKeyChanged",
    "NodeWitnessKeyChanged",
    "ValidatorsSettled",
    "founding_nodes_of",
    "genesis_account",
    "nodes_layout",
]
