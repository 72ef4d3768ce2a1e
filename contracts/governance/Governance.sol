// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import {IConsortium} from "../consortium/interfaces/IConsortium.sol";
import {INetwork} from "../network/interfaces/INetwork.sol";
import {IAuthorised} from "./interfaces/IAuthorised.sol";
import {IGovernance} from "./interfaces/IGovernance.sol";
import {Thresholds} from "./libraries/Thresholds.sol";

/// @title Governance
/// @notice Proposals, votes, weights and thresholds; the authority of the other contracts.
/// @dev Genesis writes the state variables by name.
contract Governance is IGovernance, ReentrancyGuardTransient {
    using EnumerableSet for EnumerableSet.Bytes32Set;
    using Thresholds for Threshold;

    uint256 private constant CALLS_MAX = 32;
    uint256 private constant CALLS_BYTES_MAX = 65_536;
    uint256 private constant TEXT_BYTES_MAX = 1_024;
    uint256 private constant LIFETIME_DEFAULT = 14 days;
    uint256 private constant LIFETIME_MAX = 90 days;
    uint256 private constant VOTERS_MAX = 128;
    uint64 private constant VOTES_MAX = 1_000_000;

    /// @param done Executed or Withdrawn; otherwise None, and the state follows from votes and time
    /// @param floor Highest of the thresholds that the calls would set
    /// @param functions Functions whose thresholds count: target and selector
    struct Proposal {
        bytes32 organisation;
        bytes32 contentHash;
        uint48 blockNumber;
        uint48 created;
        uint48 expires;
        State done;
        Threshold floor;
        bytes24[] functions;
    }

    /// @inheritdoc IGovernance
    INetwork public immutable network;

    mapping(bytes32 organisation => uint64 votes) private _votes;
    EnumerableSet.Bytes32Set private _voters;
    Threshold private _defaultThreshold;
    mapping(bytes24 key => Threshold) private _thresholds;
    uint256 private _count;
    mapping(uint256 id => Proposal) private _proposals;
    mapping(uint256 id => mapping(bytes32 organisation => Choice)) private _choices;

    /// @notice Genesis writes the same storage without running this.
    constructor(INetwork nodes, bytes32[] memory organisations, uint64[] memory votes) {
        network = nodes;
        _defaultThreshold = Thresholds.twoThirds();
        for (uint256 i = 0; i < organisations.length; ++i) _setVotes(organisations[i], votes[i]);
    }

    modifier onlySelf() {
        if (msg.sender != address(this)) revert NotAuthority(msg.sender);
        _;
    }

    // ---- deciding -----------------------------------------------------------------------------

    /// @inheritdoc IGovernance
    function propose(Call[] calldata calls, string calldata text, uint256 lifetime)
        external
        nonReentrant
        returns (uint256)
    {
        return _propose(calls, text, lifetime);
    }

    /// @inheritdoc IGovernance
    function proposeAndExecute(Call[] calldata calls, string calldata text)
        external
        nonReentrant
        returns (uint256 id)
    {
        id = _propose(calls, text, 0);
        _execute(id, calls);
    }

    /// @inheritdoc IGovernance
    function vote(uint256 id, Choice choice) external nonReentrant {
        (bytes32 organisation,) = _voter();
        _checkUndecided(id);
        if (choice == Choice.None) revert InvalidChoice();
        if (_choices[id][organisation] == choice) revert Unchanged();
        _choices[id][organisation] = choice;
        emit Voted(id, organisation, msg.sender, choice);
    }

    /// @inheritdoc IGovernance
    function execute(uint256 id, Call[] calldata calls) external nonReentrant {
        _member();
        _checkUndecided(id);
        _execute(id, calls);
    }

    /// @inheritdoc IGovernance
    function withdraw(uint256 id) external nonReentrant {
        bytes32 organisation = _member();
        _checkUndecided(id);
        if (_proposals[id].organisation != organisation) revert NotProposer(organisation);
        _proposals[id].done = State.Withdrawn;
        emit ProposalWithdrawn(id, msg.sender);
    }

    function _propose(Call[] calldata calls, string calldata text, uint256 lifetime) private returns (uint256 id) {
        (bytes32 organisation,) = _voter();
        if (bytes(text).length > TEXT_BYTES_MAX) revert TextTooLong();
        if (lifetime > LIFETIME_MAX) revert InvalidLifetime(lifetime);
        uint256 expires = block.timestamp + (lifetime == 0 ? LIFETIME_DEFAULT : lifetime);
        id = ++_count;
        Proposal storage made = _proposals[id];
        made.organisation = organisation;
        made.contentHash = keccak256(abi.encode(calls));
        made.blockNumber = uint48(block.number);
        made.created = uint48(block.timestamp);
        made.expires = uint48(expires);
        _choices[id][organisation] = Choice.Yes;
        _noteThresholds(made, calls);
        emit ProposalMade(id, organisation, msg.sender, calls, text, uint48(expires));
        emit Voted(id, organisation, msg.sender, Choice.Yes);
    }

    function _execute(uint256 id, Call[] calldata calls) private {
        Proposal storage chosen = _proposals[id];
        if (keccak256(abi.encode(calls)) != chosen.contentHash) revert ContentDiffers(id);
        Tally memory tally = _tally(id);
        if (!_required(chosen).reached(tally.yes, tally.total)) revert NotPassed(id, tally.yes, tally.total);
        chosen.done = State.Executed;
        emit ProposalExecuted(id, msg.sender);
        for (uint256 i = 0; i < calls.length; ++i) {
            _checkTarget(calls[i].target);
            // Bubbles up why a call reverts.
            // slither-disable-next-line unused-return
            Address.functionCall(calls[i].target, calls[i].data);
        }
        // Whatever the calls did to nodes and organisations is judged as one change.
        network.settle();
        if (totalVotes() == 0) revert NoVoterLeft();
    }

    // ---- by proposal only -----------------------------------------------------------------------

    /// @inheritdoc IGovernance
    function setVotes(bytes32 organisation, uint64 votes) external onlySelf {
        IConsortium.Status standing = _consortium().statusOf(organisation);
        bool member = standing == IConsortium.Status.Active || standing == IConsortium.Status.Suspended;
        if (!member && votes != 0) revert UnknownOrganisation(organisation);
        if (_votes[organisation] == votes) revert Unchanged();
        _setVotes(organisation, votes);
    }

    /// @inheritdoc IGovernance
    function setDefaultThreshold(Threshold calldata threshold) external onlySelf {
        if (!threshold.isValid()) revert InvalidThreshold(threshold.numerator, threshold.denominator);
        _defaultThreshold = threshold;
        emit DefaultThresholdChanged(threshold.numerator, threshold.denominator);
    }

    /// @inheritdoc IGovernance
    function setThreshold(address target, bytes4 selector, Threshold calldata threshold) external onlySelf {
        bytes24 key = _key(target, selector);
        bool none = threshold.numerator == 0 && threshold.denominator == 0;
        bool valid = none || threshold.isValid();
        if (valid && !none && _isSuspending(key)) valid = !threshold.isAbove(Thresholds.twoThirds());
        if (!valid) revert InvalidThreshold(threshold.numerator, threshold.denominator);
        _thresholds[key] = threshold;
        emit ThresholdChanged(target, selector, threshold.numerator, threshold.denominator);
    }

    function _setVotes(bytes32 organisation, uint64 votes) private {
        if (votes > VOTES_MAX) revert InvalidVotes(votes);
        _votes[organisation] = votes;
        // Whether it was in the set before does not matter.
        // slither-disable-next-line unused-return
        votes == 0 ? _voters.remove(organisation) : _voters.add(organisation);
        if (_voters.length() > VOTERS_MAX) revert TooManyVoters();
        emit VotesChanged(organisation, votes);
    }

    // ---- answers ------------------------------------------------------------------------------

    /// @inheritdoc IAuthorised
    function authority() external view returns (address) {
        return address(this);
    }

    /// @inheritdoc IGovernance
    function proposalCount() external view returns (uint256) {
        return _count;
    }

    /// @inheritdoc IGovernance
    function proposal(uint256 id) external view returns (Summary memory) {
        Proposal storage asked = _proposals[id];
        Tally memory tally = _tally(id);
        Threshold memory required = asked.created == 0 ? Threshold(0, 0) : _required(asked);
        return Summary({
            state: _state(id, tally, required),
            organisation: asked.organisation,
            blockNumber: asked.blockNumber,
            created: asked.created,
            expires: asked.expires,
            contentHash: asked.contentHash,
            tally: tally,
            required: required
        });
    }

    /// @inheritdoc IGovernance
    function choiceOf(uint256 id, bytes32 organisation) external view returns (Choice) {
        return _choices[id][organisation];
    }

    /// @inheritdoc IGovernance
    function votesOf(bytes32 organisation) public view returns (uint64) {
        bool counts = _consortium().statusOf(organisation) == IConsortium.Status.Active;
        return counts ? _votes[organisation] : 0;
    }

    /// @inheritdoc IGovernance
    function voters() external view returns (bytes32[] memory organisations, uint64[] memory votes) {
        organisations = _voters.values();
        votes = new uint64[](organisations.length);
        for (uint256 i = 0; i < organisations.length; ++i) votes[i] = _votes[organisations[i]];
    }

    /// @inheritdoc IGovernance
    function totalVotes() public view returns (uint256) {
        return _tally(0).total;
    }

    /// @inheritdoc IGovernance
    function defaultThreshold() external view returns (Threshold memory) {
        return _defaultThreshold;
    }

    /// @inheritdoc IGovernance
    function thresholdOf(address target, bytes4 selector) external view returns (Threshold memory) {
        return _thresholdOf(_key(target, selector));
    }

    // ---- counting -----------------------------------------------------------------------------

    /// @dev Proposal 0 does not exist, so its tally is the total alone.
    function _tally(uint256 id) private view returns (Tally memory tally) {
        IConsortium members = _consortium();
        bytes32[] memory organisations = _voters.values();
        for (uint256 i = 0; i < organisations.length; ++i) {
            bytes32 organisation = organisations[i];
            if (members.statusOf(organisation) != IConsortium.Status.Active) continue;
            uint256 weight = _votes[organisation];
            Choice choice = _choices[id][organisation];
            tally.total += weight;
            if (choice == Choice.Yes) tally.yes += weight;
            else if (choice == Choice.No) tally.no += weight;
        }
    }

    function _state(uint256 id, Tally memory tally, Threshold memory required) private view returns (State) {
        Proposal storage asked = _proposals[id];
        if (asked.created == 0 || asked.done != State.None) return asked.done;
        if (block.timestamp >= asked.expires) return State.Expired;
        return required.reached(tally.yes, tally.total) ? State.Passed : State.Open;
    }

    /// @dev The highest threshold of all that a proposal touches.
    function _required(Proposal storage asked) private view returns (Threshold memory highest) {
        highest = asked.floor;
        bytes24[] memory functions = asked.functions;
        for (uint256 i = 0; i < functions.length; ++i) {
            Threshold memory one = functions[i] == bytes24(0) ? _defaultThreshold : _thresholdOf(functions[i]);
            if (one.isAbove(highest)) highest = one;
        }
    }

    function _thresholdOf(bytes24 key) private view returns (Threshold memory found) {
        found = _thresholds[key];
        if (found.denominator != 0) return found;
        found = _defaultThreshold;
        if (_isSuspending(key) && found.isAbove(Thresholds.twoThirds())) return Thresholds.twoThirds();
    }

    // ---- checks -------------------------------------------------------------------------------

    /// @dev Checks the calls, and keeps which thresholds they need.
    function _noteThresholds(Proposal storage made, Call[] calldata calls) private {
        if (calls.length == 0 || calls.length > CALLS_MAX) revert InvalidCalls();
        // An empty floor (0 of 0) is below every threshold.
        Threshold memory floor = Threshold(1, 2);
        uint256 size = 0;
        for (uint256 i = 0; i < calls.length; ++i) {
            bytes calldata data = calls[i].data;
            size += data.length;
            bytes4 selector = bytes4(data);
            // What is called must show in the proposal, with its own threshold.
            bool plain = data.length >= 4 && selector != Multicall.multicall.selector;
            if (!plain) revert CallNotAllowed(calls[i].target, selector);
            _checkTarget(calls[i].target);
            made.functions.push(_key(calls[i].target, selector));
            if (calls[i].target == address(this)) floor = _noteOwn(made, selector, data[4:], floor);
        }
        if (size > CALLS_BYTES_MAX) revert InvalidCalls();
        made.floor = floor;
    }

    /// @dev Changing a threshold needs the former one and the new one too.
    function _noteOwn(Proposal storage made, bytes4 selector, bytes calldata data, Threshold memory floor)
        private
        returns (Threshold memory)
    {
        Threshold memory next = floor;
        if (selector == this.setThreshold.selector) {
            address target;
            bytes4 subject;
            (target, subject, next) = abi.decode(data, (address, bytes4, Threshold));
            made.functions.push(_key(target, subject));
            // Taking it away sets the default.
            if (next.denominator == 0) made.functions.push(bytes24(0));
        } else if (selector == this.setDefaultThreshold.selector) {
            next = abi.decode(data, (Threshold));
            made.functions.push(bytes24(0));
        }
        return next.isAbove(floor) ? next : floor;
    }

    function _checkTarget(address target) private view {
        if (target == address(this)) return;
        if (target.code.length == 0 || !_isGoverned(target)) revert TargetNotGoverned(target);
    }

    function _isGoverned(address target) private view returns (bool) {
        // An address is one word.
        // slither-disable-next-line unused-return
        (bool answered, bytes32 answer,) =
            LowLevelCall.staticcallReturn64Bytes(target, abi.encodeCall(IAuthorised.authority, ()));
        return answered && LowLevelCall.returnDataSize() == 32 && uint256(answer) == uint160(address(this));
    }

    function _isSuspending(bytes24 key) private view returns (bool) {
        return key == _key(address(_consortium()), IConsortium.setOrganisationStatus.selector);
    }

    function _key(address target, bytes4 selector) private pure returns (bytes24) {
        return bytes24(bytes20(target)) | (bytes24(selector) >> 160);
    }

    function _checkUndecided(uint256 id) private view {
        Proposal storage asked = _proposals[id];
        if (asked.created == 0) revert UnknownProposal(id);
        if (asked.done != State.None) revert WrongState(id, asked.done);
        if (block.timestamp >= asked.expires) revert WrongState(id, State.Expired);
    }

    function _consortium() private view returns (IConsortium) {
        return network.consortium();
    }

    /// @dev Organisation of the caller, who must be an active account, not a device.
    function _member() private view returns (bytes32 organisation) {
        organisation = _consortium().administers(msg.sender);
        if (organisation == bytes32(0)) revert CallerNotActive(msg.sender);
    }

    function _voter() private view returns (bytes32 organisation, uint64 votes) {
        organisation = _member();
        votes = _votes[organisation];
        if (votes == 0) revert NotVoter(organisation);
    }
}
