// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAuthorised} from "../../governance/interfaces/IAuthorised.sol";
import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";

/// @title The consortium's nodes: whose they are, how they are reached, and which of them validate
/// @notice Nodes read the same storage (docs/consortium.md, "Who is in"): a `bytes32[]` of node ids, and of
/// each node word 0 the organisation, word 1 the status in its lowest byte and the power in the next eight,
/// word 2 the Ed25519 validator key.
///
/// A validator's effective power is its power while its node and its organisation are active, otherwise 0.
/// Whatever changes effective powers is followed by `settle`, which refuses changes that the validators of
/// before could not carry alone.
interface INetwork is IAuthorised {
    enum Status {
        None,
        Active,
        Suspended
    }

    /// @param p2p Where peers reach the node: `host:port`
    /// @param api Base address of its HTTP interface; may be empty
    /// @param witnessKey C2SP verifier key (`name+hash+key`) of its checkpoint and witness signatures
    struct Contact {
        string p2p;
        string api;
        string witnessKey;
    }

    /// @param validatorKey Ed25519 public key; zero for a node that does not validate
    /// @param rotatedAt Time of the last rotation of the validator key by the organisation itself
    struct Node {
        bytes32 organisation;
        Status status;
        uint64 power;
        bytes32 validatorKey;
        uint48 rotatedAt;
        Contact contact;
    }

    event NodeAdded(
        bytes32 indexed node,
        bytes32 indexed organisation,
        address indexed by,
        uint64 power,
        bytes32 validatorKey,
        string p2p,
        string api,
        string witnessKey
    );
    event NodeRemoved(bytes32 indexed node, bytes32 indexed organisation, address indexed by);
    event NodeStatusChanged(bytes32 indexed node, address indexed by, Status status);
    event NodePowerChanged(bytes32 indexed node, address indexed by, uint64 power);
    event NodeEndpointsChanged(bytes32 indexed node, address indexed by, string p2p, string api);
    event NodeWitnessKeyChanged(bytes32 indexed node, address indexed by, string witnessKey);
    event NodeValidatorKeyChanged(bytes32 indexed node, address indexed by, bytes32 validatorKey);
    /// @notice The validators and their effective powers are others than before.
    event ValidatorsSettled(uint256 validators, uint256 power);

    /// @notice Only the authority or an active account of the node's organisation may do this.
    error NotNodeAdministrator(address caller, bytes32 node);
    /// @notice A node id is 20 bytes, left-aligned, not zero.
    error InvalidNodeId(bytes32 node);
    error NodeExists(bytes32 node);
    error UnknownNode(bytes32 node);
    error TooManyNodes();
    /// @notice The organisation is unknown or revoked.
    error OrganisationNotMember(bytes32 organisation);
    /// @notice A node id or key that another organisation has or had, or that another node uses now.
    error AlreadyTaken(bytes32 idOrKey);
    /// @notice A node keeps the name under which it vouches.
    error WitnessNameChanged(bytes32 node);
    error InvalidStatus();
    error InvalidPower(uint64 power);
    /// @notice A node without a validator key has no power, and one with power keeps a key.
    error ValidatorKeyMissing(bytes32 node);
    /// @notice The text is empty where it must not be, too long, or not printable ASCII without spaces.
    error InvalidText(string text);
    error Unchanged();
    /// @notice The organisation rotated this node's validator key a short while ago.
    error RotatedRecently(bytes32 node, uint256 again);
    /// @notice Validators of before would hold `remaining` of `total` power: no more than two thirds.
    error QuorumLost(uint256 remaining, uint256 total);
    error NoValidatorLeft();
    /// @notice Effective powers change at most once in a block.
    error ChangedInThisBlock();

    /// @notice Admit a node. The authority only.
    function addNode(
        bytes32 id,
        bytes32 organisation,
        uint64 power,
        bytes32 validatorKey,
        Contact calldata contact
    ) external;

    /// @notice Remove a node for good; its id and keys stay with its organisation. The authority only.
    function removeNode(bytes32 id) external;

    /// @notice Suspend or reactivate a node. The authority only.
    function setNodeStatus(bytes32 id, Status status) external;

    /// @notice Set a validator's voting power; 0 for none. The authority only.
    function setPower(bytes32 id, uint64 power) external;

    /// @notice Change how the node is reached. Its organisation's accounts, or the authority.
    function setEndpoints(bytes32 id, string calldata p2p, string calldata api) external;

    /// @notice Replace the key that vouches for checkpoints; its name stays. Its organisation's accounts, or the
    /// authority.
    function rotateWitnessKey(bytes32 id, string calldata witnessKey) external;

    /// @notice Replace the key that votes on blocks. Its organisation's accounts (at most once in ten minutes,
    /// so that nobody can keep others' changes out of every block), or the authority.
    function rotateValidatorKey(bytes32 id, bytes32 validatorKey) external;

    /// @notice Compare effective powers with those of before, refuse what breaks a rule, and keep the new ones.
    /// Anybody may call; without a change nothing happens.
    function settle() external;

    /// @notice Who the organisations are.
    function consortium() external view returns (IConsortium);

    /// @notice The node; its status is `None` where the id is unknown.
    function node(bytes32 id) external view returns (Node memory);

    function nodeCount() external view returns (uint256);

    /// @notice Ids of nodes `[start, end)`; `end` is cut to the count. A removal changes the order.
    function nodeIds(uint256 start, uint256 end) external view returns (bytes32[] memory);

    /// @notice Power that counts now: 0 unless node and organisation are active.
    function effectivePower(bytes32 id) external view returns (uint64);

    /// @notice The validators of the last settlement and their powers.
    function settledValidators() external view returns (bytes32[] memory keys, uint64[] memory powers);

    /// @notice Sum of the settled powers, and the block of the last change.
    function settled() external view returns (uint256 power, uint256 blockNumber);

    /// @notice The organisation that a node id or key belongs to for ever, zero where nobody's. The key of
    /// a witness (what follows the second `+`) is asked for by its keccak-256, its name by that of its keccak-256.
    function ownerOf(bytes32 idOrKey) external view returns (bytes32);
}
