// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IPayments} from "../interfaces/IPayments.sol";

/// @notice A Settlement that notes what it is asked to pay, and refuses on demand.
contract NotingSettlement is IPayments {
    uint256 public paid;
    uint256 public payments;
    bytes32 public lastNumber;
    bool public refuses;

    function refuse(bool yes) external {
        refuses = yes;
    }

    function payFor(bytes32, Payment calldata payment, bytes32 ref) external returns (bytes32 id) {
        require(!refuses, "no money");
        id = nextFor(ref);
        paid += payment.amount;
        lastNumber = payment.number;
        ++payments;
    }

    /// @notice As with the true one, anybody knows the next id before.
    function nextFor(bytes32 ref) public view returns (bytes32) {
        return keccak256(abi.encode(address(this), ref, payments + 1));
    }
}
