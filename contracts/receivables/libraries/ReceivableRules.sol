// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title Rules of the Receivable
/// @notice Made of machine.toml by `python -m contracts.instruments`; do not edit.
library ReceivableRules {
    uint8 internal constant STATE_NONE = 0;
    uint8 internal constant STATE_PROPOSED = 1;
    uint8 internal constant STATE_CONFIRMED = 2;
    uint8 internal constant STATE_ACCEPTED = 3;
    uint8 internal constant STATE_DISPUTED = 4;
    uint8 internal constant STATE_PRESENTED = 5;
    uint8 internal constant STATE_DEFAULTED = 6;
    uint8 internal constant STATE_PAID = 7;
    uint8 internal constant STATE_SPLIT = 8;
    uint8 internal constant STATE_REFUSED = 9;
    uint8 internal constant STATE_CANCELLED = 10;
    uint8 internal constant STATE_LAPSED = 11;
    uint8 internal constant STATE_ANNULLED = 12;

    uint256 internal constant PARTY_ISSUER = 256;
    uint256 internal constant PARTY_CREDITOR = 512;
    uint256 internal constant PARTY_SELLER = 1024;
    uint256 internal constant PARTY_DEBTOR = 2048;
    uint256 internal constant PARTY_ATTESTOR = 4096;

    uint256 internal constant CREATE = 0xa0000010000010000000001;
    uint256 internal constant ARISE = 0xb0000030000008000000001;
    uint256 internal constant ARISE_ORDER = 0xc0000020000008000000001;
    uint256 internal constant ACCEPT = 0xd0000030000080000000002;
    uint256 internal constant CONFIRM = 0xe0000020000080000000002;
    uint256 internal constant REFUSE = 0xf0000090000080000000002;
    uint256 internal constant CANCEL = 0x1000000a0000010000000002;
    uint256 internal constant OFFER_CANCEL = 0x110000ff00000c000000001c;
    uint256 internal constant AGREE_CANCEL = 0x1200000a00000c000000001c;
    uint256 internal constant INVOICE = 0x130002ff0000020600000004;
    uint256 internal constant DELIVER = 0x140202030000180000000004;
    uint256 internal constant LAPSE = 0x1502020b0000080600000004;
    uint256 internal constant UNDERTAKE = 0x160002ff000000020000006c;
    uint256 internal constant ENDORSE = 0x170001ff0000000200000008;
    uint256 internal constant REJECT = 0x180001ff0000000200000008;
    uint256 internal constant SPLIT = 0x19000108000000020000000c;
    uint256 internal constant PRESENT = 0x1a0002050000000600000008;
    uint256 internal constant DISCHARGE_PART = 0x1b0202ff0000002000000078;
    uint256 internal constant DISCHARGE = 0x1c0202070000002000000078;
    uint256 internal constant CONFIRM_PART = 0x1d0001ff0000000200000078;
    uint256 internal constant CONFIRM_PAYMENT = 0x1e0001070000000200000078;
    uint256 internal constant DISPUTE = 0x1f0202040000080000000008;
    uint256 internal constant WITHDRAW_DISPUTE = 0x200202030000080000000010;
    uint256 internal constant CONCEDE = 0x210001030000000200000010;
    uint256 internal constant UPHOLD = 0x220202030000000800000010;
    uint256 internal constant ANNUL = 0x2302020c000000080000007c;
    uint256 internal constant DECLARE_DEFAULT = 0x240002060000000600000028;
    uint256 internal constant RECOURSE = 0x250001ff0000000200001840;

    /// @notice The word of an act that all instruments have.
    function common(uint8 act) internal pure returns (uint256) {
        if (act == 0) return 0x302ff000000080000007e; // freeze
        if (act == 1) return 0x10302ff000000080000007e; // unfreeze
        if (act == 2) return 0x20102ff000000080000007c; // award
        if (act == 3) return 0x30002ff000000040000187c; // permit
        if (act == 4) return 0x40000ff000000100000000c; // encumber
        if (act == 5) return 0x50102ff00000010000018fc; // disencumber
        if (act == 6) return 0x60002ff000000100000187c; // seize
        if (act == 7) return 0x70000ff000000200000006c; // lock
        if (act == 8) return 0x80302ff00000020000018fc; // unlock
        if (act == 9) return 0x90200ff000000200000006c; // settle
        return 0; // nobody's
    }
}
