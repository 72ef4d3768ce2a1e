// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IInstrument} from "../../instruments/interfaces/IInstrument.sol";
import {IReceivables} from "../../receivables/interfaces/IReceivables.sol";
import {IDeposits} from "../interfaces/IDeposits.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {IMembers} from "../interfaces/IMembers.sol";
import {DebtScene} from "./DebtScene.sol";
import {SettlementScene} from "./SettlementScene.sol";

/// @notice The mill pays what it owes.
contract DischargeTest is DebtScene {
    function _debt(uint128 amount, bytes32 number) private view returns (ISettlement.Discharge memory) {
        return ISettlement.Discharge(address(RECEIVABLES), id, 0, BANK, amount, number);
    }

    function test_the_debtor_pays_the_holder_where_the_holder_wants_it() public {
        ISettlement.Discharge memory debt = _debt(600, "p1");
        vm.expectRevert(abi.encodeWithSelector(IDeposits.NoAccount.selector, SUPPLIER, bytes32(0), CNY));
        _as(MILL);
        SETTLEMENT.discharge(debt, "");
        _as(SUPPLIER);
        DEPOSITS.chooseHome(BANK, CNY);
        _as(MILL);
        SETTLEMENT.discharge(debt, "invoice 1");
        vm.assertEq(_balance(BANK, SUPPLIER), 600, "paid");
        vm.assertEq(RECEIVABLES.receivable(id).outstanding, 0, "nothing outstanding");
        vm.assertEq(RECEIVABLES.receivable(id).paid, 600, "all paid");
    }

    function test_nothing_is_paid_twice_and_no_more_than_is_owed() public {
        _as(SUPPLIER);
        DEPOSITS.chooseHome(BANK, CNY);
        ISettlement.Discharge memory debt = _debt(200, "p1");
        _as(MILL);
        SETTLEMENT.discharge(debt, "");
        vm.expectRevert(abi.encodeWithSelector(IMembers.NumberUsed.selector, MILL, bytes32("p1")));
        _as(MILL);
        SETTLEMENT.discharge(debt, "");
        debt = _debt(401, "p2");
        vm.expectRevert();
        _as(MILL);
        SETTLEMENT.discharge(debt, "");
        debt = _debt(400, "p2");
        _as(MILL);
        SETTLEMENT.discharge(debt, "");
        debt = _debt(1, "p3");
        vm.expectRevert();
        _as(MILL);
        SETTLEMENT.discharge(debt, "");
        vm.assertEq(_balance(BANK, SUPPLIER), 600, "once");
    }

    function test_without_the_money_nothing_is_discharged() public {
        _as(SUPPLIER);
        DEPOSITS.chooseHome(BANK, CNY);
        _as(ARBITRATOR);
        DEPOSITS.hold(BANK, CNY, MILL, 500, DECISION, "");
        ISettlement.Discharge memory debt = _debt(600, "p1");
        vm.expectRevert();
        _as(MILL);
        SETTLEMENT.discharge(debt, "");
        vm.assertEq(RECEIVABLES.receivable(id).outstanding, 600, "owed");
    }

    function test_a_pledgees_security_goes_on_in_the_money() public {
        _pledged(address(RECEIVABLES), id, OTHER_BANK);
        _limit(OTHER_BANK, BANK, 600);
        ISettlement.Discharge memory debt = _debt(600, "p1");
        _as(MILL);
        bytes32 hold = SETTLEMENT.discharge(debt, "");
        vm.assertEq(_balance(OTHER_BANK, SUPPLIER), 600, "at the pledgee");
        vm.assertEq(DEPOSITS.freeOf(OTHER_BANK, CNY, SUPPLIER), 0, "held by it");
        vm.expectRevert(abi.encodeWithSelector(IDeposits.NotParty.selector, hold, BANK));
        _as(BANK);
        DEPOSITS.collect(hold, 1, "");
        _as(OTHER_BANK);
        DEPOSITS.collect(hold, 450, "loan 7");
        _as(OTHER_BANK);
        DEPOSITS.release(hold, 150, 0, "the rest is yours");
        vm.assertEq(DEPOSITS.freeOf(OTHER_BANK, CNY, SUPPLIER), 150, "the rest");
        _checkBook(OTHER_BANK, 150);
        vm.expectRevert(abi.encodeWithSelector(IDeposits.HoldExceeded.selector, hold, 0, 1));
        _as(OTHER_BANK);
        DEPOSITS.collect(hold, 1, "");
    }

    function test_an_authoritys_hold_comes_before_the_pledgees() public {
        _pledged(address(RECEIVABLES), id, BANK);
        ISettlement.Discharge memory debt = _debt(600, "p1");
        _as(MILL);
        bytes32 hold = SETTLEMENT.discharge(debt, "");
        _as(REGULATOR);
        DEPOSITS.hold(BANK, CNY, SUPPLIER, 500, DECISION, "");
        vm.expectRevert();
        _as(BANK);
        DEPOSITS.collect(hold, 101, "");
        _as(BANK);
        DEPOSITS.collect(hold, 100, "");
        vm.assertEq(_balance(BANK, SUPPLIER), 500, "held by the regulator");
    }

    function test_only_receivables_are_discharged() public {
        ISettlement.Discharge memory debt = _debt(600, "p1");
        debt.receivables = address(RECEIPTS);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NotReceivables.selector, address(RECEIPTS)));
        _as(MILL);
        SETTLEMENT.discharge(debt, "");
        debt.receivables = address(RECEIVABLES);
        vm.expectRevert(abi.encodeWithSelector(IReceivables.NotDebtor.selector, id, TRADER));
        _as(TRADER);
        SETTLEMENT.discharge(debt, "");
    }
}

