// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {FinanceScene} from "@tally/forge/FinanceScene.sol";
import {IReceipts} from "../interfaces/IReceipts.sol";

contract ReceiptsTest is FinanceScene {
    bytes32 private lot;
    bytes32 private id;

    function setUp() public {
        _found();
        lot = _lot("wheat 1", 1000);
        id = _issued("1", lot, 100);
    }

    function test_a_receipt_is_issued_against_counted_stock() public view {
        vm.assertEq(STOCK.lotOf(lot).live, 100, "live");
        vm.assertEq(RECEIPTS.receipt(id).holder, TRADER, "holder");
    }

    function test_pledged() public {
        _pledged(address(RECEIPTS), id, BANK);
        vm.assertEq(RECEIPTS.receipt(id).pledgee, BANK, "pledgee");
    }
}
