// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IClaims} from "./IClaims.sol";

/// @title What all versions of a contract hold together
/// @notice The contracts named "pool-book" and "pools" hold keys here, each name in a room of its own, so that a later
/// version knows what a former one has, and nobody else's key is in the way. Their own events tell it.
interface IRooms {
    /// @notice The caller is no version of a contract that has a room.
    error NotCaller(address caller);

    /// @notice Hold all keys for a record of the caller, or none.
    function hold(bytes32 id, bytes32[] calldata keys) external;

    /// @notice Give up keys that a record of the caller holds.
    function free(bytes32 id, bytes32[] calldata keys) external;

    /// @notice Who holds the key in the room of that name; zeros where nobody does.
    function heldIn(bytes32 room, bytes32 key) external view returns (IClaims.Claim memory);
}
