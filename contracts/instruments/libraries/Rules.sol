// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title Rules of an instrument's table, packed
/// @notice One word for each act, written by `python -m contracts.instruments` from `machine.toml`:
/// bits 0-31 the states it is possible in, 32-63 the parties it is for, 64-71 the state it leads to
/// (`SAME`: none other), 72-79 what a pledge does to it, 80 whether it goes on while frozen, 81 while
/// locked, 88-95 the act's number.
library Rules {
    uint8 internal constant SAME = 255;

    uint8 internal constant PLEDGED_NO = 0;
    uint8 internal constant PLEDGED_PERMIT = 1;
    uint8 internal constant PLEDGED_FREE = 2;

    /// @notice Acts that all instruments have.
    uint8 internal constant FREEZE = 0;
    uint8 internal constant UNFREEZE = 1;
    uint8 internal constant AWARD = 2;
    uint8 internal constant PERMIT = 3;
    uint8 internal constant ENCUMBER = 4;
    uint8 internal constant DISENCUMBER = 5;
    uint8 internal constant SEIZE = 6;
    uint8 internal constant LOCK = 7;
    uint8 internal constant UNLOCK = 8;
    uint8 internal constant SETTLE = 9;

    /// @notice Parties that all instruments have; an instrument's own begin at bit 8.
    uint256 internal constant ANYBODY = 1;
    uint256 internal constant HOLDER = 2;
    uint256 internal constant PLEDGEE = 4;
    uint256 internal constant AUTHORITY = 8;
    uint256 internal constant PLEDGES = 16;
    uint256 internal constant SETTLEMENT = 32;
    uint256 internal constant FINANCING = 64;
    uint256 internal constant ITSELF = 128;

    /// @notice The act's number, as events tell it.
    function act(uint256 rule) internal pure returns (uint8) {
        return uint8(rule >> 88);
    }

    function possibleIn(uint256 rule, uint8 state) internal pure returns (bool) {
        return (rule >> state) & 1 == 1;
    }

    function isFor(uint256 rule, uint256 parties) internal pure returns (bool) {
        return uint32(rule >> 32) & parties != 0;
    }

    function next(uint256 rule, uint8 state) internal pure returns (uint8) {
        uint8 to = uint8(rule >> 64);
        return to == SAME ? state : to;
    }

    function whilePledged(uint256 rule) internal pure returns (uint8) {
        return uint8(rule >> 72);
    }

    function whileFrozen(uint256 rule) internal pure returns (bool) {
        return (rule >> 80) & 1 == 1;
    }

    function whileLocked(uint256 rule) internal pure returns (bool) {
        return (rule >> 81) & 1 == 1;
    }
}
