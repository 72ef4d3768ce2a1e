// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {FinanceScene} from "@tally/forge/FinanceScene.sol";
import {IClaims} from "../../claims/interfaces/IClaims.sol";
import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";
import {IInstrument} from "../../instruments/interfaces/IInstrument.sol";
import {Places} from "../../instruments/libraries/Places.sol";
import {IStock} from "../../stock/interfaces/IStock.sol";
import {Receipts} from "../Receipts.sol";
import {IReceipts} from "../interfaces/IReceipts.sol";

/// @notice Issue, endorse, hand over, reject.
contract ReceiptsTest is FinanceScene {
    bytes32 private lot;
    bytes32 private id;

    function setUp() public {
        _found();
        lot = _lot("wheat 1", 1_000);
        id = _issued("A-1", lot, 100);
    }

    function _draftRefused(IReceipts.Draft memory draft, bytes4 error_) private {
        _refused(WAREHOUSE, address(RECEIPTS), abi.encodeCall(IReceipts.issue, (draft, "")), error_);
    }

    function _actRefused(bytes32 who, bytes memory data, bytes4 error_) private {
        _refused(who, address(RECEIPTS), data, error_);
    }

    // ---- issue --------------------------------------------------------------------------------

    function test_a_receipt_is_issued_against_counted_stock() public view {
        IReceipts.Receipt memory found = RECEIPTS.receipt(id);
        vm.assertEq(uint256(STOCK.lotOf(lot).live), 100, "live");
        vm.assertEq(id, RECEIPTS.idOf(WAREHOUSE, "A-1"), "id");
        vm.assertEq(found.warehouse, WAREHOUSE, "warehouse");
        vm.assertEq(found.holder, TRADER, "holder");
        vm.assertEq(found.owner, TRADER, "owner");
        vm.assertEq(uint256(found.revision), 1, "revision");
        vm.assertEq(uint256(found.issued), NOW, "issued");
    }

    function test_only_what_is_free_is_issued() public {
        IReceipts.Draft memory draft = _draft("A-2", lot, 901);
        _draftRefused(draft, IStock.NotEnoughStock.selector);
    }

    function test_each_element_of_a_draft_is_looked_at() public {
        IReceipts.Draft memory draft = _draft("", lot, 1);
        _draftRefused(draft, IReceipts.InvalidNumber.selector);
        draft.number = "A 2";
        _draftRefused(draft, IReceipts.InvalidNumber.selector);
        draft.number = bytes32(abi.encodePacked("A", bytes1(0), "2"));
        _draftRefused(draft, IReceipts.InvalidNumber.selector);
        draft = _draft("A-2", lot, 0);
        _draftRefused(draft, IReceipts.InvalidQuantity.selector);
        draft = _draft("A-2", lot, 1);
        draft.expires = uint48(block.timestamp);
        _draftRefused(draft, IReceipts.InvalidExpiry.selector);
        draft = _draft("A-2", lot, 1);
        draft.terms = 0;
        _draftRefused(draft, IReceipts.HashMissing.selector);
        draft = _draft("A-2", lot, 1);
        draft.payload = "not the document";
        _draftRefused(draft, IReceipts.PayloadDiffers.selector);
        draft.payload = new bytes(65_537);
        _draftRefused(draft, IReceipts.PayloadTooLarge.selector);
        draft = _draft("A-2", lot, 1);
        draft.keys = new bytes32[](257);
        _draftRefused(draft, IReceipts.TooManyKeys.selector);
        draft = _draft("A-2", lot, 1);
        draft.owner = "nobody";
        _draftRefused(draft, IInstrument.PartyNotActive.selector);
        _draftRefused(_draft("A-1", lot, 1), IInstrument.InstrumentExists.selector);
    }

    function test_a_document_for_all_is_told_with_its_hash() public {
        IReceipts.Draft memory draft = _draft("A-2", lot, 1);
        draft.payload = "the document";
        draft.terms = sha256("the document");
        vm.expectEmit(true, true, false, true, address(RECEIPTS));
        emit IReceipts.TermsPublished(RECEIPTS.idOf(WAREHOUSE, "A-2"), draft.terms, "the document");
        _as(WAREHOUSE);
        RECEIPTS.issue(draft, "");
    }

    function test_the_same_goods_stand_behind_one_receipt_whoever_issues() public {
        IReceipts.Draft memory draft = _draft("A-2", lot, 1);
        draft.keys = new bytes32[](1);
        draft.keys[0] = keccak256("item");
        _as(WAREHOUSE);
        RECEIPTS.issue(draft, "");
        bytes32[] memory counters = new bytes32[](1);
        counters[0] = INSPECTOR;
        _as(OTHER_WAREHOUSE);
        draft.lot = STOCK.registerLot("silo", "other", _agreement(), counters);
        _count(draft.lot, 10);
        draft.number = "B-1";
        bytes memory data = abi.encodeCall(IReceipts.issue, (draft, ""));
        _refused(OTHER_WAREHOUSE, address(RECEIPTS), data, IClaims.AlreadyClaimed.selector);
    }

    function test_a_former_version_issues_nothing_and_its_receipts_live_on() public {
        Receipts second = new Receipts();
        _register("receipts", address(second));
        _draftRefused(_draft("A-2", lot, 10), Places.NotCurrentVersion.selector);
        IReceipts.Draft memory draft = _draft("A-2", lot, 10);
        _as(WAREHOUSE);
        second.issue(draft, "");
        _as(TRADER);
        RECEIPTS.transferBoth(id, 0, MILL, MILL, "");
        vm.assertEq(RECEIPTS.receipt(id).owner, MILL, "lives on");
        vm.assertEq(uint256(STOCK.lotOf(lot).live), 110, "of both");
    }

    function test_a_remark_has_an_end() public {
        string memory remark = string(new bytes(257));
        bytes memory data = abi.encodeCall(IReceipts.transferHolding, (id, 1, MILL, remark));
        _actRefused(TRADER, data, IInstrument.RemarkTooLong.selector);
    }

    // ---- title --------------------------------------------------------------------------------

    function test_a_holder_who_does_not_own_it_makes_owner_only_whom_the_owner_named() public {
        _as(TRADER);
        RECEIPTS.transferHolding(id, 1, MILL, "");
        bytes memory data = abi.encodeCall(IReceipts.endorse, (id, 2, SUPPLIER, ""));
        _actRefused(MILL, data, IReceipts.NotNominated.selector);
        _as(TRADER);
        RECEIPTS.nominate(id, 2, SUPPLIER, "");
        _as(MILL);
        RECEIPTS.endorse(id, 3, SUPPLIER, "");
        vm.assertEq(RECEIPTS.receipt(id).owner, SUPPLIER, "owner");
        vm.assertEq(RECEIPTS.receipt(id).holder, MILL, "holder");
        vm.assertEq(RECEIPTS.receipt(id).nominee, bytes32(0), "named for once");
    }

    function test_of_two_who_act_at_once_the_second_learns_it() public {
        _as(TRADER);
        RECEIPTS.transferHolding(id, 1, MILL, "");
        bytes memory data = abi.encodeCall(IReceipts.nominate, (id, 1, SUPPLIER, ""));
        _actRefused(TRADER, data, IInstrument.StaleRevision.selector);
    }

    function test_a_recipient_rejects_and_all_is_as_before() public {
        _as(TRADER);
        RECEIPTS.transferBoth(id, 1, MILL, MILL, "");
        _actRefused(TRADER, abi.encodeCall(IReceipts.rejectBoth, (id, 2, "")), IInstrument.NotEntitled.selector);
        _actRefused(MILL, abi.encodeCall(IReceipts.rejectHolding, (id, 2, "")), IReceipts.NothingToReject.selector);
        _as(MILL);
        RECEIPTS.rejectBoth(id, 2, "");
        vm.assertEq(RECEIPTS.receipt(id).holder, TRADER, "holder");
        vm.assertEq(RECEIPTS.receipt(id).owner, TRADER, "owner");
        _actRefused(TRADER, abi.encodeCall(IReceipts.rejectBoth, (id, 3, "")), IReceipts.NothingToReject.selector);
    }

    function test_what_the_recipient_has_acted_on_is_accepted() public {
        _as(TRADER);
        RECEIPTS.transferBoth(id, 1, MILL, MILL, "");
        _as(MILL);
        RECEIPTS.nominate(id, 2, SUPPLIER, "");
        _actRefused(MILL, abi.encodeCall(IReceipts.rejectBoth, (id, 3, "")), IReceipts.NothingToReject.selector);
    }

    function test_acts_of_others_leave_the_recipient_its_right_to_reject() public {
        _as(TRADER);
        RECEIPTS.transferHolding(id, 1, MILL, "");
        _as(REGULATOR);
        RECEIPTS.freeze(id, 0, DECISION, "");
        _as(REGULATOR);
        RECEIPTS.unfreeze(id, 0, REGULATOR, DECISION, "");
        _as(WAREHOUSE);
        RECEIPTS.extend(id, 0, NOW + 500 days, "");
        _as(MILL);
        RECEIPTS.rejectHolding(id, 0, "");
        vm.assertEq(RECEIPTS.receipt(id).holder, TRADER, "holder");
    }

    function test_a_suspended_member_neither_acts_nor_receives() public {
        _setStatus(MILL, IConsortium.Status.Suspended);
        bytes memory data = abi.encodeCall(IReceipts.transferHolding, (id, 1, MILL, ""));
        _actRefused(TRADER, data, IInstrument.PartyNotActive.selector);
        _setStatus(TRADER, IConsortium.Status.Suspended);
        data = abi.encodeCall(IReceipts.transferHolding, (id, 1, SUPPLIER, ""));
        _actRefused(TRADER, data, IInstrument.CallerNotActive.selector);
    }

    function test_devices_do_not_dispose() public {
        bytes memory data = abi.encodeCall(IReceipts.transferHolding, (id, 1, MILL, ""));
        _refusedFrom(device(TRADER), address(RECEIPTS), data, IInstrument.CallerNotActive.selector);
    }

    function testFuzz_no_two_origins_give_one_id(bytes32 first, bytes32 second, uint8 part) public view {
        vm.assume(first != second);
        vm.assertTrue(RECEIPTS.idOf(WAREHOUSE, first) != RECEIPTS.idOf(WAREHOUSE, second), "numbers");
        vm.assertTrue(RECEIPTS.idOf(WAREHOUSE, first) != RECEIPTS.idOf(OTHER_WAREHOUSE, first), "warehouses");
        bytes32 child = keccak256(abi.encode(RECEIPTS.idOf(WAREHOUSE, first), uint256(part)));
        vm.assertTrue(child != RECEIPTS.idOf(WAREHOUSE, second), "parts");
    }
}
