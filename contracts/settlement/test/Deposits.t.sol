// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";
import {IDeposits} from "../interfaces/IDeposits.sol";
import {IMembers} from "../interfaces/IMembers.sol";
import {SettlementScene} from "./SettlementScene.sol";

contract DepositsTest is SettlementScene {
    function setUp() public {
        _foundSettlement();
        _issue(BANK, TRADER, 1000);
        _issue(OTHER_BANK, MILL, 500);
    }

    // ---- issue and redemption -------------------------------------------------------------------

    function test_only_banks_issue() public {
        vm.expectRevert(abi.encodeWithSelector(IMembers.NotBank.selector, TRADER));
        _as(TRADER);
        DEPOSITS.issue(MILL, CNY, 1, "1", "");
        vm.expectRevert(abi.encodeWithSelector(IMembers.CallerNotActive.selector, device(BANK)));
        vm.prank(device(BANK));
        DEPOSITS.issue(MILL, CNY, 1, "1", "");
    }

    function test_a_number_is_used_once() public {
        _as(BANK);
        DEPOSITS.issue(TRADER, CNY, 1, "a", "");
        vm.expectRevert(abi.encodeWithSelector(IMembers.NumberUsed.selector, BANK, bytes32("a")));
        _as(BANK);
        DEPOSITS.issue(TRADER, CNY, 1, "a", "");
        _as(OTHER_BANK);
        DEPOSITS.issue(TRADER, CNY, 1, "a", "");
        vm.assertEq(_balance(BANK, TRADER), 1001, "once");
    }

    function test_what_no_deposit_can_be_is_refused(uint8 letter) public {
        vm.assume(letter < 65 || letter > 90);
        bytes3 currency = bytes3(abi.encodePacked("CN", letter));
        vm.expectRevert(abi.encodeWithSelector(IMembers.InvalidCurrency.selector, currency));
        _as(BANK);
        DEPOSITS.issue(TRADER, currency, 1, "1", "");
        vm.expectRevert(abi.encodeWithSelector(IMembers.InvalidAmount.selector, 0));
        _as(BANK);
        DEPOSITS.issue(TRADER, CNY, 0, "1", "");
        vm.expectRevert(abi.encodeWithSelector(IMembers.InvalidNumber.selector, bytes32(0)));
        _as(BANK);
        DEPOSITS.issue(TRADER, CNY, 1, 0, "");
        vm.expectRevert(abi.encodeWithSelector(IMembers.PartyNotActive.selector, bytes32("nobody")));
        _as(BANK);
        DEPOSITS.issue("nobody", CNY, 1, "1", "");
        vm.expectRevert(abi.encodeWithSelector(IMembers.Unchanged.selector));
        _as(BANK);
        DEPOSITS.issue(BANK, CNY, 1, "1", "");
    }

    function test_redemption_sets_aside_and_ends_when_the_bank_has_paid() public {
        _as(TRADER);
        bytes32 id = DEPOSITS.requestRedemption(BANK, CNY, 300, "r1", "");
        vm.assertEq(DEPOSITS.freeOf(BANK, CNY, TRADER), 700, "free");
        vm.expectRevert(abi.encodeWithSelector(IDeposits.NotParty.selector, id, OTHER_BANK));
        _as(OTHER_BANK);
        DEPOSITS.confirmRedemption(id, "");
        _as(BANK);
        DEPOSITS.confirmRedemption(id, "wire 4711");
        vm.assertEq(_balance(BANK, TRADER), 700, "balance");
        vm.expectRevert(
            abi.encodeWithSelector(IDeposits.RedemptionDecided.selector, id, IDeposits.RedemptionState.Confirmed)
        );
        _as(BANK);
        DEPOSITS.confirmRedemption(id, "");
        _checkBook(BANK, 700);
    }

    function test_a_refused_or_withdrawn_redemption_gives_back() public {
        _as(TRADER);
        bytes32 first = DEPOSITS.requestRedemption(BANK, CNY, 300, "r1", "");
        _as(TRADER);
        bytes32 second = DEPOSITS.requestRedemption(BANK, CNY, 700, "r2", "");
        vm.expectRevert();
        _as(TRADER);
        DEPOSITS.requestRedemption(BANK, CNY, 1, "r3", "");
        _as(BANK);
        DEPOSITS.refuseRedemption(first, "papers missing");
        _as(TRADER);
        DEPOSITS.withdrawRedemption(second, "");
        vm.assertEq(DEPOSITS.freeOf(BANK, CNY, TRADER), 1000, "free");
        vm.assertTrue(DEPOSITS.redemption(first).state == IDeposits.RedemptionState.Refused, "refused");
        vm.assertTrue(DEPOSITS.redemption(second).state == IDeposits.RedemptionState.Withdrawn, "withdrawn");
    }

    // ---- payments -------------------------------------------------------------------------------

    function test_a_payment_within_a_bank() public {
        _issue(BANK, SUPPLIER, 1);
        IDeposits.Payment memory payment = _payment(BANK, SUPPLIER, BANK, 400);
        _as(TRADER);
        DEPOSITS.pay(payment, "flour");
        vm.assertEq(_balance(BANK, SUPPLIER), 401, "payee");
        vm.assertEq(_balance(BANK, TRADER), 600, "payer");
        _checkBook(BANK, 1001);
    }

    function test_nobody_is_paid_where_he_did_not_choose() public {
        IDeposits.Payment memory payment = _payment(BANK, SUPPLIER, BANK, 400);
        vm.expectRevert(abi.encodeWithSelector(IDeposits.NoAccount.selector, SUPPLIER, BANK, CNY));
        _as(TRADER);
        DEPOSITS.pay(payment, "");
        payment.payeeBank = 0;
        vm.expectRevert(abi.encodeWithSelector(IDeposits.NoAccount.selector, SUPPLIER, bytes32(0), CNY));
        _as(TRADER);
        DEPOSITS.pay(payment, "");
        _as(SUPPLIER);
        DEPOSITS.chooseHome(BANK, CNY);
        _as(TRADER);
        DEPOSITS.pay(payment, "");
        vm.assertEq(_balance(BANK, SUPPLIER), 400, "at home");
    }

    function test_at_another_bank_only_within_its_limit() public {
        IDeposits.Payment memory payment = _payment(BANK, MILL, OTHER_BANK, 400);
        vm.expectRevert(abi.encodeWithSelector(IDeposits.LimitExceeded.selector, OTHER_BANK, BANK, 400, 0));
        _as(TRADER);
        DEPOSITS.pay(payment, "");
        _limit(OTHER_BANK, BANK, 400);
        _as(TRADER);
        DEPOSITS.pay(payment, "");
        vm.assertEq(DEPOSITS.position(OTHER_BANK, BANK, CNY).claim, 400, "claim");
        vm.assertEq(DEPOSITS.position(BANK, OTHER_BANK, CNY).claim, 0, "one way");
        payment = _payment(BANK, MILL, OTHER_BANK, 1);
        vm.expectRevert(abi.encodeWithSelector(IDeposits.LimitExceeded.selector, OTHER_BANK, BANK, 401, 400));
        _as(TRADER);
        DEPOSITS.pay(payment, "");
        _checkBook(BANK, 600);
        _checkBook(OTHER_BANK, 900);
    }

    function test_what_both_banks_claim_is_set_off() public {
        _limit(OTHER_BANK, BANK, 400);
        _limit(BANK, OTHER_BANK, 100);
        IDeposits.Payment memory payment;
        for (uint256 i = 0; i < 2; ++i) {
            payment = _payment(BANK, MILL, OTHER_BANK, 400);
            _as(TRADER);
            DEPOSITS.pay(payment, "");
            vm.assertEq(DEPOSITS.position(OTHER_BANK, BANK, CNY).claim, 400 - i * 50, "one way");
            vm.assertEq(DEPOSITS.position(BANK, OTHER_BANK, CNY).claim, 0, "the other");
            payment = _payment(OTHER_BANK, TRADER, BANK, 450);
            _as(MILL);
            DEPOSITS.pay(payment, "");
            vm.assertEq(DEPOSITS.position(OTHER_BANK, BANK, CNY).claim, 0, "no way");
            vm.assertEq(DEPOSITS.position(BANK, OTHER_BANK, CNY).claim, 50 + i * 50, "or the other");
        }
        payment = _payment(OTHER_BANK, TRADER, BANK, 1);
        vm.expectRevert(abi.encodeWithSelector(IDeposits.LimitExceeded.selector, BANK, OTHER_BANK, 101, 100));
        _as(MILL);
        DEPOSITS.pay(payment, "");
        _checkBook(BANK, 1100);
        _checkBook(OTHER_BANK, 400);
    }

    function test_the_creditor_bank_confirms_what_was_settled() public {
        _limit(OTHER_BANK, BANK, 400);
        IDeposits.Payment memory payment = _payment(BANK, MILL, OTHER_BANK, 400);
        _as(TRADER);
        DEPOSITS.pay(payment, "");
        vm.expectRevert(abi.encodeWithSelector(IDeposits.ClaimExceeded.selector, 0, 400));
        _as(BANK);
        DEPOSITS.confirmSettlement(OTHER_BANK, CNY, 400, "s1", "");
        vm.expectRevert(abi.encodeWithSelector(IDeposits.ClaimExceeded.selector, 400, 401));
        _as(OTHER_BANK);
        DEPOSITS.confirmSettlement(BANK, CNY, 401, "s1", "");
        _as(OTHER_BANK);
        DEPOSITS.confirmSettlement(BANK, CNY, 150, "s1", "");
        vm.expectRevert(abi.encodeWithSelector(IMembers.NumberUsed.selector, OTHER_BANK, bytes32("s1")));
        _as(OTHER_BANK);
        DEPOSITS.confirmSettlement(BANK, CNY, 150, "s1", "");
        vm.assertEq(DEPOSITS.position(OTHER_BANK, BANK, CNY).claim, 250, "rest");
    }

    function test_a_limit_can_be_lowered_whatever_has_become_of_the_bank() public {
        _limit(OTHER_BANK, BANK, 400);
        _setStatus(BANK, IConsortium.Status.Suspended);
        _limit(OTHER_BANK, BANK, 0);
        vm.expectRevert(abi.encodeWithSelector(IMembers.NotBank.selector, BANK));
        _as(OTHER_BANK);
        DEPOSITS.setLimit(BANK, CNY, 1, "");
        vm.expectRevert(abi.encodeWithSelector(IMembers.NotBank.selector, TRADER));
        _as(TRADER);
        DEPOSITS.setLimit(OTHER_BANK, CNY, 1, "");
    }

    function test_a_banks_own_money_comes_into_being_and_goes() public {
        IDeposits.Payment memory payment = _payment(BANK, TRADER, BANK, 5);
        _as(BANK);
        DEPOSITS.pay(payment, "");
        payment = _payment(BANK, BANK, 0, 105);
        _as(TRADER);
        DEPOSITS.pay(payment, "fee");
        vm.assertEq(_balance(BANK, TRADER), 900, "balance");
        _checkBook(BANK, 900);
    }

    function test_nobody_pays_out_of_a_bank_that_is_suspended() public {
        _issue(BANK, SUPPLIER, 1);
        _setStatus(BANK, IConsortium.Status.Suspended);
        IDeposits.Payment memory payment = _payment(BANK, SUPPLIER, BANK, 4);
        vm.expectRevert(abi.encodeWithSelector(IMembers.PartyNotActive.selector, BANK));
        _as(TRADER);
        DEPOSITS.pay(payment, "");
    }

    function testFuzz_a_payment_moves_what_it_says(uint128 amount, uint128 limit) public {
        _limit(OTHER_BANK, BANK, uint128(_within(limit, 1, 2000)));
        uint128 bound = DEPOSITS.position(OTHER_BANK, BANK, CNY).limit;
        amount = uint128(_within(amount, 1, 2000));
        IDeposits.Payment memory payment = _payment(BANK, MILL, OTHER_BANK, amount);
        bool possible = amount <= 1000 && amount <= bound;
        if (!possible) vm.expectRevert();
        _as(TRADER);
        DEPOSITS.pay(payment, "");
        vm.assertEq(_balance(BANK, TRADER), possible ? 1000 - amount : 1000, "payer");
        vm.assertEq(_balance(OTHER_BANK, MILL), possible ? 500 + amount : 500, "payee");
    }

    // ---- holds ----------------------------------------------------------------------------------

    function test_what_is_held_stays() public {
        _issue(BANK, SUPPLIER, 1);
        _as(REGULATOR);
        bytes32 id = DEPOSITS.hold(BANK, CNY, TRADER, 1200, DECISION, "");
        IDeposits.Payment memory payment = _payment(BANK, SUPPLIER, BANK, 1);
        vm.expectRevert();
        _as(TRADER);
        DEPOSITS.pay(payment, "");
        _issue(BANK, TRADER, 300);
        vm.assertEq(DEPOSITS.freeOf(BANK, CNY, TRADER), 100, "what came in above the hold");
        vm.expectRevert(abi.encodeWithSelector(IDeposits.NotParty.selector, id, ARBITRATOR));
        _as(ARBITRATOR);
        DEPOSITS.release(id, 1200, DECISION, "");
        vm.expectRevert(abi.encodeWithSelector(IMembers.DecisionMissing.selector));
        _as(REGULATOR);
        DEPOSITS.release(id, 1200, 0, "");
        _as(REGULATOR);
        DEPOSITS.release(id, 1200, DECISION, "");
        _as(TRADER);
        DEPOSITS.pay(payment, "");
        vm.assertEq(DEPOSITS.holdOf(id).amount, 0, "nothing held");
    }

    function test_a_hold_stops_a_redemption_that_was_asked_for_before() public {
        _as(TRADER);
        bytes32 redemption = DEPOSITS.requestRedemption(BANK, CNY, 300, "r1", "");
        _as(ARBITRATOR);
        DEPOSITS.hold(BANK, CNY, TRADER, 1000, DECISION, "");
        vm.expectRevert();
        _as(BANK);
        DEPOSITS.confirmRedemption(redemption, "");
        _as(BANK);
        DEPOSITS.refuseRedemption(redemption, "held");
        vm.assertEq(_balance(BANK, TRADER), 1000, "stays");
    }

    function test_only_authorities_hold_and_each_decision_once() public {
        vm.expectRevert(abi.encodeWithSelector(IDeposits.NotAuthority.selector, BANK));
        _as(BANK);
        DEPOSITS.hold(BANK, CNY, TRADER, 1, DECISION, "");
        _as(ARBITRATOR);
        DEPOSITS.hold(BANK, CNY, TRADER, 1, DECISION, "");
        vm.expectRevert(abi.encodeWithSelector(IMembers.NumberUsed.selector, ARBITRATOR, DECISION));
        _as(ARBITRATOR);
        DEPOSITS.hold(BANK, CNY, TRADER, 1, DECISION, "");
    }

    function test_another_authority_releases_for_one_that_is_gone() public {
        _as(ARBITRATOR);
        bytes32 id = DEPOSITS.hold(BANK, CNY, TRADER, 1, DECISION, "");
        _setStatus(ARBITRATOR, IConsortium.Status.Revoked);
        vm.expectRevert(abi.encodeWithSelector(IDeposits.NotParty.selector, id, TRADER));
        _as(TRADER);
        DEPOSITS.release(id, 1, DECISION, "");
        _as(REGULATOR);
        DEPOSITS.release(id, 1, DECISION, "");
        vm.assertEq(DEPOSITS.account(BANK, CNY, TRADER).held, 0, "free");
    }

    function test_only_settlement_moves_for_others() public {
        IDeposits.Flow memory flow;
        flow.payer = TRADER;
        flow.payerBank = BANK;
        flow.payee = BANK;
        flow.payeeBank = BANK;
        flow.currency = CNY;
        flow.amount = 1;
        bytes memory refusal = abi.encodeWithSelector(IMembers.NotCaller.selector, account(BANK));
        vm.expectRevert(refusal);
        _as(BANK);
        DEPOSITS.move(flow, "");
        vm.expectRevert(refusal);
        _as(BANK);
        DEPOSITS.setAside(flow, "");
        vm.expectRevert(refusal);
        _as(BANK);
        DEPOSITS.giveBack(flow, "");
        vm.expectRevert(refusal);
        _as(BANK);
        DEPOSITS.holdFor(flow, "pledge", "");
        refusal = abi.encodeWithSelector(IMembers.NotCaller.selector, account(BANK));
        vm.expectRevert(refusal);
        _as(BANK);
        SETTLEMENT.issueFor(BANK, CNY, TRADER, 1, 0);
        vm.expectRevert(refusal);
        _as(BANK);
        SETTLEMENT.redeemFor(BANK, CNY, TRADER, 1, 0);
    }
}
