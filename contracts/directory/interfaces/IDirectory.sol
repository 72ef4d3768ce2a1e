// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAuthorised} from "../../governance/interfaces/IAuthorised.sol";

/// @title Contracts by name, with their history
/// @notice A name's versions are only ever added; the last one is current. An address belongs to one name.
interface IDirectory is IAuthorised {
    /// @param codeHash keccak-256 of the code when the version was added
    /// @param blockNumber Since when; 0 from genesis
    /// @param time Block time; 0 from genesis
    /// @param note Where to read about the version; may be empty
    struct Version {
        address place;
        uint48 blockNumber;
        uint48 time;
        bytes32 codeHash;
        string note;
    }

    event VersionAdded(
        bytes32 indexed name, address indexed place, address indexed by, uint256 index, bytes32 codeHash, string note
    );

    /// @notice A name is a lower-case letter and up to 31 characters of `[a-z0-9-]`.
    error InvalidName(bytes32 name);
    /// @notice Contracts that name each other for ever have one version.
    error FixedName(bytes32 name);
    error TooManyNames();
    error TooManyVersions(bytes32 name);
    /// @notice There is no contract at the address.
    error NoCode(address place);
    error AddressHasName(address place, bytes32 name);
    error Unchanged();
    error InvalidNote(string note);
    error UnknownVersion(bytes32 name, uint256 index);

    /// @notice Add a version, which becomes the current one. The authority only. An earlier version may come
    /// back as a new one.
    function addVersion(bytes32 name, address place, string calldata note) external;

    /// @notice The current version. Reverts where the name is unknown.
    function current(bytes32 name) external view returns (Version memory);

    /// @notice Version `index`, counted from 0. Reverts where there is none.
    function version(bytes32 name, uint256 index) external view returns (Version memory);

    /// @notice How many versions the name has; 0 where it is unknown.
    function count(bytes32 name) external view returns (uint256);

    /// @notice The name of which the address is or was a version, zero where none.
    function nameOf(address place) external view returns (bytes32);

    /// @notice Whether the name keeps its one version for ever.
    function isFixed(bytes32 name) external view returns (bool);

    /// @notice All names, in the order of their first versions.
    function names() external view returns (bytes32[] memory);
}