/// @notice Places that the members have named `financing` and `pools`.
contract ForOthersTest is SettlementScene {
    address private constant LENDER = address(0x1e4d);
    address private constant POOL = address(0x9001);
    bytes32 private constant LOAN = keccak256("loan 1");

    function setUp() public {
        _foundSettlement();
        vm.etch(LENDER, hex"00");
        vm.etch(POOL, hex"01");
        _register("financing", LENDER);
        _register("pools", POOL);
    }

    function test_a_loan_is_paid_out_and_back() public {
        vm.prank(LENDER);
        bytes32 first = SETTLEMENT.issueFor(BANK, CNY, TRADER, 500, LOAN);
        vm.prank(LENDER);
        bytes32 second = SETTLEMENT.issueFor(BANK, CNY, TRADER, 500, LOAN);
        vm.assertTrue(first != second, "each has an id of its own");
        vm.prank(LENDER);
        SETTLEMENT.redeemFor(BANK, CNY, TRADER, 300, LOAN);
        vm.assertEq(_balance(BANK, TRADER), 700, "balance");
        _checkBook(BANK, 700);
        vm.expectRevert();
        vm.prank(LENDER);
        SETTLEMENT.redeemFor(BANK, CNY, TRADER, 701, LOAN);
        vm.expectRevert(abi.encodeWithSelector(IMembers.NotBank.selector, MILL));
        vm.prank(LENDER);
        SETTLEMENT.issueFor(MILL, CNY, TRADER, 1, LOAN);
        vm.expectRevert(abi.encodeWithSelector(IMembers.NotCaller.selector, POOL));
        vm.prank(POOL);
        SETTLEMENT.issueFor(BANK, CNY, TRADER, 1, LOAN);
    }

    function test_held_money_does_not_pay_a_loan_back() public {
        vm.prank(LENDER);
        SETTLEMENT.issueFor(BANK, CNY, TRADER, 500, LOAN);
        _as(REGULATOR);
        DEPOSITS.hold(BANK, CNY, TRADER, 500, DECISION, "");
        vm.expectRevert();
        vm.prank(LENDER);
        SETTLEMENT.redeemFor(BANK, CNY, TRADER, 1, LOAN);
    }

    function test_a_pool_pays_its_investors() public {
        _issue(BANK, OPERATOR, 500);
        _as(MILL);
        DEPOSITS.chooseHome(OTHER_BANK, CNY);
        _limit(OTHER_BANK, BANK, 1000);
        IDeposits.Payment memory payment = IDeposits.Payment(BANK, MILL, 0, CNY, 200, "d1");
        vm.prank(POOL);
        SETTLEMENT.payFor(OPERATOR, payment, keccak256("pool"));
        vm.assertEq(_balance(OTHER_BANK, MILL), 200, "investor");
        vm.expectRevert(abi.encodeWithSelector(IMembers.NotCaller.selector, LENDER));
        vm.prank(LENDER);
        SETTLEMENT.payFor(OPERATOR, payment, keccak256("pool"));
    }
}
