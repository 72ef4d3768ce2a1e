// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";
import {IInstrument} from "../interfaces/IInstrument.sol";
import {Places} from "../libraries/Places.sol";
import {Rules} from "../libraries/Rules.sol";

/// @title Control of an instrument
/// @notice One way for every act: who, in which state, under whose freeze or pledge. An instrument adds its
/// own acts and says what its records hold beside control.
abstract contract Instrument is IInstrument {
    using Rules for uint256;

    uint256 internal constant REMARK_BYTES_MAX = 256;
    uint8 private constant FREEZES_MAX = 8;

    mapping(bytes32 id => Control) internal _controls;
    mapping(bytes32 id => mapping(bytes32 authority => bool)) private _frozenBy;
    mapping(bytes32 id => address settlement) private _lockedBy;

    // ---- what an instrument says of itself --------------------------------------------------------

    /// @dev The table's word for an act that all instruments have (see `Rules`).
    function _common(uint8 act) internal pure virtual returns (uint256);

    /// @dev The instrument's own parties that the organisation is (bits from 8).
    function _roles(bytes32 id, bytes32 organisation) internal view virtual returns (uint256);

    /// @dev Full control goes to another organisation, whatever stood open between the former parties.
    function _handOver(bytes32 id, bytes32 to) internal virtual;

    /// @dev An act of those below is done: tell it.
    function _done(bytes32 id, uint256 rule, bytes32 by, bytes32 detail, string memory remark) internal virtual;

    // ---- the way of every act -----------------------------------------------------------------

    /// @dev Organisation of the caller: an active account, no device, of an active organisation.
    function _caller() internal view returns (bytes32 organisation) {
        organisation = Places.CONSORTIUM.administers(msg.sender);
        if (organisation == 0) revert CallerNotActive(msg.sender);
    }

    /// @dev An act of the caller's organisation.
    function _act(bytes32 id, uint64 revision, uint256 rule) internal returns (bytes32 by) {
        by = _caller();
        _begin(id, revision, rule, by, _parties(id, by));
    }

    /// @dev An act of another contract on behalf of an organisation.
    function _actFor(bytes32 id, uint64 revision, uint8 act) private {
        bytes32 name = Places.DIRECTORY.nameOf(msg.sender);
        uint256 parties = 0;
        if (msg.sender == address(Places.PLEDGES)) parties = Rules.PLEDGES;
        else if (name == Places.SETTLEMENT) parties = Rules.SETTLEMENT;
        else if (name == Places.FINANCING) parties = Rules.FINANCING;
        _begin(id, revision, _common(act), 0, parties);
    }

    /// @dev Checks in the order in which a caller can mend them; then the new state and revision.
    function _begin(bytes32 id, uint64 revision, uint256 rule, bytes32 by, uint256 parties) internal {
        Control storage control_ = _controls[id];
        if (!rule.isFor(parties)) revert NotEntitled(id, rule.act(), by);
        if (revision != 0 && revision != control_.revision) revert StaleRevision(id, revision, control_.revision);
        if (!rule.possibleIn(control_.state)) revert WrongState(id, rule.act(), control_.state);
        if (control_.freezes != 0 && !rule.whileFrozen()) revert InstrumentFrozen(id);
        if (control_.locked && !rule.whileLocked()) revert InstrumentLocked(id);
        if (control_.pledgee != 0) _checkPledge(id, control_, rule);
        control_.permit = 0;
        control_.state = rule.next(control_.state);
        ++control_.revision;
    }

    function _checkPledge(bytes32 id, Control storage control_, uint256 rule) private view {
        uint8 mode = rule.whilePledged();
        if (mode == Rules.PLEDGED_FREE) return;
        // keccak-256 of the whole call: the pledgee allows these arguments and no others.
        bool permitted = mode == Rules.PLEDGED_PERMIT && control_.permit == keccak256(msg.data);
        if (!permitted) revert InstrumentPledged(id, control_.pledgee);
    }

    function _parties(bytes32 id, bytes32 organisation) internal view returns (uint256 parties) {
        Control storage control_ = _controls[id];
        if (control_.revision == 0) revert UnknownInstrument(id);
        parties = Rules.ANYBODY | _roles(id, organisation);
        if (organisation == control_.holder) parties |= Rules.HOLDER;
        if (organisation == control_.pledgee) parties |= Rules.PLEDGEE;
        if (_isAuthority(Places.CONSORTIUM.roleOf(msg.sender))) parties |= Rules.AUTHORITY;
    }

    /// @dev A record that did not exist, made by `by` for `holder`.
    function _create(bytes32 id, uint256 rule, bytes32 by, uint256 parties, bytes32 holder) internal {
        if (_controls[id].revision != 0) revert InstrumentExists(id);
        _checkActive(holder);
        _begin(id, 0, rule, by, parties);
        _controls[id].holder = holder;
    }

    function _checkActive(bytes32 organisation) internal view {
        if (Places.CONSORTIUM.statusOf(organisation) != IConsortium.Status.Active) {
            revert PartyNotActive(organisation);
        }
    }

    function _checkRemark(string calldata remark) internal pure {
        if (bytes(remark).length > REMARK_BYTES_MAX) revert RemarkTooLong(bytes(remark).length);
    }

    // ---- authorities --------------------------------------------------------------------------

    /// @inheritdoc IInstrument
    function freeze(bytes32 id, uint64 revision, bytes32 decision, string calldata remark) external {
        bytes32 by = _decide(id, revision, Rules.FREEZE, decision, remark);
        if (_frozenBy[id][by]) revert FreezeUnchanged(id, by);
        if (_controls[id].freezes == FREEZES_MAX) revert TooManyFreezes(id);
        _frozenBy[id][by] = true;
        ++_controls[id].freezes;
        _done(id, _common(Rules.FREEZE), by, decision, remark);
    }

    /// @inheritdoc IInstrument
    function unfreeze(bytes32 id, uint64 revision, bytes32 authority, bytes32 decision, string calldata remark)
        external
    {
        bytes32 by = _decide(id, revision, Rules.UNFREEZE, decision, remark);
        if (!_frozenBy[id][authority]) revert FreezeUnchanged(id, authority);
        if (authority != by && _sits(authority)) revert NotEntitled(id, Rules.UNFREEZE, by);
        _frozenBy[id][authority] = false;
        --_controls[id].freezes;
        _done(id, _common(Rules.UNFREEZE), by, decision, remark);
    }

    /// @dev Whether it is active, and an authority still.
    function _sits(bytes32 authority) private view returns (bool) {
        IConsortium.Organisation memory known = Places.CONSORTIUM.organisation(authority);
        return known.status == IConsortium.Status.Active && _isAuthority(known.role);
    }

    function _isAuthority(IConsortium.Role role) private pure returns (bool) {
        return role == IConsortium.Role.Regulator || role == IConsortium.Role.Arbitrator;
    }

    /// @inheritdoc IInstrument
    function award(bytes32 id, uint64 revision, bytes32 to, bytes32 decision, string calldata remark) external {
        bytes32 by = _decide(id, revision, Rules.AWARD, decision, remark);
        if (!_frozenBy[id][by]) revert FreezeUnchanged(id, by);
        _checkActive(to);
        _handOver(id, to);
        _done(id, _common(Rules.AWARD), by, decision, remark);
    }

    function _decide(bytes32 id, uint64 revision, uint8 act, bytes32 decision, string calldata remark)
        private
        returns (bytes32 by)
    {
        if (decision == 0) revert DecisionMissing();
        _checkRemark(remark);
        by = _act(id, revision, _common(act));
    }

    // ---- security rights ----------------------------------------------------------------------

    /// @inheritdoc IInstrument
    function permit(bytes32 id, uint64 revision, bytes32 call, string calldata remark) external {
        _checkRemark(remark);
        bytes32 by = _act(id, revision, _common(Rules.PERMIT));
        _controls[id].permit = call;
        _done(id, _common(Rules.PERMIT), by, call, remark);
    }

    /// @inheritdoc IInstrument
    function encumber(bytes32 id, uint64 revision, bytes32 by, bytes32 pledgee) external {
        _actFor(id, revision, Rules.ENCUMBER);
        _checkHolder(id, Rules.ENCUMBER, by);
        _checkActive(by);
        _controls[id].pledgee = pledgee;
        _done(id, _common(Rules.ENCUMBER), by, pledgee, "");
    }

    /// @inheritdoc IInstrument
    function disencumber(bytes32 id, bytes32 pledgee) external {
        _actFor(id, 0, Rules.DISENCUMBER);
        _checkPledgee(id, Rules.DISENCUMBER, pledgee);
        _controls[id].pledgee = 0;
        _done(id, _common(Rules.DISENCUMBER), pledgee, pledgee, "");
    }

    /// @inheritdoc IInstrument
    function seize(bytes32 id, bytes32 pledgee, bytes32 to) external {
        _actFor(id, 0, Rules.SEIZE);
        _checkPledgee(id, Rules.SEIZE, pledgee);
        _checkActive(to);
        _controls[id].pledgee = 0;
        _handOver(id, to);
        _done(id, _common(Rules.SEIZE), pledgee, to, "");
    }

    // ---- settlement ---------------------------------------------------------------------------

    /// @inheritdoc IInstrument
    function lock(bytes32 id, uint64 revision, bytes32 by) external {
        _actFor(id, revision, Rules.LOCK);
        _checkHolder(id, Rules.LOCK, by);
        _checkActive(by);
        _controls[id].locked = true;
        _lockedBy[id] = msg.sender;
        _done(id, _common(Rules.LOCK), by, 0, "");
    }

    /// @inheritdoc IInstrument
    function unlock(bytes32 id) external {
        _actFor(id, 0, Rules.UNLOCK);
        if (_lockedBy[id] != msg.sender) revert NotLocked(id);
        _unlock(id);
        _done(id, _common(Rules.UNLOCK), _controls[id].holder, 0, "");
    }

    /// @inheritdoc IInstrument
    function settle(bytes32 id, uint64 revision, bytes32 from, bytes32 to) external {
        _actFor(id, revision, Rules.SETTLE);
        _checkHolder(id, Rules.SETTLE, from);
        if (!_controls[id].locked) _checkActive(from); // what was promised is kept
        else if (_lockedBy[id] != msg.sender) revert InstrumentLocked(id);
        _checkActive(to);
        _unlock(id);
        _handOver(id, to);
        _done(id, _common(Rules.SETTLE), from, to, "");
    }

    function _unlock(bytes32 id) private {
        _controls[id].locked = false;
        delete _lockedBy[id];
    }

    /// @dev Whether the organisation may dispose of the instrument alone.
    // slither-disable-next-line dead-code
    function _disposes(bytes32 id, bytes32 organisation) internal view virtual returns (bool) {
        return _controls[id].holder == organisation;
    }

    function _checkHolder(bytes32 id, uint8 act, bytes32 organisation) private view {
        if (!_disposes(id, organisation)) revert NotEntitled(id, act, organisation);
    }

    function _checkPledgee(bytes32 id, uint8 act, bytes32 organisation) private view {
        if (_controls[id].pledgee != organisation || organisation == 0) revert NotEntitled(id, act, organisation);
    }

    // ---- reading ------------------------------------------------------------------------------

    /// @inheritdoc IInstrument
    function control(bytes32 id) external view returns (Control memory) {
        return _controls[id];
    }

    /// @inheritdoc IInstrument
    function isLive(bytes32 id) external view virtual returns (bool) {
        return _common(Rules.FREEZE).possibleIn(_controls[id].state);
    }

    /// @inheritdoc IInstrument
    function isFrozenBy(bytes32 id, bytes32 authority) external view returns (bool) {
        return _frozenBy[id][authority];
    }
}
