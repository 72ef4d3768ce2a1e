// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {FinanceScene} from "@tally/forge/FinanceScene.sol";
import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";
import {IPledges} from "../../pledges/interfaces/IPledges.sol";
import {IReceipts} from "../../receipts/interfaces/IReceipts.sol";
import {ReceiptRules} from "../../receipts/libraries/ReceiptRules.sol";
import {IInstrument} from "../interfaces/IInstrument.sol";
import {Codes} from "../libraries/Codes.sol";

/// @notice Freezes, permits and settlement, on a receipt.
contract ControlTest is FinanceScene {
    address private constant SETTLEMENT_PLACE = address(0x5e77);
    address private constant NEXT_SETTLEMENT = address(0x5e78);

    bytes32 private lot;
    bytes32 private id;

    function setUp() public {
        _found();
        vm.etch(SETTLEMENT_PLACE, hex"00");
        vm.etch(NEXT_SETTLEMENT, hex"00");
        _register("settlement", SETTLEMENT_PLACE);
        _register("settlement", NEXT_SETTLEMENT);
        lot = _lot("wheat 1", 1_000);
        id = _issued("A-1", lot, 100);
    }

    function _actRefused(bytes32 who, bytes memory data, bytes4 error_) private {
        _refused(who, address(RECEIPTS), data, error_);
    }

    function _freeze(bytes32 authority) private {
        _as(authority);
        RECEIPTS.freeze(id, 0, DECISION, "");
    }

    function _give() private view returns (bytes memory) {
        return abi.encodeCall(IReceipts.transferBoth, (id, 0, MILL, MILL, ""));
    }

    function _do(bytes32 who, bytes memory data) private {
        vm.prank(account(who));
        (bool ok,) = address(RECEIPTS).call(data);
        vm.assertTrue(ok, "goes well");
    }

    // ---- authorities --------------------------------------------------------------------------

    function test_frozen_it_waits_until_every_authority_has_thawed_it() public {
        _freeze(REGULATOR);
        _freeze(ARBITRATOR);
        _actRefused(TRADER, _give(), IInstrument.InstrumentFrozen.selector);
        _as(REGULATOR);
        RECEIPTS.unfreeze(id, 0, REGULATOR, DECISION, "");
        _actRefused(TRADER, _give(), IInstrument.InstrumentFrozen.selector);
        _as(ARBITRATOR);
        RECEIPTS.unfreeze(id, 0, ARBITRATOR, DECISION, "");
        _do(TRADER, _give());
    }

    function test_a_decision_is_named_by_an_authority_once() public {
        bytes memory data = abi.encodeCall(IInstrument.freeze, (id, 0, bytes32(0), ""));
        _actRefused(REGULATOR, data, IInstrument.DecisionMissing.selector);
        data = abi.encodeCall(IInstrument.freeze, (id, 0, DECISION, ""));
        _actRefused(BANK, data, IInstrument.NotEntitled.selector);
        _freeze(REGULATOR);
        _actRefused(REGULATOR, data, IInstrument.FreezeUnchanged.selector);
    }

    function test_another_authority_thaws_only_for_one_that_is_gone() public {
        _freeze(REGULATOR);
        bytes memory data = abi.encodeCall(IInstrument.unfreeze, (id, 0, REGULATOR, DECISION, ""));
        _actRefused(ARBITRATOR, data, IInstrument.NotEntitled.selector);
        _setStatus(REGULATOR, IConsortium.Status.Revoked);
        _do(ARBITRATOR, data);
        vm.assertEq(uint256(RECEIPTS.receipt(id).freezes), 0, "thawed");
    }

    function test_another_authority_thaws_for_one_that_is_none_any_more() public {
        _freeze(REGULATOR);
        vm.prank(GOVERNANCE);
        CONSORTIUM.setRole(REGULATOR, IConsortium.Role.Operator);
        bytes memory data = abi.encodeCall(IInstrument.unfreeze, (id, 0, REGULATOR, DECISION, ""));
        _actRefused(REGULATOR, data, IInstrument.NotEntitled.selector);
        _do(ARBITRATOR, data);
        vm.assertEq(uint256(RECEIPTS.receipt(id).freezes), 0, "thawed");
    }

    function test_eight_authorities_at_most() public {
        for (uint256 i = 0; i < 9; ++i) {
            bytes32 court = bytes32(abi.encodePacked("court-", bytes1(uint8(97 + i))));
            _join(court, IConsortium.Role.Arbitrator);
            if (i < 8) {
                _freeze(court);
            } else {
                _actRefused(
                    court,
                    abi.encodeCall(IInstrument.freeze, (id, 0, DECISION, "")),
                    IInstrument.TooManyFreezes.selector
                );
            }
        }
    }

    function test_an_award_takes_it_from_a_holder_that_is_gone_and_leaves_the_pledge() public {
        _pledged(address(RECEIPTS), id, BANK);
        _setStatus(TRADER, IConsortium.Status.Revoked);
        bytes memory data = abi.encodeCall(IInstrument.award, (id, 0, MILL, DECISION, ""));
        _actRefused(ARBITRATOR, data, IInstrument.FreezeUnchanged.selector);
        _freeze(ARBITRATOR);
        _actRefused(REGULATOR, data, IInstrument.FreezeUnchanged.selector);
        _do(ARBITRATOR, data);
        vm.assertEq(RECEIPTS.receipt(id).holder, MILL, "holder");
        vm.assertEq(RECEIPTS.receipt(id).owner, MILL, "owner");
        vm.assertEq(RECEIPTS.receipt(id).pledgee, BANK, "the right in it stays");
        vm.assertEq(uint256(RECEIPTS.receipt(id).freezes), 1, "frozen until it is thawed");
    }

    function _awardedAfterSurrender(IReceipts.Purpose purpose) private {
        _as(TRADER);
        RECEIPTS.surrender(id, 0, purpose, "");
        _freeze(ARBITRATOR);
        _actRefused(WAREHOUSE, abi.encodeCall(IReceipts.shred, (id, 0, "")), IInstrument.InstrumentFrozen.selector);
        _as(ARBITRATOR);
        RECEIPTS.award(id, 0, MILL, DECISION, "");
        vm.assertTrue(RECEIPTS.receipt(id).purpose == IReceipts.Purpose.None, "given back for nothing");
        _as(ARBITRATOR);
        RECEIPTS.unfreeze(id, 0, ARBITRATOR, DECISION, "");
    }

    function test_what_was_surrendered_lives_again_once_it_is_awarded() public {
        _awardedAfterSurrender(IReceipts.Purpose.Delivery);
        vm.assertEq(uint256(RECEIPTS.receipt(id).state), ReceiptRules.STATE_LIVE, "live");
        _actRefused(WAREHOUSE, abi.encodeCall(IReceipts.shred, (id, 0, "")), IInstrument.WrongState.selector);
        _do(MILL, abi.encodeCall(IReceipts.surrender, (id, 0, IReceipts.Purpose.Delivery, "")));
        _do(WAREHOUSE, abi.encodeCall(IReceipts.shred, (id, 0, "")));
    }

    function test_what_was_surrendered_for_correction_is_awarded_and_not_cancelled() public {
        _awardedAfterSurrender(IReceipts.Purpose.Correction);
        _actRefused(WAREHOUSE, abi.encodeCall(IReceipts.cancel, (id, 0, "")), IInstrument.WrongState.selector);
        _actRefused(TRADER, abi.encodeCall(IReceipts.recall, (id, 0, "")), IInstrument.NotEntitled.selector);
        vm.assertEq(RECEIPTS.receipt(id).holder, MILL, "the mill's");
    }

    function test_what_was_surrendered_and_is_awarded_too_late_has_expired() public {
        vm.warp(NOW + 365 days);
        _awardedAfterSurrender(IReceipts.Purpose.Delivery);
        vm.assertEq(uint256(RECEIPTS.receipt(id).state), ReceiptRules.STATE_EXPIRED, "expired");
        _actRefused(WAREHOUSE, abi.encodeCall(IReceipts.shred, (id, 0, "")), IInstrument.WrongState.selector);
        _do(MILL, abi.encodeCall(IReceipts.surrender, (id, 0, IReceipts.Purpose.Delivery, "")));
    }

    function test_an_award_of_what_has_expired_does_not_revive_it() public {
        vm.warp(NOW + 366 days);
        _do(MILL, abi.encodeCall(IReceipts.expire, (id, 0, "")));
        _freeze(ARBITRATOR);
        _as(ARBITRATOR);
        RECEIPTS.award(id, 0, MILL, DECISION, "");
        vm.assertEq(uint256(RECEIPTS.receipt(id).state), ReceiptRules.STATE_EXPIRED, "expired");
    }

    // ---- permits ------------------------------------------------------------------------------

    function _permit(bytes memory call) private {
        _as(BANK);
        RECEIPTS.permit(id, 0, keccak256(call), "");
    }

    function test_a_permit_is_for_this_call_and_this_once() public {
        _pledged(address(RECEIPTS), id, BANK);
        _actRefused(TRADER, _give(), IInstrument.InstrumentPledged.selector);
        _permit(_give());
        bytes memory other = abi.encodeCall(IReceipts.transferBoth, (id, 0, SUPPLIER, SUPPLIER, ""));
        _actRefused(TRADER, other, IInstrument.InstrumentPledged.selector);
        _actRefused(TRADER, abi.encodePacked(_give(), hex"00"), IInstrument.InstrumentPledged.selector);
        _do(TRADER, _give());
        _actRefused(
            MILL,
            abi.encodeCall(IReceipts.transferBoth, (id, 0, TRADER, TRADER, "")),
            IInstrument.InstrumentPledged.selector
        );
    }

    function test_any_act_in_between_uses_a_permit_up() public {
        _pledged(address(RECEIPTS), id, BANK);
        _permit(_give());
        _as(WAREHOUSE);
        RECEIPTS.extend(id, 0, NOW + 500 days, "");
        _actRefused(TRADER, _give(), IInstrument.InstrumentPledged.selector);
        _permit(_give());
        _permit(""); // takes it back
        _actRefused(TRADER, _give(), IInstrument.InstrumentPledged.selector);
    }

    function test_a_warehouse_corrects_a_pledged_receipt_only_as_the_bank_permits() public {
        bytes32 key = _pledged(address(RECEIPTS), id, BANK);
        bytes memory surrender = abi.encodeCall(IReceipts.surrender, (id, 0, IReceipts.Purpose.Correction, ""));
        _permit(surrender);
        _do(TRADER, surrender);
        IReceipts.Draft memory draft = _draft("A-2", lot, 1);
        bytes memory tiny = abi.encodeCall(IReceipts.replace, (id, 0, draft, ""));
        _actRefused(WAREHOUSE, tiny, IInstrument.InstrumentPledged.selector);
        _actRefused(WAREHOUSE, abi.encodeCall(IReceipts.cancel, (id, 0, "")), IInstrument.InstrumentPledged.selector);
        draft.quantity = 95;
        bytes memory agreed = abi.encodeCall(IReceipts.replace, (id, 0, draft, ""));
        _permit(agreed);
        _do(WAREHOUSE, agreed);
        bytes32 successor = RECEIPTS.receipt(id).successor;
        vm.assertEq(RECEIPTS.receipt(successor).pledgee, BANK, "the pledge goes over");
        vm.assertEq(PLEDGES.pledgeOf(address(RECEIPTS), successor), key, "the same pledge");
    }

    function test_a_recipient_rejects_what_the_bank_let_it_be_given() public {
        _pledged(address(RECEIPTS), id, BANK);
        _permit(_give());
        _do(TRADER, _give());
        _do(MILL, abi.encodeCall(IReceipts.rejectBoth, (id, 0, "")));
        vm.assertEq(RECEIPTS.receipt(id).holder, TRADER, "back");
        vm.assertEq(RECEIPTS.receipt(id).pledgee, BANK, "pledged");
    }

    // ---- settlement -----------------------------------------------------------------------------

    function _lock(address settlement) private {
        vm.prank(settlement);
        RECEIPTS.lock(id, 0, TRADER);
    }

    function test_what_is_promised_stays_until_it_is_settled() public {
        _lock(SETTLEMENT_PLACE);
        _actRefused(TRADER, _give(), IInstrument.InstrumentLocked.selector);
        IPledges.Terms memory terms = _pledgeTerms();
        _as(TRADER);
        bytes32 key = PLEDGES.propose(address(RECEIPTS), id, 2, BANK, terms, "");
        _refused(
            BANK, address(PLEDGES), abi.encodeCall(IPledges.accept, (key, "")), IInstrument.InstrumentLocked.selector
        );
        vm.prank(SETTLEMENT_PLACE);
        RECEIPTS.settle(id, 0, TRADER, MILL);
        vm.assertEq(RECEIPTS.receipt(id).holder, MILL, "settled");
        vm.assertFalse(RECEIPTS.receipt(id).locked, "and free");
    }

    function test_a_promise_is_kept_or_taken_back_by_the_settlement_it_was_made_in() public {
        _lock(SETTLEMENT_PLACE);
        bytes memory data = abi.encodeCall(IInstrument.unlock, (id));
        _refusedFrom(NEXT_SETTLEMENT, address(RECEIPTS), data, IInstrument.NotLocked.selector);
        _actRefused(TRADER, data, IInstrument.NotEntitled.selector);
        data = abi.encodeCall(IInstrument.settle, (id, 0, TRADER, MILL));
        _refusedFrom(NEXT_SETTLEMENT, address(RECEIPTS), data, IInstrument.InstrumentLocked.selector);
        vm.prank(SETTLEMENT_PLACE);
        RECEIPTS.unlock(id);
        vm.assertFalse(RECEIPTS.receipt(id).locked, "taken back");
    }

    function test_what_expires_while_promised_can_be_unlocked() public {
        _lock(SETTLEMENT_PLACE);
        vm.warp(NOW + 366 days);
        _do(MILL, abi.encodeCall(IReceipts.expire, (id, 0, "")));
        bytes memory data = abi.encodeCall(IInstrument.settle, (id, 0, TRADER, MILL));
        _refusedFrom(SETTLEMENT_PLACE, address(RECEIPTS), data, IInstrument.WrongState.selector);
        vm.prank(SETTLEMENT_PLACE);
        RECEIPTS.unlock(id);
        _do(TRADER, abi.encodeCall(IReceipts.surrender, (id, 0, IReceipts.Purpose.Delivery, "")));
    }

    function test_a_suspended_holder_promises_nothing_and_keeps_what_it_promised() public {
        _setStatus(TRADER, IConsortium.Status.Suspended);
        bytes memory data = abi.encodeCall(IInstrument.lock, (id, 0, TRADER));
        _refusedFrom(SETTLEMENT_PLACE, address(RECEIPTS), data, IInstrument.PartyNotActive.selector);
        data = abi.encodeCall(IInstrument.settle, (id, 0, TRADER, MILL));
        _refusedFrom(SETTLEMENT_PLACE, address(RECEIPTS), data, IInstrument.PartyNotActive.selector);
        _setStatus(TRADER, IConsortium.Status.Active);
        _lock(SETTLEMENT_PLACE);
        _setStatus(TRADER, IConsortium.Status.Suspended);
        vm.prank(SETTLEMENT_PLACE);
        RECEIPTS.settle(id, 0, TRADER, MILL);
        vm.assertEq(RECEIPTS.receipt(id).owner, MILL, "settled");
    }

    function test_frozen_while_promised_it_is_not_settled() public {
        _lock(SETTLEMENT_PLACE);
        _freeze(REGULATOR);
        bytes memory data = abi.encodeCall(IInstrument.settle, (id, 0, TRADER, MILL));
        _refusedFrom(SETTLEMENT_PLACE, address(RECEIPTS), data, IInstrument.InstrumentFrozen.selector);
        vm.prank(SETTLEMENT_PLACE);
        RECEIPTS.unlock(id);
        vm.assertEq(uint256(RECEIPTS.receipt(id).state), ReceiptRules.STATE_LIVE, "live and frozen");
    }

    // ---- codes --------------------------------------------------------------------------------

    function testFuzz_codes_are_capital_letters_and_digits(bytes3 code) public pure {
        bool currency = true;
        bool unit = true;
        for (uint256 i = 0; i < 3; ++i) {
            bool capital = uint8(code[i]) >= 65 && uint8(code[i]) <= 90;
            bool digit = uint8(code[i]) >= 48 && uint8(code[i]) <= 57;
            if (!capital) currency = false;
            if (!capital && !digit && !(i == 2 && code[i] == 0)) unit = false;
        }
        vm.assertTrue(Codes.isCurrency(code) == currency, "currency");
        vm.assertTrue(Codes.isUnit(code) == unit, "unit");
    }

    function test_codes_of_the_field_are_taken() public pure {
        vm.assertTrue(Codes.isCurrency("CNY") && Codes.isCurrency("EUR"), "currencies");
        vm.assertTrue(Codes.isUnit("TNE") && Codes.isUnit("C62") && Codes.isUnit("H87") && Codes.isUnit("E4"), "units");
        vm.assertFalse(Codes.isUnit("T") || Codes.isUnit("") || Codes.isUnit("kgm"), "no units");
        vm.assertFalse(Codes.isCurrency("CN") || Codes.isCurrency("cny"), "no currencies");
    }

    function testFuzz_numbers_are_text_and_then_zeros(bytes32 text, uint8 length) public pure {
        uint256 kept = _within(length, 0, 32);
        bytes32 mask = kept == 0 ? bytes32(0) : bytes32(type(uint256).max << (8 * (32 - kept)));
        bytes32 number = text & mask;
        bool good = kept != 0;
        for (uint256 i = 0; i < kept; ++i) {
            if (uint8(number[i]) <= 0x20 || uint8(number[i]) >= 0x7f) good = false;
        }
        if (good) vm.assertTrue(Codes.isNumber(number), "a number");
        // A byte of zero may end it early: then the rest was zero as well, or it is none.
        if (!good && kept != 0 && number[0] != 0 && number[kept - 1] != 0) {
            vm.assertFalse(Codes.isNumber(number), "no number");
        }
    }
}
