// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {FinanceScene} from "@tally/forge/FinanceScene.sol";
import {IClaims} from "../../claims/interfaces/IClaims.sol";
import {IInstrument} from "../../instruments/interfaces/IInstrument.sol";
import {IStock} from "../../stock/interfaces/IStock.sol";
import {IReceipts} from "../interfaces/IReceipts.sol";
import {ReceiptRules} from "../libraries/ReceiptRules.sol";

/// @notice Split, merge, hand out, correct, expire, change of medium: goods and claims beside the receipts.
contract GoodsTest is FinanceScene {
    bytes32 private constant KEY_A = keccak256("item a");
    bytes32 private constant KEY_B = keccak256("item b");

    bytes32 private lot;
    bytes32 private id;

    function setUp() public {
        _found();
        lot = _lot("wheat 1", 1_000);
        IReceipts.Draft memory draft = _draft("A-1", lot, 100);
        draft.keys = _two(KEY_A, KEY_B);
        _as(WAREHOUSE);
        id = RECEIPTS.issue(draft, "");
    }

    function _one(bytes32 a) private pure returns (bytes32[] memory list) {
        list = new bytes32[](1);
        list[0] = a;
    }

    function _two(bytes32 a, bytes32 b) private pure returns (bytes32[] memory list) {
        list = new bytes32[](2);
        (list[0], list[1]) = (a, b);
    }

    function _actRefused(bytes32 who, bytes memory data, bytes4 error_) private {
        _refused(who, address(RECEIPTS), data, error_);
    }

    function _state(bytes32 of_) private view returns (uint256) {
        return RECEIPTS.receipt(of_).state;
    }

    function _surrender(IReceipts.Purpose purpose) private {
        _as(TRADER);
        RECEIPTS.surrender(id, 0, purpose, "");
    }

    // ---- parts --------------------------------------------------------------------------------

    function _splitCall(uint128 a, uint128 b, bytes32[] memory left, bytes32[] memory right)
        private
        view
        returns (bytes memory)
    {
        uint128[] memory quantities = new uint128[](2);
        (quantities[0], quantities[1]) = (a, b);
        bytes32[][] memory keys = new bytes32[][](2);
        (keys[0], keys[1]) = (left, right);
        return abi.encodeCall(IReceipts.split, (id, 0, quantities, keys, ""));
    }

    function _split(uint128 a, uint128 b) private returns (bytes32[] memory) {
        vm.prank(account(TRADER));
        (bool ok, bytes memory result) = address(RECEIPTS).call(_splitCall(a, b, _one(KEY_B), _one(KEY_A)));
        require(ok, "split");
        return abi.decode(result, (bytes32[]));
    }

    function testFuzz_parts_are_the_whole_and_share_its_claims(uint128 first) public {
        first = uint128(_within(first, 1, 99));
        bytes32[] memory parts = _split(first, 100 - first);
        vm.assertEq(uint256(RECEIPTS.receipt(parts[0]).quantity), first, "first");
        vm.assertEq(uint256(RECEIPTS.receipt(parts[1]).quantity), 100 - first, "second");
        vm.assertEq(CLAIMS.claimOf(KEY_B).id, parts[0], "claims go over");
        vm.assertEq(CLAIMS.claimOf(KEY_A).id, parts[1], "as they are listed");
        vm.assertEq(uint256(RECEIPTS.receipt(parts[1]).part), 2, "part");
        vm.assertEq(RECEIPTS.receipt(parts[1]).origin, id, "origin");
        vm.assertEq(_state(id), ReceiptRules.STATE_SPLIT, "the whole has ended");
        vm.assertEq(uint256(STOCK.lotOf(lot).live), 100, "as much as before");
    }

    function test_parts_that_are_more_or_less_than_the_whole_are_refused() public {
        bytes32[] memory none = new bytes32[](0);
        _actRefused(TRADER, _splitCall(50, 51, _one(KEY_A), _one(KEY_B)), IReceipts.PartsDiffer.selector);
        _actRefused(TRADER, _splitCall(50, 50, _one(KEY_A), none), IReceipts.PartsDiffer.selector);
        _actRefused(TRADER, _splitCall(50, 50, _one(KEY_A), _one(KEY_A)), IClaims.NotClaimed.selector);
        _actRefused(TRADER, _splitCall(100, 0, _one(KEY_A), _one(KEY_B)), IReceipts.InvalidQuantity.selector);
        _actRefused(
            TRADER, _splitCall(type(uint128).max, 101, _one(KEY_A), _one(KEY_B)), IReceipts.PartsDiffer.selector
        );
    }

    function test_split_and_merged_it_is_what_it_was() public {
        bytes32[] memory parts = _split(30, 70);
        _as(TRADER);
        bytes32 merged = RECEIPTS.merge(parts, new uint64[](2), "");
        vm.assertEq(uint256(RECEIPTS.receipt(merged).quantity), 100, "quantity");
        vm.assertEq(RECEIPTS.keysOf(merged).length, 2, "claims");
        vm.assertEq(CLAIMS.claimOf(KEY_A).id, merged, "claim");
        vm.assertEq(RECEIPTS.receipt(parts[0]).successor, merged, "successor");
        vm.assertEq(_state(parts[1]), ReceiptRules.STATE_MERGED, "merged");
    }

    function test_what_differs_or_is_the_same_is_not_merged() public {
        bytes32 other = _issued("A-2", _lot("wheat 2", 100), 10);
        bytes memory data = abi.encodeCall(IReceipts.merge, (_two(id, other), new uint64[](2), ""));
        _actRefused(TRADER, data, IReceipts.GoodsDiffer.selector);
        data = abi.encodeCall(IReceipts.merge, (_two(id, id), new uint64[](2), ""));
        _actRefused(TRADER, data, IInstrument.WrongState.selector);
        data = abi.encodeCall(IReceipts.merge, (_one(id), new uint64[](1), ""));
        _actRefused(TRADER, data, IReceipts.WrongCount.selector);
    }

    // ---- handing out --------------------------------------------------------------------------

    function test_a_part_is_handed_out_and_the_rest_stays() public {
        _as(TRADER);
        RECEIPTS.requestDelivery(id, 0, 40, _one(KEY_A), "");
        _as(WAREHOUSE);
        RECEIPTS.deliver(id, 0, _one(KEY_A), "");
        vm.assertEq(uint256(RECEIPTS.receipt(id).quantity), 60, "rest");
        vm.assertEq(uint256(STOCK.lotOf(lot).live), 60, "live");
        vm.assertEq(uint256(STOCK.lotOf(lot).counted), 960, "counted");
        vm.assertEq(CLAIMS.claimOf(KEY_A).id, bytes32(0), "what went out is free");
        vm.assertEq(RECEIPTS.keysOf(id).length, 1, "what stayed is claimed");
        bytes memory data = abi.encodeCall(IReceipts.deliver, (id, 0, new bytes32[](0), ""));
        _actRefused(WAREHOUSE, data, IReceipts.NotRequested.selector);
    }

    function _asked(bytes32[] memory keys) private {
        _actRefused(TRADER, abi.encodeCall(IReceipts.requestDelivery, (id, 0, 40, keys, "")), IReceipts.KeysDiffer.selector);
    }

    function test_a_request_names_claims_of_the_receipt_and_not_all_of_them() public {
        _asked(_one(keccak256("other")));
        _asked(_one(0));
        _asked(_two(KEY_A, KEY_A));
        _asked(RECEIPTS.keysOf(id));
    }

    function test_a_warehouse_releases_what_the_holder_has_named_and_nothing_else() public {
        _as(TRADER);
        RECEIPTS.requestDelivery(id, 0, 40, new bytes32[](0), "");
        bytes memory data = abi.encodeCall(IReceipts.deliver, (id, 0, _one(KEY_A), ""));
        _actRefused(WAREHOUSE, data, IReceipts.KeysDiffer.selector);
        _as(TRADER); // the same quantity, and other claims
        RECEIPTS.requestDelivery(id, 0, 40, _one(KEY_A), "");
        data = abi.encodeCall(IReceipts.deliver, (id, 0, new bytes32[](0), ""));
        _actRefused(WAREHOUSE, data, IReceipts.KeysDiffer.selector);
        data = abi.encodeCall(IReceipts.requestDelivery, (id, 0, 40, _one(KEY_A), ""));
        _actRefused(TRADER, data, IReceipts.Unchanged.selector);
    }

    function test_the_whole_goes_out_against_surrender_only() public {
        bytes memory data = abi.encodeCall(IReceipts.requestDelivery, (id, 0, 100, new bytes32[](0), ""));
        _actRefused(TRADER, data, IReceipts.InvalidQuantity.selector);
        _surrender(IReceipts.Purpose.Delivery);
        _as(WAREHOUSE);
        RECEIPTS.shred(id, 0, "");
        vm.assertEq(uint256(STOCK.lotOf(lot).live), 0, "live");
        vm.assertEq(uint256(STOCK.lotOf(lot).counted), 900, "counted");
        vm.assertEq(CLAIMS.claimOf(KEY_A).id, bytes32(0), "free");
    }

    function test_a_new_holder_does_not_inherit_a_request() public {
        _as(TRADER);
        RECEIPTS.requestDelivery(id, 0, 40, new bytes32[](0), "");
        _as(TRADER);
        RECEIPTS.transferBoth(id, 0, MILL, MILL, "");
        bytes memory data = abi.encodeCall(IReceipts.deliver, (id, 0, new bytes32[](0), ""));
        _actRefused(WAREHOUSE, data, IReceipts.NotRequested.selector);
    }

    // ---- storage period -----------------------------------------------------------------------

    function test_expired_goods_can_only_be_fetched_until_the_period_is_prolonged() public {
        _actRefused(MILL, abi.encodeCall(IReceipts.expire, (id, 0, "")), IReceipts.NotExpired.selector);
        vm.warp(NOW + 365 days);
        _as(MILL);
        RECEIPTS.expire(id, 0, "");
        bytes memory data = abi.encodeCall(IReceipts.transferBoth, (id, 0, MILL, MILL, ""));
        _actRefused(TRADER, data, IInstrument.WrongState.selector);
        _surrender(IReceipts.Purpose.Delivery);
        _as(TRADER);
        RECEIPTS.recall(id, 0, "");
        vm.assertEq(_state(id), ReceiptRules.STATE_EXPIRED, "no way around");
        _as(WAREHOUSE);
        RECEIPTS.extend(id, 0, NOW + 400 days, "");
        vm.assertEq(_state(id), ReceiptRules.STATE_LIVE, "live again");
    }

    // ---- errors -------------------------------------------------------------------------------

    function test_an_error_is_replaced_and_stays_visible() public {
        _surrender(IReceipts.Purpose.Correction);
        IReceipts.Draft memory draft = _draft("A-2", lot, 90);
        draft.keys = _one(KEY_A);
        draft.holder = MILL;
        _as(WAREHOUSE);
        bytes32 successor = RECEIPTS.replace(id, 0, draft, "90, not 100");
        vm.assertEq(RECEIPTS.receipt(id).successor, successor, "successor");
        vm.assertEq(RECEIPTS.receipt(successor).holder, TRADER, "whatever the draft says");
        vm.assertEq(uint256(STOCK.lotOf(lot).live), 90, "live");
        vm.assertEq(CLAIMS.claimOf(KEY_A).id, successor, "claimed for the successor");
        vm.assertEq(CLAIMS.claimOf(KEY_B).id, bytes32(0), "free");
    }

    function test_a_correction_down_needs_no_stock_and_one_up_does() public {
        _count(lot, 10); // short: nothing can be issued
        _surrender(IReceipts.Purpose.Correction);
        IReceipts.Draft memory draft = _draft("A-2", lot, 101);
        _actRefused(WAREHOUSE, abi.encodeCall(IReceipts.replace, (id, 0, draft, "")), IStock.NotEnoughStock.selector);
        draft.quantity = 90;
        _as(WAREHOUSE);
        RECEIPTS.replace(id, 0, draft, "");
        vm.assertTrue(STOCK.lotOf(lot).short, "still short");
        vm.assertEq(uint256(STOCK.lotOf(lot).live), 90, "live");
    }

    function test_a_mistake_is_cancelled_for_a_correction_only() public {
        _surrender(IReceipts.Purpose.Delivery);
        _actRefused(WAREHOUSE, abi.encodeCall(IReceipts.cancel, (id, 0, "")), IReceipts.WrongPurpose.selector);
        _as(WAREHOUSE);
        RECEIPTS.restore(id, 0, "");
        _surrender(IReceipts.Purpose.Correction);
        _as(WAREHOUSE);
        RECEIPTS.cancel(id, 0, "");
        vm.assertEq(uint256(STOCK.lotOf(lot).counted), 1_000, "the goods stay");
        vm.assertEq(uint256(STOCK.lotOf(lot).live), 0, "for nobody");
        _actRefused(
            WAREHOUSE,
            abi.encodeCall(IReceipts.issue, (_draft("A-1", lot, 1), "")),
            IInstrument.InstrumentExists.selector
        );
    }

    // ---- the other medium -----------------------------------------------------------------------

    function test_on_paper_nobody_disposes_of_it_here() public {
        _surrender(IReceipts.Purpose.Paper);
        _as(WAREHOUSE);
        RECEIPTS.toPaper(id, 0, keccak256("paper"), "");
        vm.assertEq(uint256(STOCK.lotOf(lot).live), 100, "the goods are bound");
        vm.assertEq(CLAIMS.claimOf(KEY_A).id, id, "and claimed");
        _actRefused(TRADER, abi.encodeCall(IReceipts.recall, (id, 0, "")), IInstrument.WrongState.selector);
        _as(WAREHOUSE);
        RECEIPTS.toElectronic(id, 0, MILL, SUPPLIER, "");
        vm.assertEq(RECEIPTS.receipt(id).owner, MILL, "the bearer says who owns it");
        vm.assertEq(RECEIPTS.receipt(id).holder, SUPPLIER, "and who holds it");
    }
}
