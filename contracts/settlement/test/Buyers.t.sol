// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IInstrument} from "../../instruments/interfaces/IInstrument.sol";
import {IReceivables} from "../../receivables/interfaces/IReceivables.sol";
import {Settlement} from "../Settlement.sol";
import {IDeals} from "../interfaces/IDeals.sol";
import {Places} from "../../instruments/libraries/Places.sol";
import {IMembers} from "../interfaces/IMembers.sol";
import {DebtScene} from "./DebtScene.sol";

/// @notice The supplier sells what the mill owes him; money waits only for what its buyer can hold.
contract BuyersTest is DebtScene {
    function setUp() public override {
        super.setUp();
        _issue(BANK, SUPPLIER, 1);
        _issue(BANK, TRADER, 1_000);
        _issue(BANK, ARBITRATOR, 1_000);
    }

    function _legs() private view returns (IDeals.Leg[] memory legs) {
        legs = new IDeals.Leg[](1);
        legs[0] = IDeals.Leg(address(RECEIVABLES), RECEIVABLES.receivable(id).revision, id);
    }

    function _offered(bytes32 buyer) private returns (bytes32) {
        IDeals.Draft memory draft = _draftDeal(buyer, 500, _inspection());
        draft.sellerBank = BANK;
        IDeals.Leg[] memory legs = _legs();
        _as(SUPPLIER);
        return SETTLEMENT.offer(draft, legs, "");
    }

    function _commitment(bytes32 deal) private pure returns (bytes memory) {
        return abi.encodeCall(IDeals.commit, (deal, 0, BANK, new uint64[](1), ""));
    }

    function test_money_is_not_set_aside_for_what_its_buyer_cannot_hold() public {
        bytes32 deal = _offered(0);
        _refused(MILL, address(SETTLEMENT), _commitment(deal), IReceivables.InvalidParty.selector);
        _refused(ARBITRATOR, address(SETTLEMENT), _commitment(deal), IReceivables.InvalidParty.selector);
        vm.assertEq(DEPOSITS.freeOf(BANK, CNY, MILL), 1_000, "all of it free");
        vm.assertEq(SETTLEMENT.deal(deal).revision, 1, "nothing has happened");
        _as(TRADER);
        SETTLEMENT.commit(deal, 0, BANK, new uint64[](1), "");
        vm.assertEq(DEPOSITS.freeOf(BANK, CNY, TRADER), 500, "set aside");
        vm.assertEq(RECEIVABLES.control(id).holder, SUPPLIER, "of the trial nothing stays");
        vm.assertTrue(RECEIVABLES.control(id).locked, "of the trial nothing stays");
    }

    function test_nothing_is_offered_to_who_cannot_hold_it() public {
        IDeals.Draft memory draft = _draftDeal(MILL, 500, _inspection());
        draft.sellerBank = BANK;
        bytes memory data = abi.encodeCall(IDeals.offer, (draft, _legs(), ""));
        _refused(SUPPLIER, address(SETTLEMENT), data, IReceivables.InvalidParty.selector);
        vm.assertFalse(RECEIVABLES.control(id).locked, "free");
    }

    function test_nobody_binds_himself_while_it_is_frozen() public {
        bytes32 deal = _offered(TRADER);
        _as(ARBITRATOR);
        RECEIVABLES.freeze(id, 0, DECISION, "");
        _refused(TRADER, address(SETTLEMENT), _commitment(deal), IInstrument.InstrumentFrozen.selector);
    }

    function test_nobody_makes_the_trial_from_outside() public {
        bytes32 deal = _offered(TRADER);
        bytes memory data = abi.encodeCall(IDeals.rehearse, (deal));
        _refused(SUPPLIER, address(SETTLEMENT), data, IMembers.NotCaller.selector);
        _refused(TRADER, address(SETTLEMENT), data, IMembers.NotCaller.selector);
    }

    function test_a_former_settlement_ends_what_it_has_and_begins_nothing() public {
        bytes32 deal = _offered(TRADER);
        Settlement second = new Settlement();
        _register("settlement", address(second));
        IDeals.Draft memory draft = _draftDeal(TRADER, 500, _inspection());
        draft.sellerBank = BANK;
        bytes memory data = abi.encodeCall(IDeals.offer, (draft, _legs(), ""));
        _refused(SUPPLIER, address(SETTLEMENT), data, Places.NotCurrentVersion.selector);
        _as(TRADER);
        SETTLEMENT.commit(deal, 0, BANK, new uint64[](1), "");
        _as(INSPECTOR);
        SETTLEMENT.attest(deal, 0, EVIDENCE, "");
        vm.assertEq(RECEIVABLES.control(id).holder, TRADER, "as promised");
    }
}
