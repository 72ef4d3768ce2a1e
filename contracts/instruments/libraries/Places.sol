// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";
import {IDirectory} from "../../directory/interfaces/IDirectory.sol";
import {IClaims} from "../../claims/interfaces/IClaims.sol";
import {IPledges} from "../../pledges/interfaces/IPledges.sol";
import {IStock} from "../../stock/interfaces/IStock.sol";

/// @dev `IDirectory.current`, whose answer begins so: where the version is told from, and its address. The
/// note and the rest are not decoded.
interface ICurrent {
    function current(bytes32 name) external view returns (uint256 offset, address place);
}

/// @title Where genesis has put the contracts that others rely on
/// @notice Each has one version for ever, so that its address is a constant. Instruments come in versions:
/// they know each other by their names in the Directory.
library Places {
    IConsortium internal constant CONSORTIUM = IConsortium(0x7a11000000000000000000000000000000000001);
    IDirectory internal constant DIRECTORY = IDirectory(0x7a11000000000000000000000000000000000005);
    IClaims internal constant CLAIMS = IClaims(0x7A11000000000000000000000000000000000007);
    IStock internal constant STOCK = IStock(0x7A11000000000000000000000000000000000008);
    IPledges internal constant PLEDGES = IPledges(0x7A11000000000000000000000000000000000009);

    bytes32 internal constant RECEIPTS = "receipts";
    bytes32 internal constant RECEIVABLES = "receivables";
    bytes32 internal constant SETTLEMENT = "settlement";
    bytes32 internal constant FINANCING = "financing";

    /// @notice The members have named another version, `current`: this one goes on with what it has, and
    /// takes on nothing new.
    error NotCurrentVersion(bytes32 name, address current);

    /// @notice Whether the address is a version of a contract whose records stand for goods or debts.
    function isInstrument(address place) internal view returns (bool) {
        bytes32 name = DIRECTORY.nameOf(place);
        return name == RECEIPTS || name == RECEIVABLES;
    }

    /// @notice The version that the members have named last. Reverts where the name is unknown.
    function currentOf(bytes32 name) internal view returns (address place) {
        // slither-disable-next-line unused-return
        (, place) = ICurrent(address(DIRECTORY)).current(name);
    }

    /// @notice What begins a record is for the current version of a contract alone. Reverts for another one.
    function checkCurrent(bytes32 name, address version) internal view {
        address place = currentOf(name);
        if (place != version) revert NotCurrentVersion(name, place);
    }
}
