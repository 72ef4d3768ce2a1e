// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title What the contracts of pools share
interface IPoolBase {
    enum State {
        None,
        /// @notice Trustee and servicer have not both accepted.
        Proposed,
        Active,
        Closed,
        Withdrawn
    }

    /// @notice The caller is not an active account of an active organisation.
    error CallerNotActive(address caller);
    /// @notice The act is another office's.
    error NotOffice(bytes32 id, bytes32 organisation);
    error WrongPoolState(bytes32 id, State state);
    error UnknownPool(bytes32 id);
    /// @notice Each date has one state, in order: `expected` is possible.
    error WrongDate(bytes32 id, uint32 date, uint32 expected);
    error DateInFuture(uint32 date);
    error UnknownDay(bytes32 id, uint32 date);
    error RemarkTooLong(uint256 length);
    error ReasonMissing();
}
