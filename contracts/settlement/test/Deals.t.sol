// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";
import {IInstrument} from "../../instruments/interfaces/IInstrument.sol";
import {IDeals} from "../interfaces/IDeals.sol";
import {IDeposits} from "../interfaces/IDeposits.sol";
import {IMembers} from "../interfaces/IMembers.sol";
import {SettlementRules} from "../libraries/SettlementRules.sol";
import {SettlementScene} from "./SettlementScene.sol";

/// @notice The trader sells a receipt to the mill.
abstract contract DealsScene is SettlementScene {
    bytes32 internal lot;
    bytes32 internal receipt;

    function setUp() public virtual {
        _foundSettlement();
        _issue(BANK, TRADER, 10);
        _issue(BANK, MILL, 1000);
        lot = _lot("wheat 1", 1000);
        receipt = _issued("1", lot, 100);
        _as(TRADER);
        DEPOSITS.chooseHome(BANK, CNY);
    }

    function _offer(bytes32 buyer, uint128 amount, IDeals.Condition memory condition) internal returns (bytes32 id) {
        IDeals.Draft memory draft = _draftDeal(buyer, amount, condition);
        IDeals.Leg[] memory legs = _leg(receipt);
        _as(TRADER);
        id = SETTLEMENT.offer(draft, legs, "");
    }

    function _accept(bytes32 id) internal {
        uint64[] memory revisions = _revisions(receipt);
        _as(MILL);
        SETTLEMENT.accept(id, 1, BANK, revisions, "");
    }

    function _commit(bytes32 id) internal {
        uint64[] memory revisions = _revisions(receipt);
        _as(MILL);
        SETTLEMENT.commit(id, 1, BANK, revisions, "");
    }

    function _checkSettled(bytes32 id) internal view {
        vm.assertEq(_state(id), SettlementRules.STATE_SETTLED, "settled");
        vm.assertEq(RECEIPTS.receipt(receipt).holder, MILL, "holder");
        vm.assertFalse(RECEIPTS.receipt(receipt).locked, "unlocked");
        vm.assertEq(_balance(BANK, MILL), 400, "paid");
        vm.assertEq(_balance(BANK, TRADER), 610, "received");
    }

    function _checkUndone(bytes32 id, uint8 state) internal view {
        vm.assertEq(_state(id), state, "state");
        vm.assertEq(RECEIPTS.receipt(receipt).holder, TRADER, "holder");
        vm.assertFalse(RECEIPTS.receipt(receipt).locked, "unlocked");
        vm.assertEq(DEPOSITS.freeOf(BANK, CNY, MILL), 1000, "money");
    }
}

