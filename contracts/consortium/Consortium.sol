// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {IAuthorised} from "../governance/interfaces/IAuthorised.sol";
import {IConsortium} from "./interfaces/IConsortium.sol";

/// @title Consortium
/// @notice Register of organisations, accounts and devices. `multicall` puts several changes of an
/// organisation's own accounts and devices into one transaction. Organisations themselves are changed by
/// the authority alone: the Governance contract, which the members' votes move.
/// @dev The order of the state variables is read by block validation and written by genesis:
/// `_accounts` stays at slot 0 and `_organisations` at slot 1 (docs/architecture.md, "Permission").
contract Consortium is IConsortium, Multicall {
    using EnumerableSet for EnumerableSet.AddressSet;
    using EnumerableSet for EnumerableSet.Bytes32Set;

    uint256 private constant ORGANISATIONS_MAX = 10_000;
    uint256 private constant NAME_BYTES_MAX = 128;
    uint256 private constant URI_BYTES_MAX = 512;

    /// @inheritdoc IAuthorised
    address public immutable authority;

    mapping(address subject => Account) private _accounts;
    mapping(bytes32 id => Organisation) private _organisations;
    EnumerableSet.Bytes32Set private _ids;
    mapping(bytes32 id => EnumerableSet.AddressSet) private _members;

    /// @notice Found a consortium: one operator with one account. Genesis writes the same storage
    /// without running this.
    constructor(address governance, bytes32 id, Profile memory profile, address firstAccount) {
        if (governance == address(0)) revert NotAuthority(governance);
        authority = governance;
        _addOrganisation(id, Role.Operator, profile, firstAccount);
    }

    modifier onlyAuthority() {
        if (msg.sender != authority) revert NotAuthority(msg.sender);
        _;
    }

    // ---- organisations ------------------------------------------------------------------------

    /// @inheritdoc IConsortium
    function addOrganisation(bytes32 id, Role role, Profile calldata profile, address firstAccount)
        external
        onlyAuthority
    {
        _addOrganisation(id, role, profile, firstAccount);
    }

    /// @inheritdoc IConsortium
    function setProfile(bytes32 id, Profile calldata profile) external onlyAuthority {
        Organisation storage subject = _changeable(id);
        _checkProfile(profile);
        subject.profile = profile;
        emit OrganisationProfileChanged(id, msg.sender, profile.name, profile.nameZh, profile.uri);
    }

    /// @inheritdoc IConsortium
    function setRole(bytes32 id, Role role) external onlyAuthority {
        Organisation storage subject = _changeable(id);
        if (role == Role.None) revert InvalidRole();
        if (role == subject.role) revert Unchanged();
        subject.role = role;
        emit OrganisationRoleChanged(id, msg.sender, role);
    }

    /// @inheritdoc IConsortium
    function setOrganisationStatus(bytes32 id, Status status) external onlyAuthority {
        Organisation storage subject = _changeable(id);
        if (status == Status.None) revert InvalidStatus();
        if (status == subject.status) revert Unchanged();
        if (status == Status.Active && subject.activeAccounts == 0) revert LastAccount(id);
        subject.status = status;
        emit OrganisationStatusChanged(id, msg.sender, status);
    }

    // ---- accounts and devices -----------------------------------------------------------------

    /// @inheritdoc IConsortium
    function addAccount(bytes32 id, address newAccount) external {
        _checkAdministers(id);
        _addMember(id, newAccount, Kind.Account);
    }

    /// @inheritdoc IConsortium
    function addDevice(address device) external {
        bytes32 own = administers(msg.sender);
        if (own == bytes32(0)) revert CallerNotActive(msg.sender);
        _addMember(own, device, Kind.Device);
    }

    /// @inheritdoc IConsortium
    function setAccountStatus(address subject, Status status) external {
        bytes32 id = _accounts[subject].organisation;
        if (id == bytes32(0)) revert UnknownAccount(subject);
        _checkAdministers(id);
        _setAccountStatus(id, subject, status);
    }

    // ---- answers ------------------------------------------------------------------------------

    /// @inheritdoc IConsortium
    function organisation(bytes32 id) external view returns (Organisation memory) {
        return _organisations[id];
    }

    /// @inheritdoc IConsortium
    function account(address subject) external view returns (Account memory) {
        return _accounts[subject];
    }

    /// @inheritdoc IConsortium
    function isActive(address subject) external view returns (bool active) {
        (,, active) = standing(subject);
    }

    /// @inheritdoc IConsortium
    function organisationOf(address subject) external view returns (bytes32) {
        return _accounts[subject].organisation;
    }

    /// @inheritdoc IConsortium
    function roleOf(address subject) external view returns (Role) {
        return _organisations[_accounts[subject].organisation].role;
    }

    /// @inheritdoc IConsortium
    function standing(address subject) public view returns (bytes32 id, Role role, bool active) {
        Account storage entry = _accounts[subject];
        id = entry.organisation;
        Organisation storage owner = _organisations[id];
        role = owner.role;
        active = entry.status == Status.Active && owner.status == Status.Active;
    }

    /// @inheritdoc IConsortium
    function administers(address subject) public view returns (bytes32) {
        Account storage entry = _accounts[subject];
        bool may = entry.status == Status.Active && entry.kind == Kind.Account
            && _organisations[entry.organisation].status == Status.Active;
        return may ? entry.organisation : bytes32(0);
    }

    /// @inheritdoc IConsortium
    function statusOf(bytes32 id) external view returns (Status) {
        return _organisations[id].status;
    }

    /// @inheritdoc IConsortium
    function organisationCount() external view returns (uint256) {
        return _ids.length();
    }

    /// @inheritdoc IConsortium
    function organisationIds(uint256 start, uint256 end) external view returns (bytes32[] memory) {
        return _ids.values(start, end);
    }

    /// @inheritdoc IConsortium
    function accountCount(bytes32 id) external view returns (uint256) {
        return _members[id].length();
    }

    /// @inheritdoc IConsortium
    function accountsOf(bytes32 id, uint256 start, uint256 end) external view returns (address[] memory) {
        return _members[id].values(start, end);
    }

    // ---- changes ------------------------------------------------------------------------------

    function _addOrganisation(bytes32 id, Role role, Profile memory profile, address firstAccount) private {
        if (!_isOrganisationId(id)) revert InvalidOrganisationId(id);
        if (role == Role.None) revert InvalidRole();
        _checkProfile(profile);
        if (!_ids.add(id)) revert OrganisationExists(id);
        if (_ids.length() > ORGANISATIONS_MAX) revert TooManyOrganisations();
        _organisations[id] =
            Organisation({status: Status.Active, role: role, activeAccounts: 0, profile: profile});
        emit OrganisationAdded(id, msg.sender, role, profile.name, profile.nameZh, profile.uri);
        _addMember(id, firstAccount, Kind.Account);
    }

    function _addMember(bytes32 id, address newMember, Kind kind) private {
        Organisation storage owner = _changeable(id);
        if (newMember == address(0)) revert InvalidAccount();
        if (_accounts[newMember].status != Status.None) revert AccountExists(newMember);
        // An address without an entry in `_accounts` is in no set, so the answer is always true.
        assert(_members[id].add(newMember));
        _accounts[newMember] = Account({organisation: id, status: Status.Active, kind: kind});
        if (kind == Kind.Account) owner.activeAccounts += 1;
        emit AccountAdded(id, newMember, msg.sender, kind);
    }

    function _setAccountStatus(bytes32 id, address subject, Status status) private {
        Organisation storage owner = _changeable(id);
        Account storage entry = _accounts[subject];
        if (entry.status == Status.Revoked) revert AccountIsRevoked(subject);
        if (status == Status.None) revert InvalidStatus();
        if (status == entry.status) revert Unchanged();
        if (entry.kind == Kind.Account) {
            if (entry.status == Status.Active) owner.activeAccounts -= 1;
            if (status == Status.Active) owner.activeAccounts += 1;
            // Who may transact must be able to speak, vote and repair; a suspended member need not.
            if (owner.activeAccounts == 0 && owner.status == Status.Active) revert LastAccount(id);
        }
        entry.status = status;
        emit AccountStatusChanged(id, subject, msg.sender, status);
    }

    // ---- checks -------------------------------------------------------------------------------

    /// @dev The caller is the authority or an active account (no device) of that organisation.
    function _checkAdministers(bytes32 id) private view {
        if (msg.sender == authority) return;
        bytes32 own = administers(msg.sender);
        if (own == bytes32(0)) revert CallerNotActive(msg.sender);
        if (own != id) revert NotAdministrator(msg.sender, id);
    }

    function _changeable(bytes32 id) private view returns (Organisation storage subject) {
        subject = _organisations[id];
        if (subject.status == Status.None) revert UnknownOrganisation(id);
        if (subject.status == Status.Revoked) revert OrganisationIsRevoked(id);
    }

    function _checkProfile(Profile memory profile) private pure {
        if (bytes(profile.name).length == 0) revert InvalidText(profile.name);
        _checkText(profile.name, NAME_BYTES_MAX);
        _checkText(profile.nameZh, NAME_BYTES_MAX);
        _checkText(profile.uri, URI_BYTES_MAX);
    }

    function _checkText(string memory text, uint256 bytesMax) private pure {
        bytes memory raw = bytes(text);
        if (raw.length > bytesMax) revert InvalidText(text);
        for (uint256 i = 0; i < raw.length; ++i) {
            if (raw[i] < 0x20 || raw[i] == 0x7f) revert InvalidText(text);
        }
    }

    /// @dev 1 to 32 characters of `[a-z0-9-]`, then only zeros.
    function _isOrganisationId(bytes32 id) private pure returns (bool) {
        uint256 length = 0;
        while (length < 32 && id[length] != 0) {
            bytes1 c = id[length];
            bool allowed = (c >= "a" && c <= "z") || (c >= "0" && c <= "9") || c == "-";
            if (!allowed) return false;
            ++length;
        }
        return length > 0 && (length == 32 || uint256(id) << (8 * length) == 0);
    }
}
