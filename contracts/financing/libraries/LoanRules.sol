// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title Rules of the Loan
/// @notice Made of machine.toml by `python -m contracts.instruments`; do not edit.
library LoanRules {
    uint8 internal constant STATE_NONE = 0;
    uint8 internal constant STATE_APPLIED = 1;
    uint8 internal constant STATE_ACCEPTED = 2;
    uint8 internal constant STATE_ACTIVE = 3;
    uint8 internal constant STATE_OVERDUE = 4;
    uint8 internal constant STATE_DEFAULTED = 5;
    uint8 internal constant STATE_ENFORCED = 6;
    uint8 internal constant STATE_REPAID = 7;
    uint8 internal constant STATE_WITHDRAWN = 8;
    uint8 internal constant STATE_LAPSED = 9;

    uint256 internal constant PARTY_BORROWER = 256;
    uint256 internal constant PARTY_INVITED = 512;
    uint256 internal constant PARTY_BANK = 1024;
    uint256 internal constant PARTY_OPERATOR = 2048;

    uint256 internal constant APPLY = 0xa0000010000010000000001;
    uint256 internal constant CHECK = 0xb0000ff00000b0000000006;
    uint256 internal constant ADVISE = 0xc0000ff0000080000000002;
    uint256 internal constant APPROVE = 0xd0000ff0000020000000002;
    uint256 internal constant DECLINE = 0xe0000ff0000020000000002;
    uint256 internal constant COMMIT = 0xf0000ff0000020000000002;
    uint256 internal constant REVEAL = 0x100000ff0000020000000002;
    uint256 internal constant ACCEPT = 0x110000020000010000000002;
    uint256 internal constant WITHDRAW = 0x120000080000010000000006;
    uint256 internal constant LAPSE = 0x130000090000000100000006;
    uint256 internal constant SIGN = 0x140000ff0000050000000004;
    uint256 internal constant DRAW_DOWN = 0x150000030000040000000004;
    uint256 internal constant REPAY = 0x160000ff0000010000000078;
    uint256 internal constant CREDIT = 0x170000ff0000040000000078;
    uint256 internal constant CLOSE = 0x180000070000008000000078;
    uint256 internal constant FALL_OVERDUE = 0x190000040000000100000008;
    uint256 internal constant WARN = 0x1a0000ff00000c0000000038;
    uint256 internal constant REPORT = 0x1b0000ff0000000100000038;
    uint256 internal constant DECLARE_DEFAULT = 0x1c0000050000040000000010;
    uint256 internal constant CURE = 0x1d0000040000040000000020;
    uint256 internal constant EXHAUST = 0x1e0000060000000100000030;

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
