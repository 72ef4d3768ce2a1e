// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsortium} from "../consortium/interfaces/IConsortium.sol";
import {IInstrument} from "../instruments/interfaces/IInstrument.sol";
import {Codes} from "../instruments/libraries/Codes.sol";
import {Places} from "../instruments/libraries/Places.sol";
import {Rules} from "../instruments/libraries/Rules.sol";
import {IPledges} from "./interfaces/IPledges.sol";
import {PledgeRules} from "./libraries/PledgeRules.sol";

/// @title Pledges
/// @notice Security rights in instruments, from proposal to release or enforcement.
contract Pledges is IPledges {
    using Rules for uint256;

    uint256 private constant REMARK_BYTES_MAX = 256;

    /// @notice Nobody has a security right against himself.
    error InvalidPledgee(bytes32 organisation);

    mapping(bytes32 pledge => Pledge) private _pledges;
    mapping(address instrument => mapping(bytes32 id => bytes32 pledge)) private _covering;
    mapping(bytes32 pledge => address financing) private _makers;

    // ---- by agreement -------------------------------------------------------------------------

    /// @inheritdoc IPledges
    function propose(
        address instrument,
        bytes32 id,
        uint64 revision,
        bytes32 pledgee,
        Terms calldata terms,
        string calldata remark
    ) external returns (bytes32 key) {
        _checkRemark(remark);
        bytes32 by = _caller();
        IInstrument.Control memory control = _known(instrument).control(id);
        // In the instrument's words: who may have it encumbered.
        if (control.revision == 0) revert IInstrument.UnknownInstrument(id);
        if (control.holder != by) revert IInstrument.NotEntitled(id, Rules.ENCUMBER, by);
        if (control.pledgee != 0) revert AlreadyPledged(instrument, id, control.pledgee);
        if (control.revision != revision) revert IInstrument.StaleRevision(id, revision, control.revision);
        key = _make(PledgeRules.PROPOSE, instrument, id, revision, by, pledgee, terms, 0);
        _become(key, PledgeRules.PROPOSE, by, remark);
    }

    /// @inheritdoc IPledges
    function accept(bytes32 key, string calldata remark) external {
        bytes32 by = _act(key, PledgeRules.ACCEPT, remark);
        if (_pledges[key].terms.due <= block.timestamp) revert InvalidTerms();
        _become(key, PledgeRules.ACCEPT, by, remark);
        _encumber(key);
    }

    /// @inheritdoc IPledges
    function decline(bytes32 key, string calldata remark) external {
        bytes32 by = _act(key, PledgeRules.DECLINE, remark);
        _become(key, PledgeRules.DECLINE, by, remark);
    }

    /// @inheritdoc IPledges
    function withdraw(bytes32 key, string calldata remark) external {
        bytes32 by = _act(key, PledgeRules.WITHDRAW, remark);
        _become(key, PledgeRules.WITHDRAW, by, remark);
    }

    // ---- the end ------------------------------------------------------------------------------

    /// @inheritdoc IPledges
    function release(bytes32 key, bytes32[] calldata ids, string calldata remark) external {
        bytes32 by = _act(key, PledgeRules.RELEASE, remark);
        _free(key, ids, PledgeRules.RELEASE, PledgeRules.RELEASE_SOME, by, remark);
    }

    /// @inheritdoc IPledges
    function annul(bytes32 key, bytes32[] calldata ids, bytes32 decision, string calldata remark) external {
        bytes32 by = _act(key, PledgeRules.ANNUL, remark);
        if (decision == 0) revert DecisionMissing();
        for (uint256 i = 0; i < ids.length; ++i) {
            if (!IInstrument(_pledges[key].instrument).isFrozenBy(ids[i], by)) revert NotFrozen(ids[i], by);
        }
        emit PledgeAnnulled(key, by, decision, ids);
        _free(key, ids, PledgeRules.ANNUL, PledgeRules.ANNUL_SOME, by, remark);
    }

    /// @dev Instruments are covered no longer; `all` is the act with the last of them, `some` that before.
    function _free(
        bytes32 key,
        bytes32[] calldata ids,
        uint256 all,
        uint256 some,
        bytes32 by,
        string memory remark
    ) private {
        Pledge storage entry = _pledges[key];
        if (ids.length == 0) revert NotCovered(key, 0);
        for (uint256 i = 0; i < ids.length; ++i) _uncover(key, ids[i], 0);
        _become(key, entry.assets == 0 ? all : some, by, remark);
        for (uint256 i = 0; i < ids.length; ++i) IInstrument(entry.instrument).disencumber(ids[i], entry.pledgee);
    }

    /// @inheritdoc IPledges
    function declareDefault(bytes32 key, string calldata remark) external {
        bytes32 by = _act(key, PledgeRules.DECLARE_DEFAULT, remark);
        if (block.timestamp <= _pledges[key].terms.due) revert TooEarly(key, _pledges[key].terms.due);
        _become(key, PledgeRules.DECLARE_DEFAULT, by, remark);
    }

    /// @inheritdoc IPledges
    function cure(bytes32 key, string calldata remark) external {
        bytes32 by = _act(key, PledgeRules.CURE, remark);
        _become(key, PledgeRules.CURE, by, remark);
    }

    /// @inheritdoc IPledges
    function enforce(bytes32 key, bytes32[] calldata ids, bytes32 to, string calldata remark) external {
        Pledge storage entry = _pledges[key];
        bytes32 by = _act(key, PledgeRules.ENFORCE, remark);
        uint48 until = entry.since + entry.terms.noticeSeconds;
        if (block.timestamp < until) revert TooEarly(key, until);
        if (ids.length == 0) revert NotCovered(key, 0);
        for (uint256 i = 0; i < ids.length; ++i) _uncover(key, ids[i], to);
        _become(key, entry.assets == 0 ? PledgeRules.ENFORCE : PledgeRules.ENFORCE_SOME, by, remark);
        for (uint256 i = 0; i < ids.length; ++i) IInstrument(entry.instrument).seize(ids[i], by, to);
    }

    // ---- with a loan ----------------------------------------------------------------------------

    /// @inheritdoc IPledges
    function secure(
        address instrument,
        bytes32 id,
        uint64 revision,
        bytes32 pledgor,
        bytes32 pledgee,
        Terms calldata terms,
        bytes32 loan
    ) external returns (bytes32 key) {
        _checkFinancing();
        _known(instrument);
        key = _make(PledgeRules.SECURE, instrument, id, revision, pledgor, pledgee, terms, loan);
        _makers[key] = msg.sender;
        _become(key, PledgeRules.SECURE, pledgee, "");
        _encumber(key);
    }

    /// @inheritdoc IPledges
    function discharge(bytes32 key, bytes32[] calldata ids) external {
        if (_pledges[key].state == State.None) revert UnknownPledge(key);
        if (_makers[key] != msg.sender) revert CallerNotActive(msg.sender);
        bytes32 pledgee = _pledges[key].pledgee;
        _check(key, PledgeRules.DISCHARGE, pledgee, Rules.FINANCING);
        _free(key, ids, PledgeRules.DISCHARGE, PledgeRules.DISCHARGE_SOME, pledgee, "");
    }

    // ---- instruments --------------------------------------------------------------------------

    /// @inheritdoc IPledges
    function succeeded(bytes32 id, bytes32[] calldata successors) external {
        bytes32 key = _covering[msg.sender][id];
        if (key == 0) revert NotCovered(0, id);
        _uncover(key, id, 0);
        for (uint256 i = 0; i < successors.length; ++i) _cover(key, successors[i]);
    }

    // ---- within -------------------------------------------------------------------------------

    function _make(
        uint256 rule,
        address instrument,
        bytes32 id,
        uint64 revision,
        bytes32 pledgor,
        bytes32 pledgee,
        Terms calldata terms,
        bytes32 loan
    ) private returns (bytes32 key) {
        bool meant = terms.amount != 0 && Codes.isCurrency(terms.currency) && terms.terms != 0;
        if (!meant || terms.due <= block.timestamp) revert InvalidTerms();
        if (pledgee == pledgor) revert InvalidPledgee(pledgee);
        _checkBank(pledgee);
        key = keccak256(abi.encode(instrument, id, revision, pledgor, pledgee, terms, loan));
        if (!rule.possibleIn(uint8(_pledges[key].state))) revert PledgeExists(key);
        Pledge storage entry = _pledges[key];
        entry.instrument = instrument;
        entry.id = id;
        entry.instrumentRevision = revision;
        entry.pledgor = pledgor;
        entry.pledgee = pledgee;
        entry.terms = terms;
        entry.loan = loan;
    }

    function _encumber(bytes32 key) private {
        Pledge storage entry = _pledges[key];
        bytes32 other = _covering[entry.instrument][entry.id];
        if (other != 0) revert AlreadyPledged(entry.instrument, entry.id, _pledges[other].pledgee);
        _cover(key, entry.id);
        IInstrument(entry.instrument).encumber(entry.id, entry.instrumentRevision, entry.pledgor, entry.pledgee);
    }

    function _cover(bytes32 key, bytes32 id) private {
        Pledge storage entry = _pledges[key];
        _covering[entry.instrument][id] = key;
        ++entry.assets;
        emit AssetCovered(key, entry.instrument, id);
    }

    function _uncover(bytes32 key, bytes32 id, bytes32 to) private {
        Pledge storage entry = _pledges[key];
        if (_covering[entry.instrument][id] != key) revert NotCovered(key, id);
        delete _covering[entry.instrument][id];
        --entry.assets;
        emit AssetFreed(key, entry.instrument, id, to);
    }

    /// @dev The state after an act, and its event.
    function _become(bytes32 key, uint256 rule, bytes32 by, string memory remark) private {
        Pledge storage entry = _pledges[key];
        State state = State(rule.next(uint8(entry.state)));
        if (state != entry.state) entry.since = uint48(block.timestamp);
        entry.state = state;
        emit PledgeChanged(key, by, state, entry, remark);
    }

    /// @dev An act of the caller's organisation, in the order in which a caller can mend what is wrong.
    function _act(bytes32 key, uint256 rule, string calldata remark) private view returns (bytes32 by) {
        _checkRemark(remark);
        if (_pledges[key].state == State.None) revert UnknownPledge(key);
        by = _caller();
        _check(key, rule, by, _parties(key, by));
    }

    /// @dev By the table (machine.toml).
    function _check(bytes32 key, uint256 rule, bytes32 by, uint256 parties) private view {
        State state = _pledges[key].state;
        if (!rule.isFor(parties)) revert NotParty(key, by);
        if (!rule.possibleIn(uint8(state))) revert WrongState(key, state);
    }

    function _parties(bytes32 key, bytes32 organisation) private view returns (uint256 parties) {
        if (organisation == _pledges[key].pledgor) parties |= PledgeRules.PARTY_PLEDGOR;
        if (organisation == _pledges[key].pledgee) parties |= Rules.PLEDGEE;
        IConsortium.Role role = Places.CONSORTIUM.roleOf(msg.sender);
        if (role == IConsortium.Role.Regulator || role == IConsortium.Role.Arbitrator) parties |= Rules.AUTHORITY;
    }

    function _known(address instrument) private view returns (IInstrument) {
        if (!Places.isInstrument(instrument)) revert NotInstrument(instrument);
        return IInstrument(instrument);
    }

    function _caller() private view returns (bytes32 organisation) {
        organisation = Places.CONSORTIUM.administers(msg.sender);
        if (organisation == 0) revert CallerNotActive(msg.sender);
    }

    function _checkFinancing() private view {
        if (Places.DIRECTORY.nameOf(msg.sender) != Places.FINANCING) revert CallerNotActive(msg.sender);
    }

    function _checkBank(bytes32 organisation) private view {
        IConsortium.Organisation memory known = Places.CONSORTIUM.organisation(organisation);
        if (known.status != IConsortium.Status.Active || known.role != IConsortium.Role.Bank) {
            revert NotBank(organisation);
        }
    }

    function _checkRemark(string calldata remark) private pure {
        if (bytes(remark).length > REMARK_BYTES_MAX) revert RemarkTooLong(bytes(remark).length);
    }

    // ---- reading ------------------------------------------------------------------------------

    /// @inheritdoc IPledges
    function pledge(bytes32 key) external view returns (Pledge memory) {
        return _pledges[key];
    }

    /// @inheritdoc IPledges
    function pledgeOf(address instrument, bytes32 id) external view returns (bytes32) {
        return _covering[instrument][id];
    }
}
