// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsortium} from "../consortium/interfaces/IConsortium.sol";
import {Places} from "../instruments/libraries/Places.sol";
import {ModelActs} from "./bases/ModelActs.sol";
import {IModels} from "./interfaces/IModels.sol";
import {ModelsRules} from "./libraries/ModelsRules.sol";
import {Rules} from "../instruments/libraries/Rules.sol";

/// @title Models
/// @notice What parties have agreed to: projects, data sets, grants of fields.
contract Models is ModelActs, IModels {
    using Rules for uint256;

    bytes32 private constant NAME = "models";
    uint256 private constant PARTIES_MAX = 16;
    uint256 private constant PRICE_MAX = 1 << 100;
    uint256 private constant ALGORITHMS_MAX = 16;
    uint256 private constant CODES_MAX = 32;
    uint64 private constant ROWS_MAX = 1 << 40;
    uint64 private constant EPSILON_MAX = 1_000_000_000_000; // a million
    uint64 private constant DELTA_MAX = 1_000_000_000_000_000_000; // one
    uint48 private constant TERM_SECONDS_MAX = 3_660 days;

    mapping(bytes32 id => Project) private _projects;
    mapping(bytes32 id => DataSet) private _dataSets;
    mapping(bytes32 id => Grant) private _grants;

    // ---- projects -----------------------------------------------------------------------------

    /// @inheritdoc IModels
    function propose(
        bytes32 number,
        bytes32[] calldata parties,
        Part[] calldata parts,
        Terms calldata terms,
        string calldata remark
    ) external returns (bytes32 id) {
        bytes32 by = _callerWith(remark);
        Places.checkCurrent(NAME, address(this));
        _checkParties(by, parties, parts);
        _checkTerms(terms, parties.length);
        id = _make(Kind.Project, by, number, ModelsRules.PROPOSE);
        Project storage project = _projects[id];
        project.proposer = by;
        project.number = number;
        project.parties = parties;
        project.parts = parts;
        _put(id, project, by, terms);
        _tell(id, ModelsRules.PROPOSE, by, remark);
    }

    function _checkParties(bytes32 by, bytes32[] memory parties, Part[] memory parts) private view {
        uint256 count = parties.length;
        if (count < 2 || count > PARTIES_MAX) revert InvalidEntry("parties");
        if (parts.length != count) revert InvalidEntry("parts");
        if (!_isIn(parties, by)) revert NotAParty(by);
        bool labelled = false;
        for (uint256 i = 0; i < count; ++i) {
            _checkParty(parties[i]);
            if (_indexIn(parties, parties[i]) != i) revert NotAParty(parties[i]);
            if (parts[i] != Part.Host) labelled = true;
        }
        if (!labelled) revert InvalidEntry("parts");
    }

    function _checkParty(bytes32 organisation) private view {
        _checkActive(organisation);
        IConsortium.Role role = Places.CONSORTIUM.organisation(organisation).role;
        if (role == IConsortium.Role.Regulator || role == IConsortium.Role.Arbitrator) {
            revert NotAParty(organisation);
        }
    }

    function _checkTerms(Terms calldata terms, uint256 count) private view {
        _checkHash(terms.document);
        _checkSet(terms.algorithms, ALGORITHMS_MAX, "algorithms");
        _checkSet(terms.codes, CODES_MAX, "codes");
        if (terms.budget.epsilon > EPSILON_MAX) revert InvalidEntry("epsilon");
        if (terms.budget.delta > DELTA_MAX) revert InvalidEntry("delta");
        if (terms.price > PRICE_MAX) revert InvalidEntry("price");
        if (!_isCurrency(terms.currency)) revert InvalidEntry("currency");
        if (terms.shares.length != 0) _checkShares(terms.shares, count);
        if (terms.until <= block.timestamp || terms.until > block.timestamp + TERM_SECONDS_MAX) {
            revert InvalidEntry("until");
        }
    }

    /// @dev One to `most` words, none of them zero, none twice.
    function _checkSet(bytes32[] memory words, uint256 most, string memory part) private pure {
        if (words.length == 0 || words.length > most) revert InvalidEntry(part);
        for (uint256 i = 0; i < words.length; ++i) {
            if (words[i] == 0 || _indexIn(words, words[i]) != i) revert InvalidEntry(part);
        }
    }

    /// @dev Three capital letters.
    function _isCurrency(bytes3 code) private pure returns (bool) {
        for (uint256 i = 0; i < 3; ++i) {
            if (code[i] < "A" || code[i] > "Z") return false;
        }
        return true;
    }

    /// @dev What is proposed now, which its maker has accepted.
    function _put(bytes32 id, Project storage project, bytes32 by, Terms calldata terms) private {
        project.proposed = terms;
        project.accepted = _withOwn(id, 0, project.parties, by);
    }

    /// @inheritdoc IModels
    function accept(bytes32 id, uint64 revision, bytes32 digest, string calldata remark) external {
        bytes32 by = _act(id, revision, ModelsRules.ACCEPT, remark);
        Project storage project = _projects[id];
        bytes32 proposed = digestOf(id);
        if (proposed == 0) revert NothingProposed(id);
        if (digest != proposed) revert TermsDiffer(id, proposed);
        // What was proposed long ago and is over by now binds nobody.
        if (project.proposed.until <= block.timestamp) revert InvalidEntry("until");
        project.accepted = _withOwn(id, project.accepted, project.parties, by);
        _tell(id, ModelsRules.ACCEPT, by, remark);
        if (project.accepted == _everyone(project.parties.length)) _adopt(id, project, by);
    }

    function _adopt(bytes32 id, Project storage project, bytes32 by) private {
        uint256 rule = project.version == 0 ? ModelsRules.AGREE : ModelsRules.ADOPT;
        _follow(id, rule);
        project.terms = project.proposed;
        ++project.version;
        _drop(project);
        _tell(id, rule, by, "");
    }

    function _drop(Project storage project) private {
        delete project.proposed;
        project.accepted = 0;
    }

    /// @inheritdoc IModels
    function refuse(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _act(id, revision, ModelsRules.REFUSE, remark);
        _tell(id, ModelsRules.REFUSE, by, remark);
    }

    /// @inheritdoc IModels
    function withdraw(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _act(id, revision, ModelsRules.WITHDRAW, remark);
        _tell(id, ModelsRules.WITHDRAW, by, remark);
    }

    /// @inheritdoc IModels
    function amend(bytes32 id, uint64 revision, Terms calldata terms, string calldata remark) external {
        bytes32 by = _act(id, revision, ModelsRules.AMEND, remark);
        Project storage project = _projects[id];
        _checkTerms(terms, project.parties.length);
        _put(id, project, by, terms);
        _tell(id, ModelsRules.AMEND, by, remark);
    }

    /// @inheritdoc IModels
    function decline(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _act(id, revision, ModelsRules.DECLINE, remark);
        Project storage project = _projects[id];
        if (project.proposed.document == 0) revert NothingProposed(id);
        _drop(project);
        _tell(id, ModelsRules.DECLINE, by, remark);
    }

    /// @inheritdoc IModels
    function close(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _act(id, revision, ModelsRules.CLOSE, remark);
        _drop(_projects[id]);
        _tell(id, ModelsRules.CLOSE, by, remark);
    }

    function _tell(bytes32 id, uint256 rule, bytes32 by, string memory remark) private {
        Standing memory standing = _standing[id];
        emit ProjectActed(
            id, by, rule.act(), standing.revision, standing.state, _projects[id], digestOf(id), remark
        );
    }

    // ---- data sets ----------------------------------------------------------------------------

    /// @inheritdoc IModels
    function register(DataSet calldata dataSet, string calldata remark) external returns (bytes32 id) {
        bytes32 by = _callerWith(remark);
        Places.checkCurrent(NAME, address(this));
        if (dataSet.owner != by) revert InvalidEntry("owner");
        _checkHash(dataSet.schema);
        _checkHash(dataSet.commitment);
        _checkHash(dataSet.quality);
        if (dataSet.rows == 0 || dataSet.rows > ROWS_MAX) revert InvalidEntry("rows");
        if (dataSet.replaces != 0) {
            bytes32 former = dataSet.replaces;
            _act(former, 0, ModelsRules.SUPERSEDE, remark);
            _tellData(former, ModelsRules.SUPERSEDE, by, remark);
        }
        id = _make(Kind.DataSet, by, dataSet.number, ModelsRules.REGISTER);
        _dataSets[id] = dataSet;
        _tellData(id, ModelsRules.REGISTER, by, remark);
    }

    /// @inheritdoc IModels
    function remove(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _act(id, revision, ModelsRules.REMOVE, remark);
        _tellData(id, ModelsRules.REMOVE, by, remark);
    }

    function _tellData(bytes32 id, uint256 rule, bytes32 by, string calldata remark) private {
        Standing memory standing = _standing[id];
        emit DataSetActed(id, by, rule.act(), standing.revision, standing.state, _dataSets[id], remark);
    }

    // ---- grants -------------------------------------------------------------------------------

    /// @inheritdoc IModels
    function give(Grant calldata grant, string calldata remark) external returns (bytes32 id) {
        bytes32 by = _callerWith(remark);
        if (grant.owner != by) revert InvalidEntry("owner");
        if (_standing[grant.dataSet].state != ModelsRules.STATE_REGISTERED || _dataSets[grant.dataSet].owner != by) {
            revert InvalidEntry("dataSet");
        }
        if (!_isIn(_projects[grant.project].parties, by)) revert InvalidEntry("project");
        _checkOpen(grant.project);
        _checkHash(grant.fields);
        if (grant.until <= block.timestamp || grant.until > block.timestamp + TERM_SECONDS_MAX) {
            revert InvalidEntry("until");
        }
        id = _make(Kind.Grant, by, grant.number, ModelsRules.GIVE);
        _grants[id] = grant;
        _tellGrant(id, ModelsRules.GIVE, by, remark);
    }

    /// @inheritdoc IModels
    function revoke(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _act(id, revision, ModelsRules.REVOKE, remark);
        _tellGrant(id, ModelsRules.REVOKE, by, remark);
    }

    function _tellGrant(bytes32 id, uint256 rule, bytes32 by, string calldata remark) private {
        Standing memory standing = _standing[id];
        Grant memory grant = _grants[id];
        emit GrantActed(id, grant.project, rule.act(), by, standing.revision, standing.state, grant, remark);
    }

    // ---- for runs and releases ------------------------------------------------------------------

    function _checkOpen(bytes32 id) private view {
        uint8 state = _standing[id].state;
        uint48 until = _projects[id].terms.until;
        if (state != ModelsRules.STATE_AGREED || until < block.timestamp) revert ProjectNotOpen(id, state, until);
    }

    /// @inheritdoc IModels
    function checkRun(bytes32 id, bytes32 algorithm, bytes32 code) external view returns (Budget memory) {
        _checkOpen(id);
        Terms storage terms = _projects[id].terms;
        if (!_isIn(terms.algorithms, algorithm)) revert AlgorithmNotAllowed(id, algorithm);
        if (!_isIn(terms.codes, code)) revert CodeNotAllowed(id, code);
        return terms.budget;
    }

    /// @inheritdoc IModels
    function checkGrants(bytes32 project, bytes32[] calldata grants, bool fresh)
        external
        view
        returns (bytes32[] memory owners)
    {
        owners = new bytes32[](grants.length);
        for (uint256 i = 0; i < grants.length; ++i) {
            Grant storage grant = _grants[grants[i]];
            uint8 data = _standing[grant.dataSet].state;
            bool good = data == ModelsRules.STATE_REGISTERED || (!fresh && data == ModelsRules.STATE_SUPERSEDED);
            if (
                !good || _standing[grants[i]].state != ModelsRules.STATE_GIVEN || grant.project != project
                    || grant.until < block.timestamp
            ) revert GrantNotGood(grants[i]);
            owners[i] = grant.owner;
        }
    }

    // ---- for all acts -------------------------------------------------------------------------

    function _roles(bytes32 id, bytes32 organisation) internal view override returns (uint256 parties) {
        Project storage project = _projects[id];
        if (_isIn(project.parties, organisation)) parties |= ModelsRules.PARTY_PARTY;
        if (project.proposer == organisation) parties |= ModelsRules.PARTY_PROPOSER;
        if (_dataSets[id].owner == organisation) parties |= ModelsRules.PARTY_OWNER;
        if (_grants[id].owner == organisation) parties |= ModelsRules.PARTY_OWNER;
    }

    // ---- reading ------------------------------------------------------------------------------

    /// @inheritdoc IModels
    function projectOf(bytes32 id) external view returns (Project memory) {
        return _projects[id];
    }

    /// @inheritdoc IModels
    function partiesOf(bytes32 id) external view returns (bytes32[] memory parties, Part[] memory parts) {
        return (_projects[id].parties, _projects[id].parts);
    }

    /// @inheritdoc IModels
    function priceOf(bytes32 id) external view returns (uint128 price, bytes3 currency, uint16[] memory shares) {
        Terms storage terms = _projects[id].terms;
        return (terms.price, terms.currency, terms.shares);
    }

    /// @inheritdoc IModels
    function digestOf(bytes32 id) public view returns (bytes32) {
        Project storage project = _projects[id];
        if (project.proposed.document == 0) return 0;
        return keccak256(abi.encode(id, project.version + 1, project.parties, project.parts, project.proposed));
    }

    /// @inheritdoc IModels
    function dataSetOf(bytes32 id) external view returns (DataSet memory) {
        return _dataSets[id];
    }

    /// @inheritdoc IModels
    function grantOf(bytes32 id) external view returns (Grant memory) {
        return _grants[id];
    }
}
