// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IInstrument} from "../../instruments/interfaces/IInstrument.sol";
import {IApplications} from "../interfaces/IApplications.sol";
import {IFinancing} from "../interfaces/IFinancing.sol";
import {ILoanActs} from "../interfaces/ILoanActs.sol";
import {LoanRules} from "../libraries/LoanRules.sol";
import {LoanScene} from "./LoanScene.sol";

/// @notice Payout, repayment and what must not be possible.
contract FinancingTest is LoanScene {
    bytes32 private asset;

    function setUp() public {
        _foundFinancing();
        asset = _issued("A-1", wheat, 100);
    }

    function test_payout_pledges_and_pays_together() public {
        bytes32 id = _drawn("L-1", asset);
        vm.assertEq(_balance(BANK, TRADER), 1_000_000, "paid");
        vm.assertEq(RECEIPTS.control(asset).pledgee, BANK, "pledged");
        vm.assertEq(FINANCING.loan(id).pledge, PLEDGES.pledgeOf(address(RECEIPTS), asset), "for the loan");
    }

    function test_a_loan_is_paid_out_once() public {
        bytes32 id = _drawn("L-1", asset);
        bytes memory again = abi.encodeCall(IFinancing.drawDown, (id, 0, ""));
        _refused(BANK, address(FINANCING), again, ILoanActs.WrongState.selector);
        vm.assertEq(_balance(BANK, TRADER), 1_000_000, "once");
    }

    function test_neither_pledge_nor_money_where_the_collateral_has_gone() public {
        bytes32 id = _accepted("L-1", asset);
        _as(TRADER);
        RECEIPTS.transferBoth(asset, 0, MILL, MILL, "");
        bytes memory draw = abi.encodeCall(IFinancing.drawDown, (id, 0, ""));
        _refused(BANK, address(FINANCING), draw, IApplications.CheckFailed.selector);
        vm.assertEq(_balance(BANK, TRADER), 0, "unpaid");
        vm.assertEq(uint256(_loanState(id)), LoanRules.STATE_ACCEPTED, "as it was");
    }

    /// @notice Whatever is paid when: the bank gets principal and interest, the collateral goes free with
    /// the last of it and not before.
    function testFuzz_all_is_paid_before_the_collateral_goes_free(uint128[4] memory amounts, uint24[4] memory waits)
        public
    {
        bytes32 id = _drawn("L-1", asset);
        _issue(BANK, TRADER, 100_000_000);
        uint256 paid;
        for (uint256 i = 0; i < 4; ++i) {
            vm.warp(block.timestamp + waits[i]);
            (uint128 principal, uint128 interest) = FINANCING.owed(id, uint48(block.timestamp));
            uint128 amount = uint128(_within(amounts[i], 1, principal + interest));
            if (amount == principal + interest) amount = 1;
            _as(TRADER);
            FINANCING.repay(id, 0, amount, new bytes32[](0), "");
            paid += amount;
            vm.assertEq(RECEIPTS.control(asset).pledgee, BANK, "still pledged");
            (uint128 left, uint128 rest) = FINANCING.owed(id, uint48(block.timestamp));
            vm.assertEq(uint256(left) + rest, uint256(principal) + interest - amount, "what was paid is paid");
        }
        (uint128 last, uint128 due) = FINANCING.owed(id, uint48(block.timestamp));
        _as(TRADER);
        FINANCING.repay(id, 0, type(uint128).max, _one(asset), "");
        vm.assertEq(paid + last + due, 1_000_000 + FINANCING.loan(id).debt.interestPaid, "no more, no less");
        vm.assertEq(uint256(_loanState(id)), LoanRules.STATE_REPAID, "repaid");
        vm.assertEq(RECEIPTS.control(asset).pledgee, bytes32(0), "free");
    }

    function testFuzz_a_sealed_quote_opens_as_it_was_sealed(uint32 rateBp, uint32 other, bytes32 salt) public {
        rateBp = uint32(_within(rateBp, 0, 900));
        vm.assume(other != rateBp || salt != SALT);
        bytes32 id = _applied("L-1", asset, IApplications.Mode.Market);
        _seal(id, BANK, rateBp);
        vm.warp(block.timestamp + 2 days);
        bytes memory changed = abi.encodeCall(IApplications.reveal, (id, 0, 1_000_000, other, TEXT, salt, ""));
        _refused(BANK, address(APPLICATIONS), changed, IApplications.CommitmentDiffers.selector);
        _reveal(id, BANK, rateBp);
        vm.assertEq(uint256(APPLICATIONS.offerOf(id, BANK).rateBp), rateBp, "as sealed");
    }

    function testFuzz_the_best_quote_wins(uint32 first, uint32 second, bool firstOpensFirst) public {
        first = uint32(_within(first, 0, 900));
        second = uint32(_within(second, 0, 900));
        bytes32 id = _applied("L-1", asset, IApplications.Mode.Market);
        _seal(id, BANK, first);
        _seal(id, OTHER_BANK, second);
        vm.warp(block.timestamp + 2 days);
        if (firstOpensFirst) _reveal(id, BANK, first);
        _reveal(id, OTHER_BANK, second);
        if (!firstOpensFirst) _reveal(id, BANK, first);
        bytes32 best = second < first ? OTHER_BANK : BANK;
        vm.assertEq(APPLICATIONS.application(id).best, best, "lowest, then earliest");
    }

    function test_advice_and_decision_are_written_by_different_hands() public {
        bytes32 id = _applied("L-1", asset, IApplications.Mode.Tiered);
        bytes memory advice = abi.encodeCall(IApplications.advise, (id, 0, 700, 1, 1, TEXT, ""));
        uint48 until = uint48(block.timestamp + 1 days);
        bytes memory decision = abi.encodeCall(IApplications.approve, (id, 0, 1, until, TEXT, ""));
        _refused(BANK, address(APPLICATIONS), advice, ILoanActs.NotEntitled.selector);
        _refused(OPERATOR, address(APPLICATIONS), decision, ILoanActs.NotEntitled.selector);
        _refused(TRADER, address(APPLICATIONS), decision, ILoanActs.NotEntitled.selector);
        _as(OPERATOR);
        APPLICATIONS.advise(id, 0, 700, 1, 1, TEXT, "");
        vm.assertEq(APPLICATIONS.offerHash(id, BANK), bytes32(0), "advice decides nothing");
        _as(BANK);
        APPLICATIONS.approve(id, 0, 1_000_000, until, TEXT, "");
        vm.assertEq(uint256(APPLICATIONS.adviceOf(id).score), 700, "a decision leaves advice as it was");
    }

    function test_only_financing_concludes_and_only_financing_lends() public {
        bytes32 id = _accepted("L-1", asset);
        bytes memory conclude = abi.encodeCall(IApplications.conclude, (id, 0, BANK));
        _refused(BANK, address(APPLICATIONS), conclude, IApplications.NotFinancing.selector);
        vm.prank(account(BANK));
        (bool ok,) = address(SETTLEMENT).call(
            abi.encodeWithSignature("issueFor(bytes32,bytes3,bytes32,uint128,bytes32)", BANK, CNY, TRADER, 1, id)
        );
        vm.assertFalse(ok, "a bank issues by itself, not as a loan");
    }

    function test_what_is_frozen_is_not_lent_on() public {
        bytes32 id = _accepted("L-1", asset);
        _as(REGULATOR);
        IInstrument(address(RECEIPTS)).freeze(asset, 0, DECISION, "");
        bytes memory draw = abi.encodeCall(IFinancing.drawDown, (id, 0, ""));
        _refused(BANK, address(FINANCING), draw, IApplications.CheckFailed.selector);
    }
}
