// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAuthorised} from "./IAuthorised.sol";
import {INetwork} from "../../network/interfaces/INetwork.sol";

/// @title What the members decide together
/// @notice A proposal is a list of calls that this contract makes once enough votes agree. Votes count with
/// the weights that organisations have when the question is asked: whoever is suspended counts for nothing,
/// neither in the votes nor in the total.
interface IGovernance is IAuthorised {
    struct Call {
        address target;
        bytes data;
    }

    /// @notice Passed: more than this share of all weight says yes; with numerator and denominator equal,
    /// all of it.
    struct Threshold {
        uint32 numerator;
        uint32 denominator;
    }

    enum State {
        None,
        Open,
        Passed,
        Executed,
        Withdrawn,
        Expired
    }

    enum Choice {
        None,
        Yes,
        No
    }

    struct Tally {
        uint256 yes;
        uint256 no;
        uint256 total;
    }

    /// @param blockNumber Where it was made: the event there has the calls and the text
    /// @param contentHash keccak-256 of the ABI encoding of the calls
    struct Summary {
        State state;
        bytes32 organisation;
        uint48 blockNumber;
        uint48 created;
        uint48 expires;
        bytes32 contentHash;
        Tally tally;
        Threshold required;
    }

    event ProposalMade(
        uint256 indexed id, bytes32 indexed organisation, address indexed by, Call[] calls, string text, uint48 expires
    );
    event Voted(uint256 indexed id, bytes32 indexed organisation, address indexed by, Choice choice);
    event ProposalExecuted(uint256 indexed id, address indexed by);
    event ProposalWithdrawn(uint256 indexed id, address indexed by);
    event VotesChanged(bytes32 indexed organisation, uint64 votes);
    event DefaultThresholdChanged(uint32 numerator, uint32 denominator);
    /// @notice A threshold of its own for one function; 0 of 0 where the default counts again.
    event ThresholdChanged(address indexed target, bytes4 indexed selector, uint32 numerator, uint32 denominator);

    /// @notice The caller is no active account (devices do not vote) of an active organisation.
    error CallerNotActive(address caller);
    /// @notice The organisation has no vote.
    error NotVoter(bytes32 organisation);
    /// @notice Only an account of the organisation that made the proposal may withdraw it.
    error NotProposer(bytes32 organisation);
    /// @notice A proposal has 1 to 32 calls, of at most 64 kB together.
    error InvalidCalls();
    /// @notice The contract does not name this one as its authority.
    error TargetNotGoverned(address target);
    /// @notice A call of a function that hides other calls, or is no call of a function.
    error CallNotAllowed(address target, bytes4 selector);
    error TextTooLong();
    error InvalidLifetime(uint256 lifetime);
    error InvalidChoice();
    error UnknownProposal(uint256 id);
    /// @notice The proposal is in a state in which this cannot be done.
    error WrongState(uint256 id, State state);
    /// @notice The calls are not those of the proposal.
    error ContentDiffers(uint256 id);
    error NotPassed(uint256 id, uint256 yes, uint256 total);
    /// @notice A threshold is above one half, at most one, with a denominator of at most a million; for
    /// suspending organisations at most two thirds, so that a lost member cannot stop the others.
    error InvalidThreshold(uint32 numerator, uint32 denominator);
    error InvalidVotes(uint64 votes);
    error TooManyVoters();
    error UnknownOrganisation(bytes32 organisation);
    error Unchanged();
    /// @notice Nobody could vote any more.
    error NoVoterLeft();

    /// @notice Propose calls; counts as the proposer's yes. `lifetime` in seconds, 0 for fourteen days.
    function propose(Call[] calldata calls, string calldata text, uint256 lifetime) external returns (uint256 id);

    /// @notice Propose and execute at once: for who has enough votes alone. Otherwise reverts.
    function proposeAndExecute(Call[] calldata calls, string calldata text) external returns (uint256 id);

    /// @notice Say yes or no for the caller's organisation; can be changed until the proposal is decided.
    function vote(uint256 id, Choice choice) external;

    /// @notice Make the calls of a proposal that has passed. Any active account of any member.
    function execute(uint256 id, Call[] calldata calls) external;

    /// @notice Take a proposal back, for good. Accounts of the organisation that made it.
    function withdraw(uint256 id) external;

    /// @notice Give an organisation a voting weight; 0 takes it. By proposal only.
    function setVotes(bytes32 organisation, uint64 votes) external;

    /// @notice Change the threshold of all functions that have none of their own. By proposal only.
    function setDefaultThreshold(Threshold calldata threshold) external;

    /// @notice Give a function a threshold of its own; 0 of 0 takes it. By proposal only, which needs the
    /// higher of the former and the new one.
    function setThreshold(address target, bytes4 selector, Threshold calldata threshold) external;

    function network() external view returns (INetwork);
    function proposalCount() external view returns (uint256);
    function proposal(uint256 id) external view returns (Summary memory);
    function choiceOf(uint256 id, bytes32 organisation) external view returns (Choice);

    /// @notice Weight that counts now: 0 unless the organisation is active.
    function votesOf(bytes32 organisation) external view returns (uint64);

    /// @notice Organisations with a weight, whether it counts now or not, and their weights.
    function voters() external view returns (bytes32[] memory organisations, uint64[] memory votes);

    /// @notice Sum of all weights that count now; never zero.
    function totalVotes() external view returns (uint256);

    function defaultThreshold() external view returns (Threshold memory);

    /// @notice What a call of that function needs now.
    function thresholdOf(address target, bytes4 selector) external view returns (Threshold memory);
}