contract DeliveryVersusPaymentTest is DealsScene {
    function test_payment_and_delivery_are_one_transaction() public {
        bytes32 id = _offer(MILL, 600, _none());
        vm.assertTrue(RECEIPTS.receipt(receipt).locked, "locked");
        _accept(id);
        _checkSettled(id);
    }

    function test_without_the_money_nothing_happens() public {
        bytes32 id = _offer(MILL, 1001, _none());
        uint64[] memory revisions = _revisions(receipt);
        vm.expectRevert();
        _as(MILL);
        SETTLEMENT.accept(id, 1, BANK, revisions, "");
        vm.assertEq(_state(id), SettlementRules.STATE_OFFERED, "offered");
        vm.assertEq(RECEIPTS.receipt(receipt).holder, TRADER, "holder");
    }

    function test_nothing_is_settled_twice() public {
        bytes32 id = _offer(MILL, 600, _none());
        _accept(id);
        uint64[] memory revisions = _revisions(receipt);
        vm.expectRevert(abi.encodeWithSelector(IDeals.DealState.selector, id, 11, SettlementRules.STATE_SETTLED));
        _as(MILL);
        SETTLEMENT.accept(id, 0, BANK, revisions, "");
    }

    function test_a_locked_instrument_is_offered_once() public {
        _offer(MILL, 600, _none());
        IDeals.Draft memory draft = _draftDeal(SUPPLIER, 600, _none());
        IDeals.Leg[] memory legs = _leg(receipt);
        vm.expectRevert(abi.encodeWithSelector(IInstrument.InstrumentLocked.selector, receipt));
        _as(TRADER);
        SETTLEMENT.offer(draft, legs, "");
    }

    function test_nobody_offers_what_another_one_holds() public {
        IDeals.Draft memory draft = _draftDeal(MILL, 600, _none());
        draft.sellerBank = BANK;
        IDeals.Leg[] memory legs = _leg(receipt);
        vm.expectRevert(abi.encodeWithSelector(IInstrument.NotEntitled.selector, receipt, 7, SUPPLIER));
        _as(SUPPLIER);
        SETTLEMENT.offer(draft, legs, "");
    }

    function test_a_pledged_receipt_is_not_sold() public {
        _pledged(address(RECEIPTS), receipt, BANK);
        IDeals.Draft memory draft = _draftDeal(MILL, 600, _none());
        IDeals.Leg[] memory legs = _leg(receipt);
        vm.expectRevert(abi.encodeWithSelector(IInstrument.InstrumentPledged.selector, receipt, BANK));
        _as(TRADER);
        SETTLEMENT.offer(draft, legs, "");
    }

    function test_several_instruments_against_one_payment() public {
        IDeals.Leg[] memory legs = new IDeals.Leg[](16);
        uint64[] memory revisions = new uint64[](16);
        for (uint256 i = 0; i < 16; ++i) {
            bytes32 id = _issued(bytes32(bytes.concat("r-", bytes1(uint8(65 + i)))), lot, 10);
            legs[i] = IDeals.Leg(address(RECEIPTS), 1, id);
            revisions[i] = 2;
        }
        IDeals.Draft memory draft = _draftDeal(MILL, 600, _none());
        _as(TRADER);
        bytes32 deal = SETTLEMENT.offer(draft, legs, "");
        _as(MILL);
        SETTLEMENT.accept(deal, 1, BANK, revisions, "");
        for (uint256 i = 0; i < 16; ++i) vm.assertEq(RECEIPTS.receipt(legs[i].id).holder, MILL, "all of them");
        vm.assertEq(_balance(BANK, MILL), 400, "paid once");
    }

    function test_the_same_instrument_twice_or_none_or_too_many() public {
        IDeals.Draft memory draft = _draftDeal(MILL, 600, _none());
        IDeals.Leg[] memory legs = new IDeals.Leg[](2);
        legs[0] = _leg(receipt)[0];
        legs[1] = legs[0];
        vm.expectRevert(abi.encodeWithSelector(IInstrument.StaleRevision.selector, receipt, 1, 2));
        _as(TRADER);
        SETTLEMENT.offer(draft, legs, "");
        vm.expectRevert(abi.encodeWithSelector(IDeals.WrongLegs.selector, 0));
        _as(TRADER);
        SETTLEMENT.offer(draft, new IDeals.Leg[](0), "");
        vm.expectRevert(abi.encodeWithSelector(IDeals.WrongLegs.selector, 17));
        _as(TRADER);
        SETTLEMENT.offer(draft, new IDeals.Leg[](17), "");
        legs = _leg(receipt);
        legs[0].instrument = address(STOCK);
        vm.expectRevert(abi.encodeWithSelector(IDeals.NotInstrument.selector, address(STOCK)));
        _as(TRADER);
        SETTLEMENT.offer(draft, legs, "");
    }

    function test_only_the_named_buyer_or_the_role() public {
        bytes32 id = _offer(MILL, 600, _none());
        uint64[] memory revisions = _revisions(receipt);
        vm.expectRevert(abi.encodeWithSelector(IDeals.DealNotEntitled.selector, id, 11, SUPPLIER));
        _as(SUPPLIER);
        SETTLEMENT.accept(id, 1, BANK, revisions, "");
        _as(TRADER);
        SETTLEMENT.withdraw(id, 1, "");
        IDeals.Draft memory draft = _draftDeal(0, 600, _none());
        draft.role = IConsortium.Role.Manufacturer;
        IDeals.Leg[] memory legs = _leg(receipt);
        _as(TRADER);
        id = SETTLEMENT.offer(draft, legs, "");
        revisions = _revisions(receipt);
        vm.expectRevert(abi.encodeWithSelector(IDeals.DealNotEntitled.selector, id, 11, OTHER_BANK));
        _as(OTHER_BANK);
        SETTLEMENT.accept(id, 1, OTHER_BANK, revisions, "");
        _accept(id);
        _checkSettled(id);
        vm.assertEq(SETTLEMENT.deal(id).buyer, MILL, "buyer");
    }

    function test_an_offer_to_anybody_is_not_for_the_seller() public {
        bytes32 id = _offer(0, 5, _none());
        uint64[] memory revisions = _revisions(receipt);
        vm.expectRevert(abi.encodeWithSelector(IDeals.DealNotEntitled.selector, id, 11, TRADER));
        _as(TRADER);
        SETTLEMENT.accept(id, 1, BANK, revisions, "");
    }

    function test_the_buyer_takes_what_he_has_seen() public {
        bytes32 id = _offer(MILL, 600, _none());
        uint64[] memory revisions = _revisions(receipt);
        _as(ARBITRATOR);
        RECEIPTS.freeze(receipt, 0, DECISION, "");
        _as(ARBITRATOR);
        RECEIPTS.unfreeze(receipt, 0, ARBITRATOR, DECISION, "");
        vm.expectRevert(abi.encodeWithSelector(IInstrument.StaleRevision.selector, receipt, revisions[0], revisions[0] + 2));
        _as(MILL);
        SETTLEMENT.accept(id, 1, BANK, revisions, "");
        vm.expectRevert(abi.encodeWithSelector(IDeals.StaleDeal.selector, id, 7, 1));
        _as(MILL);
        SETTLEMENT.accept(id, 7, BANK, revisions, "");
    }

    function test_a_frozen_receipt_does_not_change_hands_but_comes_back() public {
        bytes32 id = _offer(MILL, 600, _none());
        _as(ARBITRATOR);
        RECEIPTS.freeze(receipt, 0, DECISION, "");
        uint64[] memory revisions = _revisions(receipt);
        vm.expectRevert(abi.encodeWithSelector(IInstrument.InstrumentFrozen.selector, receipt));
        _as(MILL);
        SETTLEMENT.accept(id, 1, BANK, revisions, "");
        _as(TRADER);
        SETTLEMENT.withdraw(id, 1, "");
        _checkUndone(id, SettlementRules.STATE_WITHDRAWN);
    }

    function test_decline_withdraw_expire_unlock() public {
        bytes32 id = _offer(MILL, 600, _none());
        _as(MILL);
        SETTLEMENT.decline(id, 1, "too dear");
        _checkUndone(id, SettlementRules.STATE_DECLINED);
        id = _offer(MILL, 600, _none());
        vm.expectRevert(abi.encodeWithSelector(IDeals.TooEarly.selector, id, NOW + 3 days));
        _as(SUPPLIER);
        SETTLEMENT.expire(id, 1, "");
        vm.warp(NOW + 3 days + 1);
        uint64[] memory revisions = _revisions(receipt);
        vm.expectRevert(abi.encodeWithSelector(IDeals.TooLate.selector, id, NOW + 3 days));
        _as(MILL);
        SETTLEMENT.accept(id, 1, BANK, revisions, "");
        _as(SUPPLIER);
        SETTLEMENT.expire(id, 1, "");
        _checkUndone(id, SettlementRules.STATE_EXPIRED);
    }

    function test_a_buyers_bank_pays_across_within_its_limit() public {
        _issue(OTHER_BANK, MILL, 600);
        bytes32 id = _offer(MILL, 600, _none());
        uint64[] memory revisions = _revisions(receipt);
        vm.expectRevert(abi.encodeWithSelector(IDeposits.LimitExceeded.selector, BANK, OTHER_BANK, 600, 0));
        _as(MILL);
        SETTLEMENT.accept(id, 1, OTHER_BANK, revisions, "");
        _limit(BANK, OTHER_BANK, 600);
        _as(MILL);
        SETTLEMENT.accept(id, 1, OTHER_BANK, revisions, "");
        vm.assertEq(DEPOSITS.position(BANK, OTHER_BANK, CNY).claim, 600, "claim");
        vm.assertEq(RECEIPTS.receipt(receipt).holder, MILL, "holder");
    }

    function test_a_bank_buys_with_its_own_money() public {
        bytes32 id = _offer(BANK, 600, _none());
        uint64[] memory revisions = _revisions(receipt);
        _as(BANK);
        SETTLEMENT.accept(id, 1, BANK, revisions, "");
        vm.assertEq(_balance(BANK, TRADER), 610, "received");
        vm.assertEq(RECEIPTS.receipt(receipt).holder, BANK, "holder");
        _checkBook(BANK, 1610);
    }

    function test_an_authority_quashes_by_decision() public {
        bytes32 id = _offer(MILL, 600, _none());
        vm.expectRevert(abi.encodeWithSelector(IDeals.DealNotEntitled.selector, id, 23, TRADER));
        _as(TRADER);
        SETTLEMENT.quash(id, 1, DECISION, "");
        vm.expectRevert(abi.encodeWithSelector(IMembers.DecisionMissing.selector));
        _as(ARBITRATOR);
        SETTLEMENT.quash(id, 1, 0, "");
        _as(ARBITRATOR);
        SETTLEMENT.quash(id, 1, DECISION, "");
        _checkUndone(id, SettlementRules.STATE_CANCELLED);
    }
}

