// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Places} from "../instruments/libraries/Places.sol";
import {Rules} from "../instruments/libraries/Rules.sol";
import {ModelActs} from "./bases/ModelActs.sol";
import {IRuns} from "./interfaces/IRuns.sol";
import {ModelPlaces} from "./libraries/ModelPlaces.sol";
import {ModelsRules} from "./libraries/ModelsRules.sol";

/// @title Runs
/// @notice Training, round by round, within what the parties have agreed to.
contract Runs is ModelActs, IRuns {
    using Rules for uint256;

    bytes32 private constant NAME = "model-runs";
    uint256 private constant PARTIES_MAX = 16;
    uint256 private constant GRANTS_MAX = 64;
    uint32 private constant ROUNDS_MAX = 100_000;
    uint32 private constant FAULTS_MAX = 1_024;

    mapping(bytes32 id => Run) private _runs;
    mapping(bytes32 project => Budget) private _used;
    mapping(bytes32 id => mapping(uint32 number => bytes32 record)) private _rounds;

    // ---- beginning ----------------------------------------------------------------------------

    /// @inheritdoc IRuns
    function open(Draft calldata draft, string calldata remark) external returns (bytes32 id) {
        bytes32 by = _callerWith(remark);
        Places.checkCurrent(NAME, address(this));
        _checkHash(draft.config);
        _checkHash(draft.seed);
        Budget memory whole = ModelPlaces.MODELS.checkRun(draft.project, draft.algorithm, draft.code);
        _checkParticipants(by, draft);
        id = _make(Kind.Run, by, draft.number, ModelsRules.OPEN);
        _runs[id].opener = by;
        _runs[id].draft = draft;
        _runs[id].nodes = new bytes32[](draft.participants.length);
        _runs[id].opened = uint48(block.timestamp);
        _reserve(draft.project, draft.budget, whole);
        _tell(id, ModelsRules.OPEN, by, remark);
        emit BudgetUsed(draft.project, id, _used[draft.project]);
    }

    function _checkParticipants(bytes32 by, Draft calldata draft) private view {
        bytes32[] memory participants = draft.participants;
        // slither-disable-next-line unused-return
        (bytes32[] memory parties,) = ModelPlaces.MODELS.partiesOf(draft.project);
        if (participants.length < 2 || participants.length > PARTIES_MAX || !_isIn(participants, by)) {
            revert InvalidEntry("participants");
        }
        bytes32[] memory owners = _owners(draft);
        for (uint256 i = 0; i < participants.length; ++i) {
            bytes32 one = participants[i];
            if (!_isIn(parties, one) || _indexIn(participants, one) != i) revert InvalidEntry("participants");
            _checkActive(one);
            if (!_isIn(owners, one)) revert InvalidEntry("grants");
        }
        for (uint256 i = 0; i < owners.length; ++i) {
            if (!_isIn(participants, owners[i])) revert InvalidEntry("grants");
        }
    }

    function _owners(Draft calldata draft) private view returns (bytes32[] memory) {
        bytes32[] memory grants = draft.grants;
        if (grants.length > GRANTS_MAX) revert InvalidEntry("grants");
        for (uint256 i = 0; i < grants.length; ++i) {
            if (_indexIn(grants, grants[i]) != i) revert InvalidEntry("grants");
        }
        return ModelPlaces.MODELS.checkGrants(draft.project, grants, true);
    }

    function _reserve(bytes32 project, Budget calldata budget, Budget memory whole) private {
        Budget storage used = _used[project];
        uint256 epsilon = uint256(used.epsilon) + budget.epsilon;
        uint256 delta = uint256(used.delta) + budget.delta;
        if (epsilon > whole.epsilon || delta > whole.delta) {
            revert BudgetExceeded(project, _left(whole.epsilon, used.epsilon), _left(whole.delta, used.delta));
        }
        _used[project] = Budget(uint64(epsilon), uint64(delta));
    }

    /// @dev Nothing where an amendment has made the budget less than what is used.
    function _left(uint64 whole, uint64 used) private pure returns (uint256) {
        return whole > used ? whole - used : 0;
    }

    /// @inheritdoc IRuns
    function join(bytes32 id, uint64 revision, bytes32 code, bytes32 node, string calldata remark) external {
        bytes32 by = _act(id, revision, ModelsRules.JOIN, remark);
        Run storage run = _runs[id];
        _checkHolds(run);
        _checkHash(node);
        if (code != run.draft.code) revert CodeDiffers(id, run.draft.code);
        uint256 place = _indexIn(run.draft.participants, by);
        if (run.nodes[place] != 0) revert DoneAlready(id, by);
        if (_isIn(run.nodes, node)) revert InvalidEntry("node");
        run.nodes[place] = node;
        _tell(id, ModelsRules.JOIN, by, remark);
        if (_isIn(run.nodes, 0)) return;
        _follow(id, ModelsRules.BEGIN);
        _tell(id, ModelsRules.BEGIN, by, "");
    }

    // ---- under way ----------------------------------------------------------------------------

    /// @dev What the parties have agreed to still holds for the run.
    function _checkHolds(Run storage run) private view {
        // slither-disable-next-line unused-return
        ModelPlaces.MODELS.checkRun(run.draft.project, run.draft.algorithm, run.draft.code);
        _checkGrants(run);
    }

    function _checkGrants(Run storage run) private view {
        // slither-disable-next-line unused-return
        ModelPlaces.MODELS.checkGrants(run.draft.project, run.draft.grants, false);
    }

    /// @inheritdoc IRuns
    function round(bytes32 id, uint64 revision, Round calldata content) external {
        bytes32 by = _act(id, revision, ModelsRules.ROUND, "");
        Run storage run = _runs[id];
        _checkHolds(run);
        _checkHash(content.record);
        if (content.number != run.rounds + 1) revert WrongRound(id, run.rounds + 1);
        if (content.number > ROUNDS_MAX) revert InvalidEntry("number");
        _checkDelivered(run, content.delivered);
        _spend(id, run, content.spent);
        run.rounds = content.number;
        _rounds[id][content.number] = content.record;
        emit RoundRecorded(id, run.draft.project, by, _standing[id].revision, content, run.spent);
    }

    function _checkDelivered(Run storage run, bytes32[] calldata delivered) private view {
        bytes32[] memory participants = run.draft.participants;
        uint256 next = 0;
        if (delivered.length == 0) revert InvalidEntry("delivered");
        for (uint256 i = 0; i < delivered.length; ++i) {
            uint256 place = _indexIn(participants, delivered[i]);
            if (place == participants.length || place < next) revert InvalidEntry("delivered");
            _checkActive(delivered[i]);
            next = place + 1;
        }
    }

    function _spend(bytes32 id, Run storage run, Budget calldata more) private {
        Budget memory whole = run.draft.budget;
        uint256 epsilon = uint256(run.spent.epsilon) + more.epsilon;
        uint256 delta = uint256(run.spent.delta) + more.delta;
        if (epsilon > whole.epsilon || delta > whole.delta) {
            revert BudgetExceeded(id, whole.epsilon - run.spent.epsilon, whole.delta - run.spent.delta);
        }
        run.spent = Budget(uint64(epsilon), uint64(delta));
    }

    /// @inheritdoc IRuns
    function fault(bytes32 id, uint64 revision, Fault calldata content, string calldata remark) external {
        bytes32 by = _act(id, revision, ModelsRules.FAULT, remark);
        Run storage run = _runs[id];
        _checkHolds(run);
        _checkHash(content.evidence);
        if (!_isIn(run.draft.participants, content.party)) revert InvalidEntry("party");
        // A round fails before it is recorded.
        if (content.round > run.rounds + 1) revert WrongRound(id, run.rounds + 1);
        if (run.faults == FAULTS_MAX) revert TooManyFaults(id);
        ++run.faults;
        emit FaultRecorded(
            id, run.draft.project, content.party, by, _standing[id].revision, run.faults, content, remark
        );
    }

    // ---- the end ------------------------------------------------------------------------------

    /// @inheritdoc IRuns
    function complete(bytes32 id, uint64 revision, bytes32 record, string calldata remark) external {
        bytes32 by = _act(id, revision, ModelsRules.COMPLETE, remark);
        _checkHolds(_runs[id]);
        if (_runs[id].rounds == 0) revert WrongRound(id, 1);
        _end(id, ModelsRules.COMPLETE, by, record, remark);
    }

    /// @inheritdoc IRuns
    function abort(bytes32 id, uint64 revision, bytes32 reason, string calldata remark) external {
        bytes32 by = _act(id, revision, ModelsRules.ABORT, remark);
        _end(id, ModelsRules.ABORT, by, reason, remark);
    }

    function _end(bytes32 id, uint256 rule, bytes32 by, bytes32 outcome, string calldata remark) private {
        _checkHash(outcome);
        Run storage run = _runs[id];
        run.outcome = outcome;
        run.ended = uint48(block.timestamp);
        Budget storage used = _used[run.draft.project];
        used.epsilon -= run.draft.budget.epsilon - run.spent.epsilon;
        used.delta -= run.draft.budget.delta - run.spent.delta;
        _tell(id, rule, by, remark);
        emit BudgetUsed(run.draft.project, id, used);
    }

    // ---- for all acts -------------------------------------------------------------------------

    function _roles(bytes32 id, bytes32 organisation) internal view override returns (uint256 parties) {
        Run storage run = _runs[id];
        if (_isIn(run.draft.participants, organisation)) {
            parties |= ModelsRules.PARTY_PARTICIPANT | ModelsRules.PARTY_PARTY;
        }
        if (run.opener == organisation) parties |= ModelsRules.PARTY_OPENER;
    }

    function _tell(bytes32 id, uint256 rule, bytes32 by, string memory remark) private {
        Standing memory standing = _standing[id];
        Run memory run = _runs[id];
        emit RunActed(id, run.draft.project, rule.act(), by, standing.revision, standing.state, run, remark);
    }

    // ---- reading ------------------------------------------------------------------------------

    /// @inheritdoc IRuns
    function checkCompleted(bytes32 id) external view returns (bytes32 project, bytes32[] memory participants) {
        Standing memory standing = _standing[id];
        if (standing.revision == 0) revert UnknownRecord(id);
        if (standing.state != ModelsRules.STATE_COMPLETED) {
            revert WrongState(id, ModelsRules.OFFER.act(), standing.state);
        }
        _checkGrants(_runs[id]);
        return (_runs[id].draft.project, _runs[id].draft.participants);
    }

    /// @inheritdoc IRuns
    function runOf(bytes32 id) external view returns (Run memory) {
        return _runs[id];
    }

    /// @inheritdoc IRuns
    function usedOf(bytes32 project) external view returns (Budget memory) {
        return _used[project];
    }

    /// @inheritdoc IRuns
    function roundOf(bytes32 id, uint32 number) external view returns (bytes32) {
        return _rounds[id][number];
    }
}
