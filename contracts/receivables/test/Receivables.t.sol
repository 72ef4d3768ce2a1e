// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IClaims} from "../../claims/interfaces/IClaims.sol";
import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";
import {IInstrument} from "../../instruments/interfaces/IInstrument.sol";
import {IPledges} from "../../pledges/interfaces/IPledges.sol";
import {IReceivables} from "../interfaces/IReceivables.sol";
import {ReceivableRules} from "../libraries/ReceivableRules.sol";
import {ReceivablesScene} from "./ReceivablesScene.sol";

contract ReceivablesTest is ReceivablesScene {
    bytes32 private id;

    function setUp() public {
        _foundReceivables();
        id = _accepted("1", 1000);
    }

    function _checkState(bytes32 which, uint8 state) private view {
        vm.assertEq(_get(which).state, state, "state");
    }

    function _split(bytes32 by, bytes32 which, uint128 first, uint128 second) private returns (bytes32[] memory) {
        uint128[] memory amounts = new uint128[](2);
        (amounts[0], amounts[1]) = (first, second);
        _as(by);
        return RECEIVABLES.split(which, 0, amounts, "");
    }

    // ---- claims ---------------------------------------------------------------------------------

    function test_the_same_invoice_is_not_financed_twice() public {
        IReceivables.Draft memory draft = _invoice("2", 5);
        draft.keys[0] = keccak256(abi.encode("invoice", bytes32("1")));
        vm.expectRevert(
            abi.encodeWithSelector(IClaims.AlreadyClaimed.selector, draft.keys[0], address(RECEIVABLES), id)
        );
        _create(SUPPLIER, draft);
    }

    function test_another_bank_does_not_help(bytes32 creditor) public {
        // Whoever comes with it, and whatever he calls it.
        creditor = uint256(creditor) % 2 == 0 ? TRADER : OTHER_BANK;
        IReceivables.Draft memory draft = _invoice("2", 5);
        draft.keys[0] = keccak256(abi.encode("invoice", bytes32("1")));
        draft.creditor = creditor;
        vm.expectRevert();
        _create(creditor, draft);
    }

    // ---- rejecting ------------------------------------------------------------------------------

    function test_a_freeze_leaves_the_recipient_the_right_to_reject() public {
        _endorse(id, SUPPLIER, TRADER, true);
        _as(REGULATOR);
        RECEIVABLES.freeze(id, 0, DECISION, "");
        bytes memory reject = abi.encodeCall(IReceivables.reject, (id, 0, ""));
        _refused(TRADER, address(RECEIVABLES), reject, IInstrument.InstrumentFrozen.selector);
        _as(REGULATOR);
        RECEIVABLES.unfreeze(id, 0, REGULATOR, DECISION, "");
        vm.assertTrue(_get(id).rejectable, "as it was");
        _as(TRADER);
        RECEIVABLES.reject(id, 0, "not agreed");
        vm.assertEq(_get(id).holder, SUPPLIER, "back");
        vm.assertEq(_get(id).endorsements, 0, "and nobody stands behind it");
    }

    function test_an_act_of_the_parties_ends_the_right_to_reject() public {
        _endorse(id, SUPPLIER, TRADER, true);
        _as(TRADER);
        RECEIVABLES.undertake(id, 0, true, "");
        bytes memory reject = abi.encodeCall(IReceivables.reject, (id, 0, ""));
        _refused(TRADER, address(RECEIVABLES), reject, IReceivables.NothingToReject.selector);
    }

    // ---- parts ----------------------------------------------------------------------------------

    function test_parts_sum_to_the_whole(uint128 first, uint128 second) public {
        uint256 sum = uint256(first) + second;
        if (first == 0 || second == 0 || sum != 1000) {
            uint128[] memory amounts = new uint128[](2);
            (amounts[0], amounts[1]) = (first, second);
            vm.expectRevert();
            _as(SUPPLIER);
            RECEIVABLES.split(id, 0, amounts, "");
            return;
        }
        _split(SUPPLIER, id, first, second);
    }

    function test_a_split_moves_what_is_outstanding(uint128 first) public {
        _discharge(id, 100);
        first = uint128(_within(first, 1, 899));
        bytes32[] memory parts = _split(SUPPLIER, id, first, 900 - first);
        vm.assertEq(_get(id).outstanding, 0, "the whole");
        vm.assertEq(_get(id).paid, 100, "what was paid stays");
        vm.assertEq(_get(parts[0]).outstanding, first, "one");
        vm.assertEq(_get(parts[1]).outstanding, 900 - first, "two");
        vm.assertEq(_get(parts[1]).root, id, "root");
        _checkState(id, ReceivableRules.STATE_SPLIT);
    }

    function test_a_pledge_goes_on_with_the_parts() public {
        bytes32 key = _pledged(address(RECEIVABLES), id, BANK);
        uint128[] memory amounts = new uint128[](2);
        (amounts[0], amounts[1]) = (400, 600);
        uint64 revision = _get(id).revision + 1;
        bytes memory call = abi.encodeCall(IReceivables.split, (id, revision, amounts, ""));
        _as(BANK);
        RECEIVABLES.permit(id, 0, keccak256(call), "");
        _as(SUPPLIER);
        bytes32[] memory parts = RECEIVABLES.split(id, revision, amounts, "");
        vm.assertEq(PLEDGES.pledge(key).assets, 2, "assets");
        vm.assertEq(_get(parts[0]).pledgee, BANK, "part");
        vm.assertEq(_get(id).pledgee, 0, "whole");
        vm.assertEq(PLEDGES.pledgeOf(address(RECEIVABLES), parts[1]), key, "covered");
    }

    // ---- payment --------------------------------------------------------------------------------

    function test_it_is_paid_once(uint128 first, uint128 second) public {
        first = uint128(_within(first, 1, 1000));
        vm.assertEq(_discharge(id, first), SUPPLIER, "payee");
        second = uint128(_within(second, 1, type(uint128).max));
        bool fits = second <= 1000 - first;
        if (!fits) vm.expectRevert();
        _discharge(id, second);
        uint128 paid = fits ? first + second : first;
        vm.assertEq(_get(id).paid, paid, "paid");
        vm.assertEq(_get(id).outstanding, 1000 - paid, "outstanding");
        _checkState(id, paid == 1000 ? ReceivableRules.STATE_PAID : ReceivableRules.STATE_ACCEPTED);
    }

    function test_while_pledged_the_pledgee_is_paid() public {
        bytes32 key = _pledged(address(RECEIVABLES), id, BANK);
        vm.assertEq(_discharge(id, 1), BANK, "payee");
        vm.expectRevert(abi.encodeWithSelector(IInstrument.InstrumentPledged.selector, id, BANK));
        _as(SUPPLIER);
        RECEIVABLES.confirmPayment(id, 0, 1, 0, "");
        _discharge(id, 999);
        _checkState(id, ReceivableRules.STATE_PAID);
        bytes32[] memory ids = new bytes32[](1);
        ids[0] = id;
        _as(BANK);
        PLEDGES.release(key, ids, "");
        vm.assertEq(_get(id).pledgee, 0, "free of the pledge");
    }

    function test_only_settlement_says_that_deposits_were_paid(address caller) public {
        vm.assume(caller != SETTLEMENT);
        vm.prank(caller);
        vm.expectRevert(
            abi.encodeWithSelector(
                IInstrument.NotEntitled.selector, id, uint8(ReceivableRules.DISCHARGE_PART >> 88), MILL
            )
        );
        RECEIVABLES.discharge(id, 0, MILL, 1);
    }

    function test_nothing_is_paid_while_frozen() public {
        _as(REGULATOR);
        RECEIVABLES.freeze(id, 0, DECISION, "");
        vm.expectRevert(abi.encodeWithSelector(IInstrument.InstrumentFrozen.selector, id));
        _discharge(id, 1);
    }

    // ---- settlement -----------------------------------------------------------------------------

    function test_a_lock_can_be_lifted_whatever_the_debtor_did() public {
        vm.prank(SETTLEMENT);
        RECEIVABLES.lock(id, 0, SUPPLIER);
        vm.expectRevert(abi.encodeWithSelector(IInstrument.InstrumentLocked.selector, id));
        _endorse(id, SUPPLIER, TRADER, true);
        _as(MILL);
        RECEIVABLES.dispute(id, 0, PROOF, "mouldy");
        vm.expectRevert();
        vm.prank(SETTLEMENT);
        RECEIVABLES.settle(id, 0, SUPPLIER, BANK);
        vm.prank(SETTLEMENT);
        RECEIVABLES.unlock(id);
        _discharge(id, 1000);
        _checkState(id, ReceivableRules.STATE_PAID);
    }

    function test_a_lock_survives_payment_and_is_lifted_then() public {
        vm.prank(SETTLEMENT);
        RECEIVABLES.lock(id, 0, SUPPLIER);
        _discharge(id, 1000);
        vm.prank(SETTLEMENT);
        RECEIVABLES.unlock(id);
        vm.assertFalse(_get(id).locked, "unlocked");
    }

    function test_factoring_with_recourse_and_back(bool recourse) public {
        if (recourse) {
            _as(SUPPLIER);
            RECEIVABLES.undertake(id, 0, true, "");
        }
        vm.prank(SETTLEMENT);
        RECEIVABLES.settle(id, 0, SUPPLIER, BANK);
        vm.assertFalse(_get(id).undertaken, "the bank has promised nothing");
        vm.assertEq(_get(id).guarantor, recourse ? SUPPLIER : bytes32(0), "guarantor");
        vm.warp(_get(id).due + 3 days + 1);
        _as(BANK);
        RECEIVABLES.declareDefault(id, 0, "");
        if (!recourse) vm.expectRevert(abi.encodeWithSelector(IReceivables.NobodyStandsBehind.selector, id));
        _as(BANK);
        RECEIVABLES.recourse(id, 0, "");
        vm.assertEq(_get(id).holder, recourse ? SUPPLIER : BANK, "holder");
    }

    function test_an_endorser_who_pays_is_where_he_was() public {
        _endorse(id, SUPPLIER, TRADER, true);
        _endorse(id, TRADER, BANK, true);
        vm.warp(_get(id).due + 3 days + 1);
        _as(BANK);
        RECEIVABLES.declareDefault(id, 0, "");
        vm.prank(SETTLEMENT);
        RECEIVABLES.settle(id, 0, BANK, TRADER);
        vm.assertEq(_get(id).guarantor, SUPPLIER, "guarantor");
        vm.assertEq(_get(id).endorsements, 1, "endorsements");
    }

    function test_recourse_passes_over_whoever_is_active_no_longer() public {
        _endorse(id, SUPPLIER, TRADER, true);
        _endorse(id, TRADER, BANK, true);
        vm.warp(_get(id).due + 3 days + 1);
        _as(BANK);
        RECEIVABLES.declareDefault(id, 0, "");
        _setStatus(TRADER, IConsortium.Status.Suspended);
        _as(BANK);
        RECEIVABLES.recourse(id, 0, "");
        vm.assertEq(_get(id).holder, SUPPLIER, "holder");
    }

    function test_hands_are_counted() public {
        bytes32[3] memory hands = [SUPPLIER, TRADER, BANK];
        for (uint256 i = 0; i < 32; ++i) _endorse(id, hands[i % 3], hands[(i + 1) % 3], false);
        vm.expectRevert(abi.encodeWithSelector(IReceivables.TooManyEndorsements.selector, id));
        _endorse(id, hands[32 % 3], hands[0], false);
        vm.assertEq(RECEIVABLES.endorsementsOf(id).length, 32, "all of them");
    }

    // ---- authorities and enforcement --------------------------------------------------------------

    function test_enforcement_gives_it_to_the_pledgee() public {
        _endorse(id, SUPPLIER, TRADER, true);
        bytes32 key = _pledged(address(RECEIVABLES), id, BANK);
        IPledges.Pledge memory pledge = PLEDGES.pledge(key);
        vm.warp(pledge.terms.due + 1);
        _as(BANK);
        PLEDGES.declareDefault(key, "");
        vm.warp(block.timestamp + 30 days);
        bytes32[] memory ids = new bytes32[](1);
        ids[0] = id;
        _as(BANK);
        PLEDGES.enforce(key, ids, BANK, "");
        vm.assertEq(_get(id).holder, BANK, "holder");
        vm.assertEq(_get(id).guarantor, SUPPLIER, "the endorser stands behind it still");
    }

    function test_an_award_leaves_the_debtor_owing_somebody() public {
        _as(ARBITRATOR);
        RECEIVABLES.freeze(id, 0, DECISION, "");
        vm.expectRevert(abi.encodeWithSelector(IReceivables.InvalidParty.selector, MILL));
        _as(ARBITRATOR);
        RECEIVABLES.award(id, 0, MILL, DECISION, "");
        _as(ARBITRATOR);
        RECEIVABLES.award(id, 0, TRADER, DECISION, "");
        vm.assertEq(_get(id).holder, TRADER, "holder");
    }

    function test_a_decision_is_named() public {
        _as(MILL);
        RECEIVABLES.dispute(id, 0, PROOF, "mouldy");
        vm.expectRevert(abi.encodeWithSelector(IInstrument.DecisionMissing.selector));
        _as(ARBITRATOR);
        RECEIVABLES.annul(id, 0, 0, "");
        vm.expectRevert(abi.encodeWithSelector(IInstrument.DecisionMissing.selector));
        _as(ARBITRATOR);
        RECEIVABLES.uphold(id, 0, 1, 0, "");
    }

    function test_a_device_does_nothing() public {
        vm.expectRevert(abi.encodeWithSelector(IInstrument.CallerNotActive.selector, device(SUPPLIER)));
        vm.prank(device(SUPPLIER));
        RECEIVABLES.endorse(id, 0, TRADER, true, "");
    }

    // ---- documents --------------------------------------------------------------------------------

    function test_a_published_document_is_the_one_that_was_hashed() public {
        IReceivables.Draft memory draft = _invoice("2", 5);
        draft.payload = "{}";
        draft.terms = sha256("{}");
        bytes32 expected = RECEIVABLES.idOf(SUPPLIER, "2");
        vm.expectEmit(true, true, true, true, address(RECEIVABLES));
        emit IReceivables.TermsPublished(expected, draft.terms, "{}");
        vm.assertEq(_create(SUPPLIER, draft), expected, "id");
        draft = _invoice("3", 5);
        draft.payload = new bytes(65_537);
        vm.expectRevert(abi.encodeWithSelector(IReceivables.PayloadTooLarge.selector, 65_537));
        _create(SUPPLIER, draft);
    }

    function test_currencies_and_numbers_are_text() public {
        IReceivables.Draft memory draft = _invoice("2", 5);
        draft.currency = "cny";
        vm.expectRevert(abi.encodeWithSelector(IReceivables.InvalidCurrency.selector, draft.currency));
        _create(SUPPLIER, draft);
        draft = _invoice(hex"41000042", 5);
        vm.expectRevert(abi.encodeWithSelector(IReceivables.InvalidNumber.selector, draft.number));
        _create(SUPPLIER, draft);
    }
}
