// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Places} from "../../instruments/libraries/Places.sol";
import {IClaims} from "../interfaces/IClaims.sol";
import {IRooms} from "../interfaces/IRooms.sol";

/// @title Rooms
/// @notice Keys by the name of the contract that holds them.
abstract contract Rooms is IRooms {
    bytes32 private constant POOL_BOOK = "pool-book";
    bytes32 private constant POOLS = "pools";

    mapping(bytes32 room => mapping(bytes32 key => IClaims.Claim)) private _held;

    function _room() private view returns (bytes32 room) {
        room = Places.DIRECTORY.nameOf(msg.sender);
        if (room != POOL_BOOK && room != POOLS) revert NotCaller(msg.sender);
    }

    /// @inheritdoc IRooms
    function hold(bytes32 id, bytes32[] calldata keys) external {
        bytes32 room = _room();
        for (uint256 i = 0; i < keys.length; ++i) {
            IClaims.Claim storage known = _held[room][keys[i]];
            if (known.instrument != address(0)) revert IClaims.AlreadyClaimed(keys[i], known.instrument, known.id);
            _held[room][keys[i]] = IClaims.Claim({instrument: msg.sender, id: id});
        }
    }

    /// @inheritdoc IRooms
    function free(bytes32 id, bytes32[] calldata keys) external {
        bytes32 room = _room();
        for (uint256 i = 0; i < keys.length; ++i) {
            IClaims.Claim storage known = _held[room][keys[i]];
            if (known.instrument != msg.sender || known.id != id) revert IClaims.NotClaimed(keys[i], id);
            // slither-disable-next-line costly-loop
            delete _held[room][keys[i]];
        }
    }

    /// @inheritdoc IRooms
    function heldIn(bytes32 room, bytes32 key) external view returns (IClaims.Claim memory) {
        return _held[room][key];
    }
}
