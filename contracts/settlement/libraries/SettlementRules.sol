// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title Rules of the Settlement
/// @notice Made of machine.toml by `python -m contracts.instruments`; do not edit.
library SettlementRules {
    uint8 internal constant STATE_NONE = 0;
    uint8 internal constant STATE_OFFERED = 1;
    uint8 internal constant STATE_OPEN = 2;
    uint8 internal constant STATE_MET = 3;
    uint8 internal constant STATE_SETTLED = 4;
    uint8 internal constant STATE_DECLINED = 5;
    uint8 internal constant STATE_WITHDRAWN = 6;
    uint8 internal constant STATE_EXPIRED = 7;
    uint8 internal constant STATE_RETURNED = 8;
    uint8 internal constant STATE_CANCELLED = 9;

    uint256 internal constant PARTY_SELLER = 256;
    uint256 internal constant PARTY_BUYER = 512;
    uint256 internal constant PARTY_NAMED = 1024;
    uint256 internal constant PARTY_ATTESTOR = 2048;

    uint256 internal constant OFFER = 0xa0000010000000100000001;
    uint256 internal constant ACCEPT = 0xb0000040000020000000002;
    uint256 internal constant COMMIT = 0xc0000020000020000000002;
    uint256 internal constant SET_ASIDE = 0xd0000020000000100000001;
    uint256 internal constant DECLINE = 0xe0000050000040000000002;
    uint256 internal constant WITHDRAW = 0xf0000060000010000000002;
    uint256 internal constant EXPIRE = 0x100000070000000100000002;
    uint256 internal constant ATTEST = 0x110000030000080000000004;
    uint256 internal constant DENY = 0x120000080000080000000004;
    uint256 internal constant EXECUTE = 0x13000004000000010000000c;
    uint256 internal constant GIVE_BACK = 0x14000008000000010000000c;
    uint256 internal constant ASK_CANCEL = 0x150000ff000005000000000c;
    uint256 internal constant AGREE_CANCEL = 0x16000009000005000000000c;
    uint256 internal constant QUASH = 0x17000009000000080000000e;
    uint256 internal constant AFFIRM = 0x180000ff000004000000000c;
    uint256 internal constant RESCIND = 0x19000008000004000000000c;

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
