// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title What the contracts of models share: the way of every act
/// @notice One table (`machine.toml`) for all records. Each has an id, a state and a revision, which every act on
/// it raises by one.
interface IModelActs {
    /// @notice What an id is of.
    enum Kind {
        Project,
        DataSet,
        Grant,
        Run,
        Release,
        Batch,
        Payment
    }

    /// @notice A privacy loss (epsilon, delta), as sums of its parts.
    /// @param epsilon Millionths
    /// @param delta Billionths of a billionth
    struct Budget {
        uint64 epsilon;
        uint64 delta;
    }

    /// @notice The caller is not an active account of an active organisation.
    error CallerNotActive(address caller);
    error UnknownRecord(bytes32 id);
    /// @notice The organisation has used this number for a record of this kind.
    error RecordExists(bytes32 id);
    /// @notice It has changed since the caller looked.
    error StaleRevision(bytes32 id, uint64 revision, uint64 actual);
    /// @notice The act is not possible in this state.
    error WrongState(bytes32 id, uint8 act, uint8 state);
    /// @notice The act is not the caller's to do.
    error NotEntitled(bytes32 id, uint8 act, bytes32 organisation);
    error RemarkTooLong(uint256 length);
    error HashMissing();
    error InvalidNumber(bytes32 number);
    error PartyNotActive(bytes32 organisation);
    /// @notice The named part of what is recorded is missing or out of its bounds.
    error InvalidEntry(string part);
    /// @notice The organisation has done this already.
    error DoneAlready(bytes32 id, bytes32 organisation);
    /// @notice Nothing is proposed that could be accepted or declined.
    error NothingProposed(bytes32 id);
    /// @notice What stands there is not what the caller names.
    error TermsDiffer(bytes32 id, bytes32 terms);
    /// @notice Shares of the parties are hundredths of a percent that make 10,000.
    error SharesDiffer(uint256 sum);

    /// @notice Acts so far, and the state.
    function standingOf(bytes32 id) external view returns (uint64 revision, uint8 state);

    /// @notice Id of what an organisation makes under a number of its own.
    function idOf(Kind kind, bytes32 organisation, bytes32 number) external view returns (bytes32);
}
