// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title What releases ask of whatever the members have named "settlement"
interface IModelPayments {
    /// @param payerBank Where the payer's money is; the payer itself where it is a bank
    /// @param payeeBank Zero: where the payee wants to be paid
    /// @param number ASCII, for the statement
    struct Payment {
        bytes32 payerBank;
        bytes32 payee;
        bytes32 payeeBank;
        bytes3 currency;
        uint128 amount;
        bytes32 number;
    }

    /// @notice Pay for `payer`, who has agreed here.
    /// @return id Of the payment, like no other
    function payFor(bytes32 payer, Payment calldata payment, bytes32 ref) external returns (bytes32 id);
}
