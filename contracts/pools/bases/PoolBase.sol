// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";
import {Places} from "../../instruments/libraries/Places.sol";
import {IPoolBase} from "../interfaces/IPoolBase.sol";

/// @title Who acts, when, and with which words
abstract contract PoolBase is IPoolBase {
    uint256 private constant REMARK_BYTES_MAX = 256;
    /// @dev Amounts stay so far below their type's end that sums and products of the waterfall fit.
    uint256 internal constant AMOUNT_MAX = 1 << 100;
    uint256 internal constant BP_MAX = 10_000;
    uint32 internal constant PERIOD_DAYS_MAX = 3_660;
    /// @dev A date has begun somewhere on earth before it does in UTC.
    uint256 private constant EARLIEST_ZONE = 14 hours;

    /// @dev Organisation of the caller: an active account, no device, of an active organisation.
    function _caller() internal view returns (bytes32 organisation) {
        organisation = Places.CONSORTIUM.administers(msg.sender);
        if (organisation == 0) revert CallerNotActive(msg.sender);
    }

    // slither-disable-next-line dead-code
    function _isActive(bytes32 organisation) internal view returns (bool) {
        return Places.CONSORTIUM.statusOf(organisation) == IConsortium.Status.Active;
    }

    function _checkState(bytes32 id, State state, State wanted) internal pure {
        if (state == State.None) revert UnknownPool(id);
        if (state != wanted) revert WrongPoolState(id, state);
    }

    function _checkRemark(string calldata remark) internal pure {
        if (bytes(remark).length > REMARK_BYTES_MAX) revert RemarkTooLong(bytes(remark).length);
    }

    function _checkReason(string calldata reason) internal pure {
        if (bytes(reason).length == 0) revert ReasonMissing();
        _checkRemark(reason);
    }

    function _checkDate(uint32 date) internal view {
        if (date == 0 || date > (block.timestamp + EARLIEST_ZONE) / 1 days) revert DateInFuture(date);
    }
}
