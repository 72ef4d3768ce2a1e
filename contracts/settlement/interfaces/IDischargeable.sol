// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title What Settlement asks of whatever it pays
interface IDischargeable {
    /// @notice The payer's payment is made in this very transaction.
    /// @return payee Whom to pay: the pledgee while it is pledged, otherwise the holder
    /// @return currency What to pay in
    function discharge(bytes32 id, uint64 revision, bytes32 payer, uint128 amount)
        external
        returns (bytes32 payee, bytes3 currency);
}
