// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IModelActs} from "./IModelActs.sol";

/// @title What was done: runs of training
/// @notice A run is opened within what the parties have agreed to, and whatever it records is held against that
/// again: once a grant it uses is revoked, or the project is over, nothing but its end is recorded.
interface IRuns is IModelActs {
    enum FaultKind {
        Other,
        /// @notice Gone in the middle.
        Dropped,
        /// @notice Silent beyond the time for an answer.
        Stalled,
        /// @notice What it sent is no message of the protocol.
        Malformed,
        /// @notice Updates out of all measure.
        Scaled,
        /// @notice Updates as of flipped labels.
        Flipped,
        /// @notice Another code than agreed.
        Code,
        /// @notice A node that is not the one which has joined.
        Node
    }

    /// @param algorithm Code, ASCII, which the project allows
    /// @param code SHA-256 of the program code, which the project allows
    /// @param config SHA-256 of the settings
    /// @param seed Commitment to the random seeds
    /// @param budget Set aside of the project's
    /// @param participants 2 to 16 parties of the project, the opener among them
    /// @param grants 1 to 64, at least one of each participant and none of anybody else
    struct Draft {
        bytes32 project;
        bytes32 number;
        bytes32 algorithm;
        bytes32 code;
        bytes32 config;
        bytes32 seed;
        Budget budget;
        bytes32[] participants;
        bytes32[] grants;
    }

    /// @param nodes SHA-256 of each participant's node key, in their order; zero: not joined
    /// @param spent Of the budget, in all rounds
    /// @param ended Unix seconds
    /// @param outcome At the end: hash of the run's record, or of the reason why it was aborted
    struct Run {
        bytes32 opener;
        Draft draft;
        bytes32[] nodes;
        Budget spent;
        uint32 rounds;
        uint32 faults;
        uint48 opened;
        uint48 ended;
        bytes32 outcome;
    }

    /// @param record SHA-256 of the round's record
    /// @param spent Of the budget, in this round
    /// @param delivered Participants whose part came in, in the run's order
    struct Round {
        uint32 number;
        bytes32 record;
        Budget spent;
        bytes32[] delivered;
    }

    /// @param round In which it failed; zero: before the first one
    struct Fault {
        bytes32 party;
        FaultKind kind;
        uint32 round;
        bytes32 evidence;
    }

    /// @notice The run as it is after the act.
    event RunActed(
        bytes32 indexed id,
        bytes32 indexed project,
        uint8 indexed act,
        bytes32 by,
        uint64 revision,
        uint8 state,
        Run run,
        string remark
    );
    /// @param spent Of the run, with this round
    event RoundRecorded(
        bytes32 indexed id, bytes32 indexed project, bytes32 by, uint64 revision, Round round, Budget spent
    );
    /// @param number Of the run's faults, from 1
    event FaultRecorded(
        bytes32 indexed id,
        bytes32 indexed project,
        bytes32 indexed party,
        bytes32 by,
        uint64 revision,
        uint32 number,
        Fault fault,
        string remark
    );
    /// @notice What all runs of a project have set aside or spent.
    event BudgetUsed(bytes32 indexed project, bytes32 indexed run, Budget used);

    /// @notice So much is left, of the project or of what the run has set aside.
    error BudgetExceeded(bytes32 id, uint256 epsilon, uint256 delta);
    /// @notice The participant's own code is not the run's.
    error CodeDiffers(bytes32 id, bytes32 code);
    /// @notice Rounds come one after the other: `expected` is next.
    error WrongRound(bytes32 id, uint32 expected);
    error TooManyFaults(bytes32 id);

    /// @notice Open a run. A party of the project.
    function open(Draft calldata draft, string calldata remark) external returns (bytes32 id);

    /// @notice Take part, with the hashes of one's own code and node key. A participant; the last one begins it.
    function join(bytes32 id, uint64 revision, bytes32 code, bytes32 node, string calldata remark) external;

    /// @notice Record a round. The opener.
    function round(bytes32 id, uint64 revision, Round calldata content) external;

    /// @notice Name a participant that failed. A participant.
    function fault(bytes32 id, uint64 revision, Fault calldata content, string calldata remark) external;

    /// @notice The run is done. The opener.
    /// @param record SHA-256 of the run's record
    function complete(bytes32 id, uint64 revision, bytes32 record, string calldata remark) external;

    /// @notice Stop the run. A participant.
    /// @param reason SHA-256 of what says why
    function abort(bytes32 id, uint64 revision, bytes32 reason, string calldata remark) external;

    /// @notice A completed run whose grants are still good. Reverts otherwise.
    function checkCompleted(bytes32 id) external view returns (bytes32 project, bytes32[] memory participants);

    function runOf(bytes32 id) external view returns (Run memory);

    /// @notice What all runs of a project have set aside or spent.
    function usedOf(bytes32 project) external view returns (Budget memory);

    /// @notice The record's hash of a round; zero where there is none.
    function roundOf(bytes32 id, uint32 number) external view returns (bytes32);
}
