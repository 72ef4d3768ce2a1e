// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title What applications and loans share: the way of every act
/// @notice One id, one table (`machine.toml`) and one line of revisions from application to the end.
interface ILoanActs {
    /// @notice The caller is not an active account of an active organisation.
    error CallerNotActive(address caller);
    error UnknownLoan(bytes32 id);
    /// @notice It has changed since the caller looked.
    error StaleRevision(bytes32 id, uint64 revision, uint64 actual);
    /// @notice The act is not possible in this state.
    error WrongState(bytes32 id, uint8 act, uint8 state);
    /// @notice The act is not the caller's to do.
    error NotEntitled(bytes32 id, uint8 act, bytes32 organisation);
    error RemarkTooLong(uint256 length);
    error HashMissing();
    error InvalidAmount(uint128 amount);
    /// @notice Not before then.
    error NotYet(bytes32 id, uint48 until);

    /// @notice Acts so far, and the state.
    function standingOf(bytes32 id) external view returns (uint64 revision, uint8 state);
}
