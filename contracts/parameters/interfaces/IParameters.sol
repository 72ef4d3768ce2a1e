// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAuthorised} from "../../governance/interfaces/IAuthorised.sol";

/// @title Bounds that members may change
/// @notice Nodes read the same storage (docs/consortium.md): a mapping from name to value at slot 0; 0 where
/// the value is that of genesis. Names are ASCII, left-aligned.
interface IParameters is IAuthorised {
    event ParameterChanged(bytes32 indexed name, address indexed by, uint256 former, uint256 value);

    error UnknownParameter(bytes32 name);
    error OutOfBounds(bytes32 name, uint256 value, uint256 low, uint256 high);
    error Unchanged();

    /// @notice Change a value; 0 for that of genesis. The authority only.
    function set(bytes32 name, uint256 next) external;

    function value(bytes32 name) external view returns (uint256);

    /// @notice Within which bounds a value lies, besides 0. Reverts where the name is unknown.
    function bounds(bytes32 name) external pure returns (uint256 low, uint256 high);

    function names() external pure returns (bytes32[] memory);
}
