// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";
import {Places} from "../../instruments/libraries/Places.sol";
import {Rules} from "../../instruments/libraries/Rules.sol";
import {IModelActs} from "../interfaces/IModelActs.sol";

/// @title The way of every act
/// @notice As with instruments: parties, revision, state, in the order in which a caller can mend them.
abstract contract ModelActs is IModelActs {
    using Rules for uint256;

    uint256 private constant REMARK_BYTES_MAX = 256;
    uint256 internal constant BP_WHOLE = 10_000;

    struct Standing {
        uint64 revision;
        uint8 state;
    }

    mapping(bytes32 id => Standing) internal _standing;

    /// @dev The parties that the organisation is (bits from 8) to the record.
    function _roles(bytes32 id, bytes32 organisation) internal view virtual returns (uint256);

    /// @dev An act of the caller's organisation on a record that there is.
    function _act(bytes32 id, uint64 revision, uint256 rule, string memory remark) internal returns (bytes32 by) {
        by = _callerWith(remark);
        if (_standing[id].revision == 0) revert UnknownRecord(id);
        _proceed(id, revision, rule, by, Rules.ANYBODY | _roles(id, by));
    }

    /// @dev A record that the caller makes under a number of its own.
    function _make(Kind kind, bytes32 by, bytes32 number, uint256 rule) internal returns (bytes32 id) {
        if (number == 0) revert InvalidNumber(number);
        id = idOf(kind, by, number);
        if (_standing[id].revision != 0) revert RecordExists(id);
        _standing[id] = Standing(1, rule.next(0));
    }

    /// @dev What follows by itself from the act before, under a revision of its own.
    function _follow(bytes32 id, uint256 rule) internal {
        _proceed(id, 0, rule, 0, Rules.ITSELF);
    }

    /// @dev Checks, then the new state and revision.
    function _proceed(bytes32 id, uint64 revision, uint256 rule, bytes32 by, uint256 parties) private {
        Standing storage standing = _standing[id];
        if (!rule.isFor(parties)) revert NotEntitled(id, rule.act(), by);
        if (revision != 0 && revision != standing.revision) revert StaleRevision(id, revision, standing.revision);
        if (!rule.possibleIn(standing.state)) revert WrongState(id, rule.act(), standing.state);
        standing.state = rule.next(standing.state);
        ++standing.revision;
    }

    /// @dev Organisation of the caller: an active account, no device, of an active organisation.
    function _callerWith(string memory remark) internal view returns (bytes32 organisation) {
        if (bytes(remark).length > REMARK_BYTES_MAX) revert RemarkTooLong(bytes(remark).length);
        organisation = Places.CONSORTIUM.administers(msg.sender);
        if (organisation == 0) revert CallerNotActive(msg.sender);
    }

    // slither-disable-next-line dead-code
    function _checkActive(bytes32 organisation) internal view {
        if (Places.CONSORTIUM.statusOf(organisation) != IConsortium.Status.Active) {
            revert PartyNotActive(organisation);
        }
    }

    // slither-disable-next-line dead-code
    function _checkHash(bytes32 hash) internal pure {
        if (hash == 0) revert HashMissing();
    }

    // slither-disable-next-line dead-code
    function _checkShares(uint16[] memory shares, uint256 count) internal pure {
        if (shares.length != count) revert InvalidEntry("shares");
        uint256 sum = 0;
        for (uint256 i = 0; i < count; ++i) sum += shares[i];
        if (sum != BP_WHOLE) revert SharesDiffer(sum);
    }

    /// @dev Its place in the list; the list's length where it is not in it.
    function _indexIn(bytes32[] memory list, bytes32 one) internal pure returns (uint256 index) {
        while (index < list.length && list[index] != one) ++index;
    }

    // slither-disable-next-line dead-code
    function _isIn(bytes32[] memory list, bytes32 one) internal pure returns (bool) {
        return _indexIn(list, one) < list.length;
    }

    /// @dev Bits of the list's places, all of them.
    // slither-disable-next-line dead-code
    function _everyone(uint256 count) internal pure returns (uint16) {
        return uint16((1 << count) - 1);
    }

    /// @dev The bits with the organisation's own, which was not among them.
    // slither-disable-next-line dead-code
    function _withOwn(bytes32 id, uint16 bits, bytes32[] memory list, bytes32 by) internal pure returns (uint16) {
        uint16 own = uint16(1 << _indexIn(list, by));
        if (bits & own != 0) revert DoneAlready(id, by);
        return bits | own;
    }

    /// @inheritdoc IModelActs
    function standingOf(bytes32 id) external view returns (uint64 revision, uint8 state) {
        return (_standing[id].revision, _standing[id].state);
    }

    /// @inheritdoc IModelActs
    function idOf(Kind kind, bytes32 organisation, bytes32 number) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), kind, organisation, number));
    }
}
