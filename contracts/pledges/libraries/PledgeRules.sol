// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title Rules of the Pledge
/// @notice Made of machine.toml by `python -m contracts.instruments`; do not edit.
library PledgeRules {
    uint8 internal constant STATE_NONE = 0;
    uint8 internal constant STATE_PROPOSED = 1;
    uint8 internal constant STATE_ACTIVE = 2;
    uint8 internal constant STATE_DEFAULTED = 3;
    uint8 internal constant STATE_RELEASED = 4;
    uint8 internal constant STATE_ENFORCED = 5;
    uint8 internal constant STATE_DECLINED = 6;
    uint8 internal constant STATE_WITHDRAWN = 7;
    uint8 internal constant STATE_ANNULLED = 8;

    uint256 internal constant PARTY_PLEDGOR = 256;

    uint256 internal constant PROPOSE = 0xa00000100000100000000c1;
    uint256 internal constant ACCEPT = 0xb0000020000000400000002;
    uint256 internal constant DECLINE = 0xc0000060000000400000002;
    uint256 internal constant WITHDRAW = 0xd0000070000010000000002;
    uint256 internal constant RELEASE = 0xe000004000000040000000c;
    uint256 internal constant RELEASE_SOME = 0xf0000ff000000040000000c;
    uint256 internal constant ANNUL = 0x10000008000000080000000c;
    uint256 internal constant ANNUL_SOME = 0x110000ff000000080000000c;
    uint256 internal constant DECLARE_DEFAULT = 0x120000030000000400000004;
    uint256 internal constant CURE = 0x130000020000000400000008;
    uint256 internal constant ENFORCE = 0x140000050000000400000008;
    uint256 internal constant ENFORCE_SOME = 0x150000ff0000000400000008;
    uint256 internal constant SECURE = 0x160000020000004000000001;
    uint256 internal constant DISCHARGE = 0x17000004000000400000000c;
    uint256 internal constant DISCHARGE_SOME = 0x180000ff000000400000000c;

    /// @notice The word of an act that all instruments have.
    function common(uint8 act) internal pure returns (uint256) {
        if (act == 0) return 0x302ff0000000800000000; // freeze
        if (act == 1) return 0x10302ff0000000800000000; // unfreeze
        if (act == 2) return 0x20102ff0000000800000000; // award
        if (act == 3) return 0x30002ff0000000400000000; // permit
        if (act == 4) return 0x40000ff0000001000000000; // encumber
        if (act == 5) return 0x50102ff0000001000000000; // disencumber
        if (act == 6) return 0x60002ff0000001000000000; // seize
        if (act == 7) return 0x70000ff0000002000000000; // lock
        if (act == 8) return 0x80302ff0000002000000000; // unlock
        if (act == 9) return 0x90200ff0000002000000000; // settle
        return 0; // nobody's
    }
}
