// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title What Financing needs of Settlement
/// @notice Both are for the contract named "financing" alone (docs/finance.md).
interface ILending {
    /// @notice New deposits at a bank for an organisation.
    function issueFor(bytes32 bank, bytes3 currency, bytes32 to, uint128 amount, bytes32 ref) external;

    /// @notice An organisation's deposits at a bank end.
    function redeemFor(bytes32 bank, bytes3 currency, bytes32 from, uint128 amount, bytes32 ref) external;
}
