// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {FinanceScene} from "@tally/forge/FinanceScene.sol";
import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";
import {IReceipts} from "../../receipts/interfaces/IReceipts.sol";
import {IStock} from "../interfaces/IStock.sol";

contract StockTest is FinanceScene {
    bytes32 private lot;
    uint256 private scale = uint256(keccak256("a scale"));

    function setUp() public {
        _found();
        lot = _lot("wheat 1", 1_000);
        address signer = vm.addr(scale);
        _as(INSPECTOR);
        CONSORTIUM.addDevice(signer);
    }

    function _counters(bytes32 organisation) private pure returns (bytes32[] memory counters) {
        counters = new bytes32[](1);
        counters[0] = organisation;
    }

    function _told(uint128 quantity, uint48 moment, uint64 sequence) private view returns (IStock.Count memory) {
        return IStock.Count(lot, quantity, moment, sequence, keccak256("slips"));
    }

    function _stockRefused(bytes32 who, bytes memory data, bytes4 error_) private {
        _refused(who, address(STOCK), data, error_);
    }

    function _countRefused(IStock.Count memory told, bytes4 error_) private {
        _refusedFrom(device(INSPECTOR), address(STOCK), abi.encodeCall(IStock.count, (told)), error_);
    }

    // ---- lots ---------------------------------------------------------------------------------

    function test_warehouses_register_lots_of_their_own_once() public {
        bytes memory data =
            abi.encodeCall(IStock.registerLot, ("silo 1", "wheat 1", _agreement(), _counters(INSPECTOR)));
        _stockRefused(TRADER, data, IStock.NotWarehouse.selector);
        _stockRefused(WAREHOUSE, data, IStock.LotExists.selector);
        _as(OTHER_WAREHOUSE);
        bytes32 other = STOCK.registerLot("silo 1", "wheat 1", _agreement(), _counters(INSPECTOR));
        vm.assertTrue(other != lot, "another warehouse's lot is another one");
    }

    function _agreementRefused(IStock.Agreement memory agreement) private {
        bytes memory data = abi.encodeCall(IStock.registerLot, ("silo 2", "x", agreement, _counters(INSPECTOR)));
        _stockRefused(WAREHOUSE, data, IStock.InvalidAgreement.selector);
    }

    function test_an_agreement_says_what_can_be() public {
        IStock.Agreement memory agreement = _agreement();
        agreement.nature = IStock.Nature.None;
        _agreementRefused(agreement);
        agreement = _agreement();
        agreement.unit = "t ";
        _agreementRefused(agreement);
        agreement = _agreement();
        agreement.shortfallBp = 10_001;
        _agreementRefused(agreement);
        agreement = _agreement();
        agreement.countAgeMax = 0;
        _agreementRefused(agreement);
        agreement = _agreement();
        agreement.adjustmentBp = 1; // goods that stay as they are
        _agreementRefused(agreement);
    }

    function test_what_was_agreed_holds_while_receipts_rely_on_it() public {
        _issued("A-1", lot, 10);
        IStock.Agreement memory agreement = _agreement();
        agreement.shortfallBp = 10_000;
        bytes memory data = abi.encodeCall(IStock.setAgreement, (lot, agreement));
        _stockRefused(WAREHOUSE, data, IStock.LotInUse.selector);
        // Nor does the warehouse choose who finds out.
        data = abi.encodeCall(IStock.setCounter, (lot, WAREHOUSE, true));
        _stockRefused(WAREHOUSE, data, IStock.LotInUse.selector);
        data = abi.encodeCall(IStock.setCounter, (lot, INSPECTOR, false));
        _stockRefused(WAREHOUSE, data, IStock.LotInUse.selector);
        _stockRefused(OTHER_WAREHOUSE, data, IStock.NotWarehouse.selector);
        _as(REGULATOR);
        STOCK.setCounter(lot, TRADER, true);
        vm.assertTrue(STOCK.isCounter(lot, TRADER), "an authority does");
    }

    function test_a_lot_keeps_one_counter_and_has_no_more_than_eight() public {
        bytes memory data = abi.encodeCall(IStock.setCounter, (lot, INSPECTOR, false));
        _stockRefused(WAREHOUSE, data, IStock.InvalidCounters.selector);
        bytes32[7] memory more = [TRADER, MILL, SUPPLIER, BANK, OTHER_BANK, REGULATOR, ARBITRATOR];
        for (uint256 i = 0; i < 7; ++i) {
            _as(WAREHOUSE);
            STOCK.setCounter(lot, more[i], true);
        }
        data = abi.encodeCall(IStock.setCounter, (lot, OPERATOR, true));
        _stockRefused(WAREHOUSE, data, IStock.InvalidCounters.selector);
        data = abi.encodeCall(IStock.setCounter, (lot, MILL, true));
        _stockRefused(WAREHOUSE, data, IStock.Unchanged.selector);
    }

    // ---- counting -----------------------------------------------------------------------------

    function test_only_who_was_agreed_on_counts() public {
        IStock.Count memory told = _told(5, NOW, 1);
        bytes memory data = abi.encodeCall(IStock.count, (told));
        _refusedFrom(device(WAREHOUSE), address(STOCK), data, IStock.NotCounter.selector);
        _refusedFrom(address(0x99), address(STOCK), data, IStock.CallerNotActive.selector);
        _setStatus(INSPECTOR, IConsortium.Status.Suspended);
        told.sequence = 2;
        _countRefused(told, IStock.CallerNotActive.selector);
    }

    function test_a_count_is_taken_once_and_in_order() public {
        _countRefused(_told(5, NOW, 1), IStock.CountReplayed.selector);
        _countRefused(_told(5, NOW - 1, 2), IStock.CountTimeRefused.selector);
        _countRefused(_told(5, NOW + 301, 2), IStock.CountTimeRefused.selector);
        IStock.Count memory told = _told(5, NOW, 2);
        told.evidence = 0;
        _countRefused(told, IStock.EvidenceMissing.selector);
        told.key = "unknown";
        _countRefused(told, IStock.UnknownLot.selector);
    }

    function test_a_count_from_before_a_delivery_does_not_bring_the_goods_back() public {
        bytes32 id = _issued("A-1", lot, 400);
        vm.warp(NOW + 100);
        _as(TRADER);
        RECEIPTS.surrender(id, 0, IReceipts.Purpose.Delivery, "");
        vm.warp(NOW + 200);
        _as(WAREHOUSE);
        RECEIPTS.shred(id, 0, "");
        vm.warp(NOW + 300);
        _countRefused(_told(1_000, NOW + 150, 2), IStock.CountTimeRefused.selector);
        _countRefused(_told(1_000, NOW + 200, 2), IStock.CountTimeRefused.selector);
        vm.prank(device(INSPECTOR));
        STOCK.count(_told(600, NOW + 201, 2));
        vm.assertEq(uint256(STOCK.lotOf(lot).counted), 600, "what is there");
    }

    function _signed(IStock.Count memory told, uint256 secret) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(secret, STOCK.countHash(told));
        return abi.encodeCall(IStock.countSigned, (told, v, r, s));
    }

    function test_anybody_brings_what_a_device_has_signed() public {
        bytes memory data = _signed(_told(900, NOW, 1), scale);
        vm.prank(account(TRADER));
        (bool ok,) = address(STOCK).call(data);
        vm.assertTrue(ok, "brought");
        vm.assertEq(uint256(STOCK.lotOf(lot).counted), 900, "counted");
        _stockRefused(TRADER, data, IStock.CountReplayed.selector);
    }

    function testFuzz_no_other_signature_counts(uint256 secret, uint128 quantity) public {
        secret = _within(secret, 1, 2 ** 128);
        vm.assume(secret != scale);
        IStock.Count memory told = _told(quantity, NOW, 1);
        _stockRefused(TRADER, _signed(told, secret), IStock.CallerNotActive.selector);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(scale, STOCK.countHash(told));
        unchecked {
            ++told.quantity; // other words under the same signature are somebody else's
        }
        bytes memory data = abi.encodeCall(IStock.countSigned, (told, v, r, s));
        _stockRefused(TRADER, data, IStock.CallerNotActive.selector);
        // The mirrored signature of the same key (EIP-2) is none.
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        data = abi.encodeCall(IStock.countSigned, (told, v == 27 ? 28 : 27, r, bytes32(order - uint256(s))));
        _stockRefused(TRADER, data, IStock.InvalidSignature.selector);
    }

    // ---- shortfall ----------------------------------------------------------------------------

    function testFuzz_a_shortfall_is_what_is_missing_beyond_the_tolerance(uint128 counted) public {
        _issued("A-1", lot, 800);
        vm.warp(NOW + 60);
        _count(lot, counted);
        bool short = counted < 796; // 50 hundredths of a percent of 800
        vm.assertTrue(STOCK.lotOf(lot).short == short, "short");
        if (!short) return;
        IReceipts.Draft memory draft = _draft("A-2", lot, 1);
        bytes memory data = abi.encodeCall(IReceipts.issue, (draft, ""));
        _refused(WAREHOUSE, address(RECEIPTS), data, IStock.StockShort.selector);
    }

    function test_a_shortfall_begins_and_ends_once() public {
        _issued("A-1", lot, 800);
        vm.warp(NOW + 60);
        vm.expectEmit(true, true, false, true, address(STOCK));
        emit IStock.ShortfallBegan(lot, WAREHOUSE, 700, 800);
        _count(lot, 700);
        vm.expectEmit(true, true, false, true, address(STOCK));
        emit IStock.ShortfallEnded(lot, WAREHOUSE, 800, 800);
        _count(lot, 800);
    }

    function test_an_old_count_is_not_enough_for_issuing() public {
        vm.warp(NOW + 30 days + 1);
        IReceipts.Draft memory draft = _draft("A-2", lot, 1);
        _refused(
            WAREHOUSE, address(RECEIPTS), abi.encodeCall(IReceipts.issue, (draft, "")), IStock.CountTooOld.selector
        );
        _count(lot, 1_000);
        _issued("A-2", lot, 1);
    }

    // ---- living goods -------------------------------------------------------------------------

    function _living() private returns (bytes32 key) {
        IStock.Agreement memory agreement = _agreement();
        agreement.nature = IStock.Nature.Living;
        agreement.adjustmentBp = 300;
        _as(WAREHOUSE);
        key = STOCK.registerLot("pond", "carp", agreement, _counters(INSPECTOR));
        _count(key, 1_000);
    }

    function testFuzz_adjustments_stay_within_what_was_agreed(uint128 first, uint128 second) public {
        bytes32 key = _living();
        uint128[2] memory wanted = [first % 2_000, second % 2_000];
        for (uint256 i = 0; i < 2; ++i) {
            bool may = wanted[i] >= 970 && wanted[i] <= 1_030 && wanted[i] != STOCK.lotOf(key).counted;
            vm.prank(account(WAREHOUSE));
            (bool ok,) = address(STOCK).call(abi.encodeCall(IStock.adjust, (key, wanted[i], "they grew")));
            vm.assertTrue(ok == may, "within three percent of the last count, however often");
        }
    }

    function test_an_adjustment_has_a_reason_and_fixed_goods_have_none() public {
        bytes32 key = _living();
        _stockRefused(WAREHOUSE, abi.encodeCall(IStock.adjust, (key, 990, "")), IStock.ReasonMissing.selector);
        _stockRefused(MILL, abi.encodeCall(IStock.adjust, (key, 990, "x")), IStock.NotWarehouse.selector);
        bytes memory data = abi.encodeCall(IStock.adjust, (lot, 999, "it shrank"));
        _stockRefused(WAREHOUSE, data, IStock.AdjustmentTooLarge.selector);
    }

    function test_the_largest_quantity_neither_overflows_nor_is_lost() public {
        bytes32 key = _living();
        vm.warp(NOW + 60);
        _count(key, type(uint128).max);
        bytes memory data = abi.encodeCall(IStock.adjust, (key, 5, "x"));
        _stockRefused(WAREHOUSE, data, IStock.AdjustmentTooLarge.selector);
        _issued("A-9", key, type(uint128).max);
        vm.assertEq(uint256(STOCK.lotOf(key).live), type(uint128).max, "all of it");
        vm.assertFalse(STOCK.lotOf(key).short, "and it is there");
    }

    // ---- warehouses that are gone -------------------------------------------------------------

    function test_goods_of_a_warehouse_that_is_gone_are_entrusted_to_another() public {
        bytes32 id = _issued("A-1", lot, 10);
        bytes memory data = abi.encodeCall(IStock.entrust, (lot, OTHER_WAREHOUSE, DECISION));
        _stockRefused(OTHER_WAREHOUSE, data, IStock.NotAuthority.selector);
        _stockRefused(REGULATOR, data, IStock.WarehouseActive.selector);
        _setStatus(WAREHOUSE, IConsortium.Status.Revoked);
        _stockRefused(REGULATOR, abi.encodeCall(IStock.entrust, (lot, MILL, DECISION)), IStock.NotWarehouse.selector);
        data = abi.encodeCall(IStock.entrust, (lot, OTHER_WAREHOUSE, bytes32(0)));
        _stockRefused(REGULATOR, data, IStock.DecisionMissing.selector);
        _as(REGULATOR);
        STOCK.entrust(lot, OTHER_WAREHOUSE, DECISION);
        _as(TRADER);
        RECEIPTS.surrender(id, 0, IReceipts.Purpose.Delivery, "");
        _as(OTHER_WAREHOUSE);
        RECEIPTS.shred(id, 0, "");
        vm.assertEq(RECEIPTS.receipt(id).warehouse, WAREHOUSE, "who issued it stays known");
    }

    function test_a_warehouse_that_comes_back_has_lost_what_was_entrusted() public {
        bytes32 id = _issued("A-1", lot, 10);
        _setStatus(WAREHOUSE, IConsortium.Status.Suspended);
        _as(ARBITRATOR);
        STOCK.entrust(lot, OTHER_WAREHOUSE, DECISION);
        _setStatus(WAREHOUSE, IConsortium.Status.Active);
        bytes memory data = abi.encodeCall(IReceipts.extend, (id, 0, NOW + 900 days, ""));
        _refused(WAREHOUSE, address(RECEIPTS), data, bytes4(keccak256("NotEntitled(bytes32,uint8,bytes32)")));
        data = abi.encodeCall(IReceipts.issue, (_draft("A-2", lot, 1), ""));
        _refused(WAREHOUSE, address(RECEIPTS), data, IStock.NotWarehouse.selector);
    }

    // ---- receipts only ------------------------------------------------------------------------

    function testFuzz_nobody_but_receipts_moves_stock(address sender) public {
        vm.assume(sender != address(RECEIPTS));
        bytes4 error_ = IStock.NotInstrument.selector;
        _refusedFrom(sender, address(STOCK), abi.encodeCall(IStock.reserve, (lot, WAREHOUSE, 1)), error_);
        _refusedFrom(sender, address(STOCK), abi.encodeCall(IStock.deliver, (lot, 1)), error_);
        _refusedFrom(sender, address(STOCK), abi.encodeCall(IStock.void, (lot, 1)), error_);
    }
}