contract ConditionalTest is DealsScene {
    function _paymentOn(IDeals.Condition memory condition) private returns (bytes32 id) {
        IDeals.Draft memory draft = _draftDeal(TRADER, 600, condition);
        draft.expires = 0;
        draft.buyerBank = BANK;
        _as(MILL);
        id = SETTLEMENT.setAside(draft, "");
    }

    function test_a_condition_that_is_met_changes_both_hands() public {
        bytes32 id = _offer(MILL, 600, _inspection());
        uint64[] memory revisions = _revisions(receipt);
        vm.expectRevert(
            abi.encodeWithSelector(IDeals.WrongCondition.selector, id, IDeals.ConditionKind.Inspection)
        );
        _as(MILL);
        SETTLEMENT.accept(id, 1, BANK, revisions, "");
        _commit(id);
        vm.assertEq(DEPOSITS.freeOf(BANK, CNY, MILL), 400, "set aside");
        vm.assertEq(RECEIPTS.receipt(receipt).holder, TRADER, "not yet");
        vm.expectRevert(abi.encodeWithSelector(IDeals.DealNotEntitled.selector, id, 17, TRADER));
        _as(TRADER);
        SETTLEMENT.attest(id, 2, EVIDENCE, "");
        _as(INSPECTOR);
        SETTLEMENT.attest(id, 2, EVIDENCE, "");
        _checkSettled(id);
        vm.assertEq(SETTLEMENT.deal(id).evidence, EVIDENCE, "evidence");
    }

    function test_a_condition_that_is_not_met_gives_both_back() public {
        bytes32 id = _offer(MILL, 600, _inspection());
        _commit(id);
        _as(INSPECTOR);
        SETTLEMENT.deny(id, 2, EVIDENCE, "");
        _checkUndone(id, SettlementRules.STATE_RETURNED);
    }

    function test_after_the_deadline_anybody_gives_back() public {
        bytes32 id = _offer(MILL, 600, _inspection());
        _commit(id);
        vm.expectRevert(abi.encodeWithSelector(IDeals.TooEarly.selector, id, NOW + 10 days));
        _as(SUPPLIER);
        SETTLEMENT.giveBack(id, 2, "");
        vm.warp(NOW + 10 days + 1);
        vm.expectRevert(abi.encodeWithSelector(IDeals.TooLate.selector, id, NOW + 10 days));
        _as(INSPECTOR);
        SETTLEMENT.attest(id, 2, EVIDENCE, "");
        _as(SUPPLIER);
        SETTLEMENT.giveBack(id, 2, "");
        _checkUndone(id, SettlementRules.STATE_RETURNED);
    }

    function test_a_payment_on_a_date() public {
        bytes32 id = _paymentOn(_date());
        vm.expectRevert(abi.encodeWithSelector(IDeals.TooEarly.selector, id, NOW + 5 days));
        _as(TRADER);
        SETTLEMENT.execute(id, 1, "");
        vm.warp(NOW + 5 days);
        _as(SUPPLIER);
        SETTLEMENT.execute(id, 1, "");
        vm.assertEq(_balance(BANK, TRADER), 610, "paid");
        vm.expectRevert(abi.encodeWithSelector(IDeals.DealState.selector, id, 19, SettlementRules.STATE_SETTLED));
        _as(SUPPLIER);
        SETTLEMENT.execute(id, 0, "");
    }

    function test_a_date_is_not_given_back() public {
        bytes32 id = _paymentOn(_date());
        vm.warp(NOW + 12 days);
        vm.expectRevert(abi.encodeWithSelector(IDeals.TooEarly.selector, id, NOW + 12 days));
        _as(MILL);
        SETTLEMENT.giveBack(id, 1, "");
        vm.warp(NOW + 50 days);
        vm.expectRevert(abi.encodeWithSelector(IDeals.AsAgreed.selector, id));
        _as(MILL);
        SETTLEMENT.giveBack(id, 1, "");
    }

    function test_what_waits_for_a_word_is_not_executed_without_it() public {
        bytes32 id = _paymentOn(_inspection());
        vm.warp(NOW + 50 days);
        vm.expectRevert(
            abi.encodeWithSelector(IDeals.WrongCondition.selector, id, IDeals.ConditionKind.Inspection)
        );
        _as(TRADER);
        SETTLEMENT.execute(id, 1, "");
    }

    function test_a_word_stands_even_where_the_payment_must_wait() public {
        _issue(OTHER_BANK, SUPPLIER, 600);
        IDeals.Draft memory draft = _draftDeal(TRADER, 600, _inspection());
        draft.expires = 0;
        draft.buyerBank = OTHER_BANK;
        _as(SUPPLIER);
        bytes32 id = SETTLEMENT.setAside(draft, "");
        _as(INSPECTOR);
        SETTLEMENT.attest(id, 1, EVIDENCE, "");
        vm.assertEq(_state(id), SettlementRules.STATE_MET, "met, not paid");
        vm.assertEq(_balance(OTHER_BANK, SUPPLIER), 600, "money stays");
        vm.expectRevert(abi.encodeWithSelector(IDeposits.LimitExceeded.selector, BANK, OTHER_BANK, 600, 0));
        _as(TRADER);
        SETTLEMENT.execute(id, 0, "");
        _limit(BANK, OTHER_BANK, 600);
        _as(TRADER);
        SETTLEMENT.execute(id, 2, "");
        vm.assertEq(_balance(BANK, TRADER), 610, "paid");
        _checkBook(BANK, 1610);
        _checkBook(OTHER_BANK, 0);
    }

    function test_nobody_proceeds_from_outside() public {
        bytes32 id = _paymentOn(_inspection());
        vm.expectRevert(abi.encodeWithSelector(IMembers.NotCaller.selector, account(INSPECTOR)));
        _as(INSPECTOR);
        SETTLEMENT.proceed(id, INSPECTOR);
    }

    function test_both_together_cancel() public {
        bytes32 id = _offer(MILL, 600, _inspection());
        _commit(id);
        vm.expectRevert(abi.encodeWithSelector(IDeals.AskTheOther.selector, id, bytes32(0)));
        _as(MILL);
        SETTLEMENT.agreeCancel(id, 2, "");
        _as(MILL);
        SETTLEMENT.askCancel(id, 2, "");
        vm.expectRevert(abi.encodeWithSelector(IDeals.AskTheOther.selector, id, MILL));
        _as(MILL);
        SETTLEMENT.agreeCancel(id, 3, "");
        vm.expectRevert(abi.encodeWithSelector(IDeals.DealNotEntitled.selector, id, 22, INSPECTOR));
        _as(INSPECTOR);
        SETTLEMENT.agreeCancel(id, 3, "");
        _as(TRADER);
        SETTLEMENT.agreeCancel(id, 3, "");
        _checkUndone(id, SettlementRules.STATE_CANCELLED);
    }

    function test_money_set_aside_before_a_hold_goes_where_it_was_promised() public {
        bytes32 id = _paymentOn(_date());
        _as(ARBITRATOR);
        DEPOSITS.hold(BANK, CNY, MILL, 1000, DECISION, "");
        vm.warp(NOW + 5 days);
        _as(TRADER);
        SETTLEMENT.execute(id, 1, "");
        vm.assertEq(_balance(BANK, TRADER), 610, "promised");
        vm.assertEq(DEPOSITS.freeOf(BANK, CNY, MILL), 0, "the rest is held");
    }

    function test_conditions_that_make_no_sense_are_refused() public {
        IDeals.Condition[] memory wrong = new IDeals.Condition[](7);
        wrong[0] = IDeals.Condition(IDeals.ConditionKind.None, 0, 0, 0, 0);
        wrong[1] = IDeals.Condition(IDeals.ConditionKind.Date, NOW, 0, 0, 0);
        wrong[2] = IDeals.Condition(IDeals.ConditionKind.Date, NOW + 1, NOW + 2, 0, 0);
        wrong[3] = IDeals.Condition(IDeals.ConditionKind.Delivery, 0, NOW, INSPECTOR, EVIDENCE);
        wrong[4] = IDeals.Condition(IDeals.ConditionKind.Delivery, 0, NOW + 1, INSPECTOR, 0);
        wrong[5] = IDeals.Condition(IDeals.ConditionKind.Delivery, NOW + 1, NOW + 1, INSPECTOR, EVIDENCE);
        wrong[6] = IDeals.Condition(IDeals.ConditionKind.Delivery, 0, NOW + 3661 days, INSPECTOR, EVIDENCE);
        for (uint256 i = 0; i < wrong.length; ++i) {
            IDeals.Draft memory draft = _draftDeal(TRADER, 600, wrong[i]);
            draft.expires = 0;
            draft.buyerBank = BANK;
            vm.expectRevert(abi.encodeWithSelector(IDeals.InvalidDeal.selector));
            _as(MILL);
            SETTLEMENT.setAside(draft, "");
        }
        IDeals.Draft memory nobody = _draftDeal(TRADER, 600, _inspection());
        nobody.condition.attestor = "nobody";
        vm.expectRevert(abi.encodeWithSelector(IMembers.PartyNotActive.selector, bytes32("nobody")));
        _as(MILL);
        SETTLEMENT.setAside(_without(nobody), "");
    }

    function _without(IDeals.Draft memory draft) private pure returns (IDeals.Draft memory) {
        draft.expires = 0;
        draft.buyerBank = BANK;
        return draft;
    }

    function test_a_bank_that_is_none_is_refused() public {
        IDeals.Draft memory draft = _draftDeal(MILL, 600, _none());
        draft.sellerBank = "nobody";
        IDeals.Leg[] memory legs = _leg(receipt);
        vm.expectRevert(abi.encodeWithSelector(IMembers.PartyNotActive.selector, bytes32("nobody")));
        _as(TRADER);
        SETTLEMENT.offer(draft, legs, "");
    }
}
