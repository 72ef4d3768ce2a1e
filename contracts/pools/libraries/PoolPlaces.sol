// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IRooms} from "../../claims/interfaces/IRooms.sol";
import {IPoolBook} from "../interfaces/IPoolBook.sol";
import {IPools} from "../interfaces/IPools.sol";

/// @title Where genesis has put the two contracts of pools, and what their versions hold together
/// @notice A later version of one comes with a later version of the other, at addresses of their own.
library PoolPlaces {
    IPools internal constant POOLS = IPools(0x7A1100000000000000000000000000000000000E);
    IPoolBook internal constant BOOK = IPoolBook(0x7a11000000000000000000000000000000000011);
    /// @dev Claims, which has no later version.
    IRooms internal constant ROOMS = IRooms(0x7A11000000000000000000000000000000000007);
}
