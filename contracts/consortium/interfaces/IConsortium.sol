// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAuthorised} from "../../governance/interfaces/IAuthorised.sol";

/// @title Who belongs to the consortium, in which role, and which keys speak for whom
/// @notice Nodes read the same storage when they admit transactions into a block (decision D6):
/// word 0 of an account is its organisation, the lowest byte of word 1 its status; the lowest byte
/// of an organisation's word 0 is its status. Status 1 is active.
interface IConsortium is IAuthorised {
    /// @notice What an organisation does in the trade; instruments gate their calls by it.
    enum Role {
        None,
        Manufacturer,
        Warehouse,
        Carrier,
        Retailer,
        Bank,
        Regulator,
        Arbitrator,
        Operator
    }

    /// @notice Suspended can become active again; revoked is final.
    enum Status {
        None,
        Active,
        Suspended,
        Revoked
    }

    /// @notice Accounts may administer their own organisation; devices only speak for it.
    enum Kind {
        Account,
        Device
    }

    /// @param name Display name, 1 to 128 bytes of UTF-8 without control characters
    /// @param nameZh Chinese display name, up to 128 bytes; may be empty
    /// @param uri Where to learn more: a Digital Link of the party's GLN
    /// (`https://id.gs1.org/417/<GLN>`) or a page, up to 512 bytes; may be empty
    struct Profile {
        string name;
        string nameZh;
        string uri;
    }

    /// @param activeAccounts Accounts (devices not counted) whose own status is active
    struct Organisation {
        Status status;
        Role role;
        uint32 activeAccounts;
        Profile profile;
    }

    struct Account {
        bytes32 organisation;
        Status status;
        Kind kind;
    }

    event OrganisationAdded(
        bytes32 indexed organisation, address indexed by, Role role, string name, string nameZh, string uri
    );
    event OrganisationProfileChanged(
        bytes32 indexed organisation, address indexed by, string name, string nameZh, string uri
    );
    event OrganisationRoleChanged(bytes32 indexed organisation, address indexed by, Role role);
    event OrganisationStatusChanged(bytes32 indexed organisation, address indexed by, Status status);
    event AccountAdded(
        bytes32 indexed organisation, address indexed account, address indexed by, Kind kind
    );
    event AccountStatusChanged(
        bytes32 indexed organisation, address indexed account, address indexed by, Status status
    );

    /// @notice The caller is not an active account of an active organisation.
    error CallerNotActive(address caller);
    /// @notice Only the authority or the organisation's own account may do this.
    error NotAdministrator(address caller, bytes32 organisation);
    /// @notice An id is 1 to 32 characters of `[a-z0-9-]`, left-aligned and zero-padded.
    error InvalidOrganisationId(bytes32 organisation);
    error OrganisationExists(bytes32 organisation);
    error UnknownOrganisation(bytes32 organisation);
    /// @notice A revoked organisation never changes again.
    error OrganisationIsRevoked(bytes32 organisation);
    error TooManyOrganisations();
    error InvalidRole();
    error InvalidStatus();
    /// @notice The zero address is nobody's account.
    error InvalidAccount();
    /// @notice An address belongs to one organisation, for ever.
    error AccountExists(address account);
    error UnknownAccount(address account);
    /// @notice A revoked account never changes again.
    error AccountIsRevoked(address account);
    /// @notice The value is already so.
    error Unchanged();
    /// @notice The text is empty where it must not be, too long, or holds a control character.
    error InvalidText(string text);
    /// @notice An active organisation would be left without an active account.
    error LastAccount(bytes32 organisation);

    /// @notice Admit an organisation together with its first account. The authority only.
    function addOrganisation(bytes32 id, Role role, Profile calldata profile, address firstAccount) external;

    /// @notice Change how an organisation is shown. The authority only, since names are what people
    /// trust.
    function setProfile(bytes32 id, Profile calldata profile) external;

    /// @notice Change an organisation's role. The authority only.
    function setRole(bytes32 id, Role role) external;

    /// @notice Suspend, reactivate or (for ever) revoke an organisation. The authority only. One that
    /// becomes active has an active account.
    function setOrganisationStatus(bytes32 id, Status status) external;

    /// @notice Add an account to an organisation. Its own accounts, or the authority.
    function addAccount(bytes32 id, address newAccount) external;

    /// @notice Add a device to the caller's own organisation.
    function addDevice(address device) external;

    /// @notice Suspend, reactivate or (for ever) revoke an account or device. Its organisation's own
    /// accounts, or the authority. An active organisation keeps at least one active account.
    function setAccountStatus(address subject, Status status) external;

    /// @notice The organisation; its status is `None` where the id is unknown.
    function organisation(bytes32 id) external view returns (Organisation memory);

    /// @notice The account or device; its status is `None` where the address is unknown.
    function account(address subject) external view returns (Account memory);

    /// @notice Whether the address may transact: its own status and its organisation's are active.
    function isActive(address subject) external view returns (bool);

    /// @notice The organisation of an account or device, zero where unknown, whatever its status.
    function organisationOf(address subject) external view returns (bytes32);

    /// @notice The role of the address's organisation, `None` where unknown, whatever its status.
    function roleOf(address subject) external view returns (Role);

    /// @notice The three answers above in one call, for instruments that gate on them.
    function standing(address subject) external view returns (bytes32 id, Role role, bool active);

    /// @notice The organisation that the address may administer and vote for: it is an active account, no
    /// device, of an active organisation; otherwise zero.
    function administers(address subject) external view returns (bytes32);

    /// @notice Standing of an organisation, `None` where the id is unknown.
    function statusOf(bytes32 id) external view returns (Status);

    /// @notice How many organisations were ever admitted.
    function organisationCount() external view returns (uint256);

    /// @notice Ids of organisations `[start, end)` in the order of admission; `end` is cut to the count.
    function organisationIds(uint256 start, uint256 end) external view returns (bytes32[] memory);

    /// @notice How many accounts and devices an organisation ever had.
    function accountCount(bytes32 id) external view returns (uint256);

    /// @notice Accounts and devices `[start, end)` of an organisation in the order of addition.
    function accountsOf(bytes32 id, uint256 start, uint256 end) external view returns (address[] memory);
}
