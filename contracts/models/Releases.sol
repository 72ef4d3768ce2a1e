// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Places} from "../instruments/libraries/Places.sol";
import {Rules} from "../instruments/libraries/Rules.sol";
import {Dues} from "./bases/Dues.sol";
import {IModels} from "./interfaces/IModels.sol";
import {IReleases} from "./interfaces/IReleases.sol";
import {ModelPlaces} from "./libraries/ModelPlaces.sol";
import {ModelsRules} from "./libraries/ModelsRules.sol";

/// @title Releases
/// @notice Models that all parties have approved, counted use, and what is owed for it.
contract Releases is Dues {
    using Rules for uint256;

    bytes32 private constant NAME = "model-releases";
    /// @dev Of a batch, so far below the type's end that sums of all that is ever counted fit.
    uint256 private constant AMOUNT_MAX = 1 << 100;

    struct Line {
        uint64 calls;
        uint48 until;
    }

    mapping(bytes32 id => Release) private _releases;
    mapping(bytes32 project => bytes32 id) private _champions;
    mapping(bytes32 id => Contribution) private _agreed;
    mapping(bytes32 id => Contribution) private _proposed;
    mapping(bytes32 id => Batch) private _batches;
    mapping(bytes32 id => mapping(bytes32 asker => mapping(Mode mode => Line))) private _lines;
    mapping(bytes32 id => mapping(bytes32 party => bool)) private _disputed;

    // ---- releases -----------------------------------------------------------------------------

    /// @inheritdoc IReleases
    function offer(Draft calldata draft, string calldata remark) external returns (bytes32 id) {
        bytes32 by = _callerWith(remark);
        Places.checkCurrent(NAME, address(this));
        (bytes32 project, bytes32[] memory participants) = ModelPlaces.RUNS.checkCompleted(draft.run);
        if (!_isIn(participants, by)) revert NotEntitled(draft.run, ModelsRules.OFFER.act(), by);
        _checkHash(draft.card);
        _checkHash(draft.metrics);
        id = _make(Kind.Release, by, draft.number, ModelsRules.OFFER);
        Release storage release = _releases[id];
        release.project = project;
        release.run = draft.run;
        release.maker = by;
        release.number = draft.number;
        release.card = draft.card;
        release.metrics = draft.metrics;
        release.approved = _withOwn(id, 0, _partiesOf(project), by);
        if (draft.shares.length != participants.length) revert InvalidEntry("shares");
        for (uint256 i = 0; i < participants.length; ++i) {
            if (draft.shares[i].party != participants[i]) revert InvalidEntry("shares");
            _checkHash(draft.shares[i].model);
            _checkHash(draft.shares[i].data);
            release.shares.push(draft.shares[i]);
        }
        _tell(id, ModelsRules.OFFER, by, remark);
    }

    /// @inheritdoc IReleases
    function approve(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _act(id, revision, ModelsRules.APPROVE, remark);
        Release storage release = _releases[id];
        bytes32[] memory parties = _partiesOf(release.project);
        release.approved = _withOwn(id, release.approved, parties, by);
        _tell(id, ModelsRules.APPROVE, by, remark);
        if (release.approved != _everyone(parties.length)) return;
        _follow(id, ModelsRules.GO_LIVE);
        release.live = uint48(block.timestamp);
        _tell(id, ModelsRules.GO_LIVE, by, "");
    }

    /// @inheritdoc IReleases
    function reject(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _act(id, revision, ModelsRules.REJECT, remark);
        _tell(id, ModelsRules.REJECT, by, remark);
    }

    /// @inheritdoc IReleases
    function retire(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _act(id, revision, ModelsRules.RETIRE, remark);
        Release storage release = _releases[id];
        release.retired = uint48(block.timestamp);
        release.mark = Mark.None;
        if (_champions[release.project] == id) _champions[release.project] = 0;
        _tell(id, ModelsRules.RETIRE, by, remark);
    }

    /// @inheritdoc IReleases
    function mark(bytes32 id, uint64 revision, Mark content, string calldata remark) external {
        bytes32 by = _act(id, revision, ModelsRules.MARK, remark);
        Release storage release = _releases[id];
        bytes32 former = _champions[release.project];
        if (former == id) _champions[release.project] = 0;
        if (content == Mark.Champion) {
            _champions[release.project] = id;
            if (former != 0 && former != id) {
                ++_standing[former].revision;
                _releases[former].mark = Mark.None;
                _tell(former, ModelsRules.MARK, by, remark);
            }
        }
        release.mark = content;
        _tell(id, ModelsRules.MARK, by, remark);
    }

    function _tell(bytes32 id, uint256 rule, bytes32 by, string memory remark) private {
        Standing memory standing = _standing[id];
        Release memory release = _releases[id];
        emit ReleaseActed(id, release.project, rule.act(), by, standing.revision, standing.state, release, remark);
    }

    // ---- contribution -------------------------------------------------------------------------

    /// @inheritdoc IReleases
    function attribute(
        bytes32 id,
        uint64 revision,
        uint16[] calldata shares,
        bytes32 evidence,
        string calldata remark
    ) external {
        bytes32 by = _act(id, revision, ModelsRules.ATTRIBUTE, remark);
        bytes32[] memory parties = _partiesOf(_releases[id].project);
        _checkShares(shares, parties.length);
        _checkHash(evidence);
        Contribution storage proposed = _proposed[id];
        proposed.version = _agreed[id].version + 1;
        proposed.shares = shares;
        proposed.evidence = evidence;
        proposed.accepted = _withOwn(id, 0, parties, by);
        _tellContribution(id, ModelsRules.ATTRIBUTE, by, remark);
    }

    /// @inheritdoc IReleases
    function concur(bytes32 id, uint64 revision, bytes32 digest, string calldata remark) external {
        bytes32 by = _act(id, revision, ModelsRules.CONCUR, remark);
        bytes32 proposed = _digestOf(id);
        if (proposed == 0) revert NothingProposed(id);
        if (digest != proposed) revert TermsDiffer(id, proposed);
        bytes32[] memory parties = _partiesOf(_releases[id].project);
        _proposed[id].accepted = _withOwn(id, _proposed[id].accepted, parties, by);
        if (_proposed[id].accepted == _everyone(parties.length)) {
            _agreed[id] = _proposed[id];
            delete _proposed[id];
        }
        _tellContribution(id, ModelsRules.CONCUR, by, remark);
    }

    function _digestOf(bytes32 id) private view returns (bytes32) {
        Contribution storage proposed = _proposed[id];
        if (proposed.version == 0) return 0;
        return keccak256(abi.encode(id, proposed.version, proposed.shares, proposed.evidence));
    }

    function _tellContribution(bytes32 id, uint256 rule, bytes32 by, string calldata remark) private {
        emit ContributionActed(
            id,
            _releases[id].project,
            rule.act(),
            by,
            _standing[id].revision,
            _agreed[id],
            _proposed[id],
            _digestOf(id),
            remark
        );
    }

    // ---- use ----------------------------------------------------------------------------------

    /// @inheritdoc IReleases
    function count(Calls calldata calls, string calldata remark) external returns (bytes32 id) {
        bytes32 by = _callerWith(remark);
        Release storage release = _releases[calls.release];
        if (release.live == 0) revert UnknownRecord(calls.release);
        bytes32[] memory parties = _partiesOf(release.project);
        if (!_isIn(parties, by)) revert NotEntitled(calls.release, ModelsRules.COUNT.act(), by);
        _take(release, by, calls);
        id = _make(Kind.Batch, by, calls.number, ModelsRules.COUNT);
        Batch storage batch = _batches[id];
        batch.asker = by;
        batch.calls = calls;
        uint16[] memory shares = _price(release.project, batch);
        if (shares.length == 0) shares = _agreed[calls.release].shares;
        if (shares.length == 0) revert ContributionMissing(calls.release);
        uint128[] memory parts = _parts(batch.amount, shares);
        emit CallsCounted(id, release.project, calls.release, batch, parts, remark);
        _accrue(release.project, batch.currency, by, parties, parts, id);
    }

    /// @dev The next calls, in a period of their own.
    function _take(Release storage release, bytes32 by, Calls calldata calls) private {
        _checkHash(calls.root);
        if (calls.count == 0) revert InvalidEntry("count");
        Line storage line = _lines[calls.release][by][calls.mode];
        if (calls.first != line.calls + 1) revert WrongSequence(calls.release, line.calls + 1);
        uint48 since = line.until > release.live ? line.until : release.live;
        if (calls.since < since) revert PeriodTaken(calls.release, since);
        uint256 end = release.retired == 0 ? block.timestamp : release.retired;
        if (calls.until <= calls.since || calls.until > end) revert InvalidEntry("until");
        line.calls += calls.count;
        line.until = calls.until;
    }

    /// @dev What the batch costs, by the terms in force now.
    function _price(bytes32 project, Batch storage batch) private returns (uint16[] memory shares) {
        (batch.price, batch.currency, shares) = ModelPlaces.MODELS.priceOf(project);
        uint256 amount = uint256(batch.price) * batch.calls.count;
        if (amount > AMOUNT_MAX) revert InvalidEntry("count");
        batch.amount = uint128(amount);
    }

    /// @inheritdoc IReleases
    function dispute(bytes32 id, uint64 revision, uint32 own, bytes32 evidence, string calldata remark) external {
        bytes32 by = _act(id, revision, ModelsRules.DISPUTE, remark);
        _checkHash(evidence);
        Batch storage batch = _batches[id];
        if (own == batch.calls.count) revert InvalidEntry("count");
        if (_disputed[id][by]) revert DoneAlready(id, by);
        _disputed[id][by] = true;
        ++batch.disputes;
        bytes32 project = _releases[batch.calls.release].project;
        emit CallsDisputed(id, project, by, _standing[id].revision, own, evidence, remark);
    }

    // ---- for all acts -------------------------------------------------------------------------

    function _partiesOf(bytes32 project) private view returns (bytes32[] memory parties) {
        // slither-disable-next-line unused-return
        (parties,) = ModelPlaces.MODELS.partiesOf(project);
    }

    function _roles(bytes32 id, bytes32 organisation) internal view override returns (uint256 roles) {
        if (_payments[id].payer == organisation) roles |= ModelsRules.PARTY_PAYER;
        if (_payments[id].payee == organisation) roles |= ModelsRules.PARTY_PAYEE;
        bytes32 asker = _batches[id].asker;
        bytes32 project = _releases[asker == 0 ? id : _batches[id].calls.release].project;
        (bytes32[] memory parties, IModels.Part[] memory parts) = ModelPlaces.MODELS.partiesOf(project);
        uint256 place = _indexIn(parties, organisation);
        if (place >= parties.length) return roles;
        roles |= ModelsRules.PARTY_PARTY;
        if (parts[place] != IModels.Part.Host) roles |= ModelsRules.PARTY_LABEL_HOLDER;
        if (asker != 0) {
            roles |= asker == organisation ? ModelsRules.PARTY_ASKER : ModelsRules.PARTY_COUNTERPARTY;
        }
    }

    // ---- reading ------------------------------------------------------------------------------

    /// @inheritdoc IReleases
    function releaseOf(bytes32 id) external view returns (Release memory) {
        return _releases[id];
    }

    /// @inheritdoc IReleases
    function championOf(bytes32 project) external view returns (bytes32) {
        return _champions[project];
    }

    /// @inheritdoc IReleases
    function contributionOf(bytes32 id)
        external
        view
        returns (Contribution memory agreed, Contribution memory proposed, bytes32 digest)
    {
        return (_agreed[id], _proposed[id], _digestOf(id));
    }

    /// @inheritdoc IReleases
    function batchOf(bytes32 id) external view returns (Batch memory) {
        return _batches[id];
    }

    /// @inheritdoc IReleases
    function countedOf(bytes32 id, bytes32 asker, Mode mode) external view returns (uint64 calls, uint48 until) {
        Line storage line = _lines[id][asker][mode];
        return (line.calls, line.until);
    }
}
