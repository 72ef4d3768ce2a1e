// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Places} from "../../instruments/libraries/Places.sol";
import {Rules} from "../../instruments/libraries/Rules.sol";
import {ILoanActs} from "../interfaces/ILoanActs.sol";

/// @title The way of every act
/// @notice As with instruments: parties, revision, state, in the order in which a caller can mend them.
abstract contract LoanActs is ILoanActs {
    using Rules for uint256;

    uint256 private constant REMARK_BYTES_MAX = 256;

    struct Standing {
        uint64 revision;
        uint8 state;
    }

    mapping(bytes32 id => Standing) internal _standing;

    /// @dev The parties that the organisation is (bits from 8).
    function _roles(bytes32 id, bytes32 organisation) internal view virtual returns (uint256);

    /// @dev An act of the caller's organisation.
    function _act(bytes32 id, uint64 revision, uint256 rule, string calldata remark) internal returns (bytes32 by) {
        _checkRemark(remark);
        by = _caller();
        if (_standing[id].revision == 0) revert UnknownLoan(id);
        _begin(id, revision, rule, by, Rules.ANYBODY | _roles(id, by));
    }

    /// @dev Checks, then the new state and revision.
    function _begin(bytes32 id, uint64 revision, uint256 rule, bytes32 by, uint256 parties) internal {
        Standing storage standing = _standing[id];
        if (!rule.isFor(parties)) revert NotEntitled(id, rule.act(), by);
        if (revision != 0 && revision != standing.revision) revert StaleRevision(id, revision, standing.revision);
        if (!rule.possibleIn(standing.state)) revert WrongState(id, rule.act(), standing.state);
        standing.state = rule.next(standing.state);
        ++standing.revision;
    }

    /// @dev Organisation of the caller: an active account, no device, of an active organisation.
    function _caller() internal view returns (bytes32 organisation) {
        organisation = Places.CONSORTIUM.administers(msg.sender);
        if (organisation == 0) revert CallerNotActive(msg.sender);
    }

    function _checkRemark(string calldata remark) internal pure {
        if (bytes(remark).length > REMARK_BYTES_MAX) revert RemarkTooLong(bytes(remark).length);
    }

    /// @inheritdoc ILoanActs
    function standingOf(bytes32 id) external view returns (uint64 revision, uint8 state) {
        return (_standing[id].revision, _standing[id].state);
    }
}
