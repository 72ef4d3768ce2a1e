// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title What Deposits and Settlement ask of whoever calls
interface IMembers {
    /// @notice The caller is not an active account of an active organisation.
    error CallerNotActive(address caller);
    /// @notice Only the contract that the members have named so may do this.
    error NotCaller(address caller);
    /// @notice The organisation is unknown or not active.
    error PartyNotActive(bytes32 organisation);
    error NotBank(bytes32 organisation);
    error InvalidAmount(uint128 amount);
    error InvalidCurrency(bytes3 currency);
    error InvalidNumber(bytes32 number);
    /// @notice This number of the organisation's stands for something else already.
    error NumberUsed(bytes32 organisation, bytes32 number);
    error DecisionMissing();
    error Unchanged();
    error RemarkTooLong(uint256 length);

    /// @notice Of whatever the organisation has given this number here.
    function idOf(bytes32 organisation, bytes32 number) external view returns (bytes32);
}
