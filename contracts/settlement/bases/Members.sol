// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";
import {Places} from "../../instruments/libraries/Places.sol";
import {IMembers} from "../interfaces/IMembers.sol";

/// @title Who calls, and under which number
abstract contract Members is IMembers {
    uint256 private constant REMARK_BYTES_MAX = 256;

    mapping(bytes32 id => bool) private _used;

    function _caller() internal view returns (bytes32 organisation) {
        organisation = Places.CONSORTIUM.administers(msg.sender);
        if (organisation == 0) revert CallerNotActive(msg.sender);
    }

    function _callerWith(string calldata remark) internal view returns (bytes32) {
        if (bytes(remark).length > REMARK_BYTES_MAX) revert RemarkTooLong(bytes(remark).length);
        return _caller();
    }

    // slither-disable-next-line dead-code
    function _bankWith(string calldata remark) internal view returns (bytes32 bank) {
        bank = _callerWith(remark);
        if (Places.CONSORTIUM.roleOf(msg.sender) != IConsortium.Role.Bank) revert NotBank(bank);
    }

    function _isAuthority() internal view returns (bool) {
        IConsortium.Role role = Places.CONSORTIUM.roleOf(msg.sender);
        return role == IConsortium.Role.Regulator || role == IConsortium.Role.Arbitrator;
    }

    function _checkActive(bytes32 organisation) internal view {
        if (Places.CONSORTIUM.statusOf(organisation) != IConsortium.Status.Active) {
            revert PartyNotActive(organisation);
        }
    }

    // slither-disable-next-line dead-code
    function _isBank(bytes32 organisation) internal view returns (bool) {
        IConsortium.Organisation memory known = Places.CONSORTIUM.organisation(organisation);
        return known.status == IConsortium.Status.Active && known.role == IConsortium.Role.Bank;
    }

    /// @dev Whatever its standing.
    // slither-disable-next-line dead-code
    function _hasRoleBank(bytes32 organisation) internal view returns (bool) {
        return Places.CONSORTIUM.organisation(organisation).role == IConsortium.Role.Bank;
    }

    // slither-disable-next-line dead-code
    function _checkBank(bytes32 organisation) internal view {
        if (!_isBank(organisation)) revert NotBank(organisation);
    }

    /// @dev Three capital letters.
    function _checkCurrency(bytes3 currency) internal pure {
        for (uint256 i = 0; i < 3; ++i) {
            if (currency[i] < "A" || currency[i] > "Z") revert InvalidCurrency(currency);
        }
    }

    /// @dev Takes the organisation's number for good.
    function _number(bytes32 organisation, bytes32 number) internal returns (bytes32 id) {
        if (number == 0) revert InvalidNumber(number);
        id = idOf(organisation, number);
        if (_used[id]) revert NumberUsed(organisation, number);
        _used[id] = true;
    }

    /// @dev Only the contract, in any of its versions, that the members have given this name.
    function _checkNamed(bytes32 name) internal view {
        if (Places.DIRECTORY.nameOf(msg.sender) != name) revert NotCaller(msg.sender);
    }

    /// @inheritdoc IMembers
    function idOf(bytes32 organisation, bytes32 number) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), organisation, number));
    }
}
