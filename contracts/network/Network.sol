// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "@openzeppelin/contracts/utils/Bytes.sol";
import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import {IConsortium} from "../consortium/interfaces/IConsortium.sol";
import {IAuthorised} from "../governance/interfaces/IAuthorised.sol";
import {INetwork} from "./interfaces/INetwork.sol";

/// @title Network
/// @notice Register of nodes and validators.
/// @dev The order of the state variables is read by nodes and written by genesis: `_ids` (whose first
/// word is that of its array of values) stays at slot 0 and `_nodes` at slot 2.
contract Network is INetwork {
    using Bytes for bytes;
    using EnumerableSet for EnumerableSet.Bytes32Set;

    uint256 private constant NODES_MAX = 128;
    /// @dev 128 times this is far below CometBFT's bound of 2^60 for the whole.
    uint64 private constant POWER_MAX = 1_000_000_000;
    uint256 private constant P2P_BYTES_MAX = 256;
    uint256 private constant API_BYTES_MAX = 512;
    uint256 private constant WITNESS_KEY_BYTES_MAX = 512;
    uint256 private constant ROTATION_INTERVAL = 10 minutes;

    /// @inheritdoc INetwork
    IConsortium public immutable consortium;

    EnumerableSet.Bytes32Set private _ids;
    mapping(bytes32 id => Node) private _nodes;
    /// @dev Of node ids, validator keys, and hashes of witnesses' names and keys; never cleared.
    mapping(bytes32 idOrKey => bytes32 organisation) private _owners;
    /// @dev Which node uses a key or a name now.
    mapping(bytes32 key => bytes32 id) private _users;
    bytes32[] private _settledKeys;
    mapping(bytes32 key => uint64 power) private _settledPowers;
    uint128 private _settledPower;
    uint128 private _settledBlock;

    constructor(IConsortium members) {
        consortium = members;
    }

    modifier onlyAuthority() {
        if (msg.sender != authority()) revert NotAuthority(msg.sender);
        _;
    }

    /// @dev An organisation's own accounts act on their own; what the authority does is settled by
    /// Governance once all calls of a proposal are made.
    modifier onlyAdministrator(bytes32 id) {
        if (msg.sender != authority()) {
            bytes32 own = consortium.administers(msg.sender);
            if (own == bytes32(0) || own != _nodes[id].organisation) revert NotNodeAdministrator(msg.sender, id);
        }
        _;
    }

    // ---- nodes --------------------------------------------------------------------------------

    /// @inheritdoc INetwork
    function addNode(
        bytes32 id,
        bytes32 organisation,
        uint64 power,
        bytes32 validatorKey,
        Contact calldata contact
    ) external onlyAuthority {
        if (bytes20(id) == 0 || uint256(id) << 160 != 0) revert InvalidNodeId(id);
        _checkMember(organisation);
        if (power > POWER_MAX) revert InvalidPower(power);
        if (power != 0 && validatorKey == 0) revert ValidatorKeyMissing(id);
        _checkEndpoints(contact.p2p, contact.api);
        if (!_ids.add(id)) revert NodeExists(id);
        if (_ids.length() > NODES_MAX) revert TooManyNodes();
        _own(id, organisation);
        if (validatorKey != 0) _use(id, organisation, validatorKey);
        (bytes32 name, bytes32 witnessKey) = _witnessIds(contact.witnessKey);
        _use(id, organisation, name);
        _use(id, organisation, witnessKey);
        _nodes[id] = Node({
            organisation: organisation,
            status: Status.Active,
            power: power,
            validatorKey: validatorKey,
            rotatedAt: 0,
            contact: contact
        });
        emit NodeAdded(
            id, organisation, msg.sender, power, validatorKey, contact.p2p, contact.api, contact.witnessKey
        );
    }

    /// @inheritdoc INetwork
    function removeNode(bytes32 id) external onlyAuthority {
        Node storage subject = _known(id);
        bytes32 organisation = subject.organisation;
        delete _users[subject.validatorKey];
        (bytes32 name, bytes32 witnessKey) = _witnessIds(subject.contact.witnessKey);
        delete _users[name];
        delete _users[witnessKey];
        delete _nodes[id];
        // A known node is in the set, so the answer is always true.
        assert(_ids.remove(id));
        emit NodeRemoved(id, organisation, msg.sender);
    }

    /// @inheritdoc INetwork
    function setNodeStatus(bytes32 id, Status status) external onlyAuthority {
        Node storage subject = _known(id);
        if (status == Status.None) revert InvalidStatus();
        if (status == subject.status) revert Unchanged();
        subject.status = status;
        emit NodeStatusChanged(id, msg.sender, status);
    }

    /// @inheritdoc INetwork
    function setPower(bytes32 id, uint64 power) external onlyAuthority {
        Node storage subject = _known(id);
        if (power > POWER_MAX) revert InvalidPower(power);
        if (power != 0 && subject.validatorKey == 0) revert ValidatorKeyMissing(id);
        if (power == subject.power) revert Unchanged();
        subject.power = power;
        emit NodePowerChanged(id, msg.sender, power);
    }

    // ---- what an organisation does itself -------------------------------------------------------

    /// @inheritdoc INetwork
    function setEndpoints(bytes32 id, string calldata p2p, string calldata api) external onlyAdministrator(id) {
        Contact storage contact = _known(id).contact;
        _checkEndpoints(p2p, api);
        contact.p2p = p2p;
        contact.api = api;
        emit NodeEndpointsChanged(id, msg.sender, p2p, api);
    }

    /// @inheritdoc INetwork
    function rotateWitnessKey(bytes32 id, string calldata witnessKey) external onlyAdministrator(id) {
        Node storage subject = _known(id);
        (bytes32 name, bytes32 former) = _witnessIds(subject.contact.witnessKey);
        (bytes32 nextName, bytes32 next) = _witnessIds(witnessKey);
        // Verifiers count names: with a new one each time, one node would be many.
        if (nextName != name) revert WitnessNameChanged(id);
        if (next == former) revert Unchanged();
        delete _users[former];
        _use(id, subject.organisation, next);
        subject.contact.witnessKey = witnessKey;
        emit NodeWitnessKeyChanged(id, msg.sender, witnessKey);
    }

    /// @inheritdoc INetwork
    function rotateValidatorKey(bytes32 id, bytes32 validatorKey) external onlyAdministrator(id) {
        Node storage subject = _known(id);
        if (validatorKey == 0 && subject.power != 0) revert ValidatorKeyMissing(id);
        if (validatorKey == subject.validatorKey) revert Unchanged();
        delete _users[subject.validatorKey];
        if (validatorKey != 0) _use(id, subject.organisation, validatorKey);
        subject.validatorKey = validatorKey;
        bool own = msg.sender != authority();
        if (own) {
            uint256 again = uint256(subject.rotatedAt) + ROTATION_INTERVAL;
            if (subject.rotatedAt != 0 && block.timestamp < again) revert RotatedRecently(id, again);
            subject.rotatedAt = uint48(block.timestamp);
        }
        emit NodeValidatorKeyChanged(id, msg.sender, validatorKey);
        if (own) settle();
    }

    // ---- settlement ---------------------------------------------------------------------------

    /// @inheritdoc INetwork
    function settle() public {
        (bytes32[] memory keys, uint64[] memory powers, uint256 total, uint256 remaining, bool changed) = _count();
        uint256 before = _settledPower;
        if (!changed && total == before) return;
        if (before != 0) {
            if (total == 0) revert NoValidatorLeft();
            if (remaining * 3 <= total * 2) revert QuorumLost(remaining, total);
        }
        if (_settledBlock >= block.number) revert ChangedInThisBlock();
        _keep(keys, powers);
        _settledPower = uint128(total);
        _settledBlock = uint128(block.number);
        emit ValidatorsSettled(keys.length, total);
    }

    /// @dev Validators by key with their effective powers; their sum; how much of it the validators of
    /// before hold; and whether one of them has another power than before.
    function _count()
        private
        view
        returns (bytes32[] memory keys, uint64[] memory powers, uint256 total, uint256 remaining, bool changed)
    {
        bytes32[] memory ids = _ids.values();
        uint64[] memory effective = new uint64[](ids.length);
        uint256 count = 0;
        for (uint256 i = 0; i < ids.length; ++i) {
            effective[i] = effectivePower(ids[i]);
            if (effective[i] != 0) ++count;
        }
        keys = new bytes32[](count);
        powers = new uint64[](count);
        for (uint256 i = ids.length; i > 0; --i) {
            uint64 power = effective[i - 1];
            if (power == 0) continue;
            bytes32 key = _nodes[ids[i - 1]].validatorKey;
            uint64 before = _settledPowers[key];
            total += power;
            remaining += power < before ? power : before;
            changed = changed || power != before;
            --count;
            (keys[count], powers[count]) = (key, power);
        }
    }

    function _keep(bytes32[] memory keys, uint64[] memory powers) private {
        bytes32[] memory former = _settledKeys;
        for (uint256 i = 0; i < former.length; ++i) delete _settledPowers[former[i]];
        for (uint256 i = 0; i < keys.length; ++i) _settledPowers[keys[i]] = powers[i];
        _settledKeys = keys;
    }

    // ---- answers ------------------------------------------------------------------------------

    /// @inheritdoc IAuthorised
    function authority() public view returns (address) {
        return consortium.authority();
    }

    /// @inheritdoc INetwork
    function node(bytes32 id) external view returns (Node memory) {
        return _nodes[id];
    }

    /// @inheritdoc INetwork
    function nodeCount() external view returns (uint256) {
        return _ids.length();
    }

    /// @inheritdoc INetwork
    function nodeIds(uint256 start, uint256 end) external view returns (bytes32[] memory) {
        return _ids.values(start, end);
    }

    /// @inheritdoc INetwork
    function effectivePower(bytes32 id) public view returns (uint64) {
        Node storage subject = _nodes[id];
        if (subject.status != Status.Active || subject.power == 0) return 0;
        bool member = consortium.statusOf(subject.organisation) == IConsortium.Status.Active;
        return member ? subject.power : 0;
    }

    /// @inheritdoc INetwork
    function settledValidators() external view returns (bytes32[] memory keys, uint64[] memory powers) {
        keys = _settledKeys;
        powers = new uint64[](keys.length);
        for (uint256 i = 0; i < keys.length; ++i) powers[i] = _settledPowers[keys[i]];
    }

    /// @inheritdoc INetwork
    function settled() external view returns (uint256 power, uint256 blockNumber) {
        return (_settledPower, _settledBlock);
    }

    /// @inheritdoc INetwork
    function ownerOf(bytes32 idOrKey) external view returns (bytes32) {
        return _owners[idOrKey];
    }

    // ---- checks -------------------------------------------------------------------------------

    function _known(bytes32 id) private view returns (Node storage subject) {
        subject = _nodes[id];
        if (subject.status == Status.None) revert UnknownNode(id);
    }

    function _checkMember(bytes32 organisation) private view {
        IConsortium.Status standing = consortium.statusOf(organisation);
        bool member = standing == IConsortium.Status.Active || standing == IConsortium.Status.Suspended;
        if (!member) revert OrganisationNotMember(organisation);
    }

    /// @dev The id or key is nobody's yet, or this organisation's.
    function _own(bytes32 idOrKey, bytes32 organisation) private {
        bytes32 owner = _owners[idOrKey];
        if (owner == bytes32(0)) _owners[idOrKey] = organisation;
        else if (owner != organisation) revert AlreadyTaken(idOrKey);
    }

    function _use(bytes32 id, bytes32 organisation, bytes32 key) private {
        _own(key, organisation);
        if (_users[key] != bytes32(0)) revert AlreadyTaken(key);
        _users[key] = id;
    }

    /// @dev Of a C2SP verifier key `name+id+key`: hashes of the name and of the key. The name is hashed twice,
    /// so that no key can be written that would take a name. What has no such parts nobody can verify with.
    function _witnessIds(string memory witnessKey) private pure returns (bytes32 name, bytes32 key) {
        _checkText(witnessKey, WITNESS_KEY_BYTES_MAX);
        bytes memory raw = bytes(witnessKey);
        uint256 nameEnd = raw.indexOf("+");
        uint256 start = nameEnd == type(uint256).max ? 0 : raw.indexOf("+", nameEnd + 1);
        name = keccak256(abi.encode(keccak256(raw.slice(0, nameEnd))));
        key = keccak256(raw.slice(start == 0 || start == type(uint256).max ? 0 : start + 1));
    }

    function _checkEndpoints(string calldata p2p, string calldata api) private pure {
        _checkText(p2p, P2P_BYTES_MAX);
        if (bytes(api).length != 0) _checkText(api, API_BYTES_MAX);
    }

    /// @dev Printable ASCII without spaces, at least one character.
    function _checkText(string memory text, uint256 bytesMax) private pure {
        bytes memory raw = bytes(text);
        if (raw.length == 0 || raw.length > bytesMax) revert InvalidText(text);
        for (uint256 i = 0; i < raw.length; ++i) {
            if (raw[i] <= 0x20 || raw[i] >= 0x7f) revert InvalidText(text);
        }
    }
}
