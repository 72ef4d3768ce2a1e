// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title Rules of the Receipt
/// @notice Made of machine.toml by `python -m contracts.instruments`; do not edit.
library ReceiptRules {
    uint8 internal constant STATE_NONE = 0;
    uint8 internal constant STATE_LIVE = 1;
    uint8 internal constant STATE_SURRENDERED = 2;
    uint8 internal constant STATE_PAPER = 3;
    uint8 internal constant STATE_EXPIRED = 4;
    uint8 internal constant STATE_DELIVERED = 5;
    uint8 internal constant STATE_SPLIT = 6;
    uint8 internal constant STATE_MERGED = 7;
    uint8 internal constant STATE_REPLACED = 8;
    uint8 internal constant STATE_CANCELLED = 9;

    uint256 internal constant PARTY_WAREHOUSE = 256;
    uint256 internal constant PARTY_OWNER = 512;
    uint256 internal constant PARTY_SOLE = 1024;

    uint256 internal constant ISSUE = 0xa0000010000010000000001;
    uint256 internal constant ARISE = 0xb0000010000008000000001;
    uint256 internal constant NOMINATE = 0xc0001ff0000020000000002;
    uint256 internal constant ENDORSE = 0xd0001ff0000000200000002;
    uint256 internal constant TRANSFER_HOLDING = 0xe0001ff0000000200000002;
    uint256 internal constant TRANSFER_BOTH = 0xf0001ff0000000200000002;
    uint256 internal constant REJECT_OWNERSHIP = 0x100002ff0000020000000002;
    uint256 internal constant REJECT_HOLDING = 0x110002ff0000000200000002;
    uint256 internal constant REJECT_BOTH = 0x120002ff0000040000000002;
    uint256 internal constant SURRENDER = 0x130001020000040000000012;
    uint256 internal constant RECALL = 0x140002010000040000000004;
    uint256 internal constant RESTORE = 0x150002010000010000000004;
    uint256 internal constant SHRED = 0x160002050000010000000004;
    uint256 internal constant SPLIT = 0x170001060000040000000002;
    uint256 internal constant MERGE = 0x180000070000040000000002;
    uint256 internal constant REQUEST_DELIVERY = 0x190001ff0000040000000012;
    uint256 internal constant DELIVER = 0x1a0002ff0000010000000012;
    uint256 internal constant EXPIRE = 0x1b0202040000000100000002;
    uint256 internal constant EXTEND = 0x1c0002010000010000000012;
    uint256 internal constant CANCEL = 0x1d0001090000010000000004;
    uint256 internal constant REPLACE = 0x1e0001080000010000000004;
    uint256 internal constant TO_PAPER = 0x1f0000030000010000000004;
    uint256 internal constant TO_ELECTRONIC = 0x200000010000010000000008;

    /// @notice The word of an act that all instruments have.
    function common(uint8 act) internal pure returns (uint256) {
        if (act == 0) return 0x302ff000000080000001e; // freeze
        if (act == 1) return 0x10302ff000000080000001e; // unfreeze
        if (act == 2) return 0x20102ff0000000800000016; // award
        if (act == 3) return 0x30002ff0000000400000016; // permit
        if (act == 4) return 0x40000ff0000001000000002; // encumber
        if (act == 5) return 0x50102ff0000001000000236; // disencumber
        if (act == 6) return 0x60002ff0000001000000016; // seize
        if (act == 7) return 0x70000ff0000002000000002; // lock
        if (act == 8) return 0x80302ff0000002000000012; // unlock
        if (act == 9) return 0x90200ff0000002000000002; // settle
        return 0; // nobody's
    }

    /// @notice The state that such an act leads to from this one.
    function led(uint8 act, uint8 state) internal pure returns (uint8) {
        if (act == 2 && state == 2) return 1; // award
        if (act == 6 && state == 2) return 1; // seize
        return state;
    }
}
