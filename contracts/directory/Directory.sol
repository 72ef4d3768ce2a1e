// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthorised} from "../governance/interfaces/IAuthorised.sol";
import {IDirectory} from "./interfaces/IDirectory.sol";

/// @title Directory
/// @notice Contract versions by name.
/// @dev Genesis writes the state variables by name.
contract Directory is IDirectory {
    uint256 private constant NAMES_MAX = 256;
    uint256 private constant VERSIONS_MAX = 1_024;
    uint256 private constant NOTE_BYTES_MAX = 512;
    /// @dev What an account's code begins with that only points elsewhere (EIP-7702).
    bytes3 private constant DELEGATION = 0xef0100;

    /// @inheritdoc IAuthorised
    address public immutable authority;

    mapping(bytes32 name => Version[]) private _versions;
    bytes32[] private _names;
    mapping(address place => bytes32 name) private _nameOf;
    mapping(bytes32 name => bool) private _fixed;

    /// @notice Genesis writes the same storage without running this, and the first versions.
    constructor(address governance, bytes32[] memory fixedNames) {
        if (governance == address(0)) revert NotAuthority(governance);
        authority = governance;
        for (uint256 i = 0; i < fixedNames.length; ++i) _fixed[fixedNames[i]] = true;
    }

    /// @inheritdoc IDirectory
    function addVersion(bytes32 name, address place, string calldata note) external {
        if (msg.sender != authority) revert NotAuthority(msg.sender);
        if (_fixed[name]) revert FixedName(name);
        _checkNote(note);
        _checkCode(place);
        uint256 index = _versions[name].length;
        if (index == 0) _addName(name);
        else if (_versions[name][index - 1].place == place) revert Unchanged();
        if (index >= VERSIONS_MAX) revert TooManyVersions(name);
        bytes32 owner = _nameOf[place];
        if (owner != bytes32(0) && owner != name) revert AddressHasName(place, owner);
        _nameOf[place] = name;
        _versions[name].push(
            Version({
                place: place,
                blockNumber: uint48(block.number),
                time: uint48(block.timestamp),
                codeHash: place.codehash,
                note: note
            })
        );
        emit VersionAdded(name, place, msg.sender, index, place.codehash, note);
    }

    /// @inheritdoc IDirectory
    function current(bytes32 name) external view returns (Version memory) {
        uint256 length = _versions[name].length;
        if (length == 0) revert UnknownVersion(name, 0);
        return _versions[name][length - 1];
    }

    /// @inheritdoc IDirectory
    function version(bytes32 name, uint256 index) external view returns (Version memory) {
        if (index >= _versions[name].length) revert UnknownVersion(name, index);
        return _versions[name][index];
    }

    /// @inheritdoc IDirectory
    function count(bytes32 name) external view returns (uint256) {
        return _versions[name].length;
    }

    /// @inheritdoc IDirectory
    function nameOf(address place) external view returns (bytes32) {
        return _nameOf[place];
    }

    /// @inheritdoc IDirectory
    function isFixed(bytes32 name) external view returns (bool) {
        return _fixed[name];
    }

    /// @inheritdoc IDirectory
    function names() external view returns (bytes32[] memory) {
        return _names;
    }

    function _addName(bytes32 name) private {
        if (!_isName(name)) revert InvalidName(name);
        if (_names.length >= NAMES_MAX) revert TooManyNames();
        _names.push(name);
    }

    function _checkCode(address place) private view {
        bytes memory code = place.code;
        if (code.length == 0 || bytes3(code) == DELEGATION) revert NoCode(place);
    }

    function _checkNote(string calldata note) private pure {
        bytes calldata raw = bytes(note);
        if (raw.length > NOTE_BYTES_MAX) revert InvalidNote(note);
        for (uint256 i = 0; i < raw.length; ++i) {
            if (raw[i] <= 0x20 || raw[i] >= 0x7f) revert InvalidNote(note);
        }
    }

    /// @dev A letter, then up to 31 characters of `[a-z0-9-]`, then only zeros.
    function _isName(bytes32 name) private pure returns (bool) {
        uint256 length = 0;
        while (length < 32 && name[length] != 0) {
            bytes1 c = name[length];
            bool letter = c >= "a" && c <= "z";
            bool other = (c >= "0" && c <= "9") || c == "-";
            if (!letter && (length == 0 || !other)) return false;
            ++length;
        }
        return length > 0 && (length == 32 || uint256(name) << (8 * length) == 0);
    }
}
