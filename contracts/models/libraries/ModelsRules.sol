// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title Rules of the Models
/// @notice Made of machine.toml by `python -m contracts.instruments`; do not edit.
library ModelsRules {
    uint8 internal constant STATE_NONE = 0;
    uint8 internal constant STATE_PROPOSED = 1;
    uint8 internal constant STATE_AGREED = 2;
    uint8 internal constant STATE_CLOSED = 3;
    uint8 internal constant STATE_REFUSED = 4;
    uint8 internal constant STATE_WITHDRAWN = 5;
    uint8 internal constant STATE_REGISTERED = 6;
    uint8 internal constant STATE_SUPERSEDED = 7;
    uint8 internal constant STATE_GIVEN = 8;
    uint8 internal constant STATE_REVOKED = 9;
    uint8 internal constant STATE_OPENED = 10;
    uint8 internal constant STATE_RUNNING = 11;
    uint8 internal constant STATE_COMPLETED = 12;
    uint8 internal constant STATE_ABORTED = 13;
    uint8 internal constant STATE_OFFERED = 14;
    uint8 internal constant STATE_LIVE = 15;
    uint8 internal constant STATE_RETIRED = 16;
    uint8 internal constant STATE_REJECTED = 17;
    uint8 internal constant STATE_COUNTED = 18;
    uint8 internal constant STATE_DISPUTED = 19;
    uint8 internal constant STATE_TOLD = 20;
    uint8 internal constant STATE_CONFIRMED = 21;
    uint8 internal constant STATE_DENIED = 22;

    uint256 internal constant PARTY_PROPOSER = 256;
    uint256 internal constant PARTY_PARTY = 512;
    uint256 internal constant PARTY_OWNER = 1024;
    uint256 internal constant PARTY_OPENER = 2048;
    uint256 internal constant PARTY_PARTICIPANT = 4096;
    uint256 internal constant PARTY_LABEL_HOLDER = 8192;
    uint256 internal constant PARTY_ASKER = 16384;
    uint256 internal constant PARTY_COUNTERPARTY = 32768;
    uint256 internal constant PARTY_PAYER = 65536;
    uint256 internal constant PARTY_PAYEE = 131072;

    uint256 internal constant PROPOSE = 0xa0000010000020000000001;
    uint256 internal constant ACCEPT = 0xb0000ff0000020000000006;
    uint256 internal constant AGREE = 0xc0000020000008000000002;
    uint256 internal constant REFUSE = 0xd0000040000020000000002;
    uint256 internal constant WITHDRAW = 0xe0000050000010000000002;
    uint256 internal constant AMEND = 0xf0000ff0000020000000004;
    uint256 internal constant ADOPT = 0x100000ff0000008000000004;
    uint256 internal constant DECLINE = 0x110000ff0000020000000004;
    uint256 internal constant CLOSE = 0x120000030000020000000004;
    uint256 internal constant REGISTER = 0x130000060000000100000001;
    uint256 internal constant SUPERSEDE = 0x140000070000040000000040;
    uint256 internal constant REMOVE = 0x1500000500000400000000c0;
    uint256 internal constant GIVE = 0x160000080000040000000001;
    uint256 internal constant REVOKE = 0x170000090000040000000100;
    uint256 internal constant OPEN = 0x1800000a0000020000000001;
    uint256 internal constant JOIN = 0x190000ff0000100000000400;
    uint256 internal constant BEGIN = 0x1a00000b0000008000000400;
    uint256 internal constant ROUND = 0x1b0000ff0000080000000800;
    uint256 internal constant FAULT = 0x1c0000ff0000100000000c00;
    uint256 internal constant COMPLETE = 0x1d00000c0000080000000800;
    uint256 internal constant ABORT = 0x1e00000d0000100000000c00;
    uint256 internal constant OFFER = 0x1f00000e0000100000000001;
    uint256 internal constant APPROVE = 0x200000ff0000020000004000;
    uint256 internal constant GO_LIVE = 0x2100000f0000008000004000;
    uint256 internal constant REJECT = 0x220000110000020000004000;
    uint256 internal constant RETIRE = 0x230000100000020000008000;
    uint256 internal constant MARK = 0x240000ff0000200000008000;
    uint256 internal constant ATTRIBUTE = 0x250000ff000002000001c000;
    uint256 internal constant CONCUR = 0x260000ff000002000001c000;
    uint256 internal constant COUNT = 0x270000120000400000000001;
    uint256 internal constant DISPUTE = 0x2800001300008000000c0000;
    uint256 internal constant PAY = 0x290000150001000000000001;
    uint256 internal constant TELL = 0x2a0000140001000000000001;
    uint256 internal constant CONFIRM = 0x2b0000150002000000100000;
    uint256 internal constant DENY = 0x2c0000160002000000100000;

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
