// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IReceivables} from "../../receivables/interfaces/IReceivables.sol";
import {Settlement} from "../Settlement.sol";
import {IDeals} from "../interfaces/IDeals.sol";
import {IDeposits} from "../interfaces/IDeposits.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {DepositsActor} from "./DepositsActor.sol";
import {SettlementActor} from "./SettlementActor.sol";
import {SettlementScene} from "./SettlementScene.sol";

contract SettlementInvariants is SettlementScene {
    uint256 private constant STEPS = 6_000;
    uint256 private constant STEPS_BETWEEN_CHECKS = 100;
    SettlementActor private actor;

    function setUp() public {
        actor = new SettlementActor();
        actor.found();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(actor);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory chosen) {
        chosen = new FuzzSelector[](1);
        chosen[0] = FuzzSelector(address(actor), _steps());
    }

    function _steps() private pure returns (bytes4[] memory steps) {
        bytes4[24] memory all = [
            DepositsActor.issue.selector,
            DepositsActor.pay.selector,
            DepositsActor.confirmSettlement.selector,
            DepositsActor.requestRedemption.selector,
            DepositsActor.decideRedemption.selector,
            DepositsActor.hold.selector,
            DepositsActor.release.selector,
            DepositsActor.collect.selector,
            DepositsActor.issueFor.selector,
            DepositsActor.redeemFor.selector,
            DepositsActor.payFor.selector,
            DepositsActor.wait_.selector,
            DepositsActor.suspend.selector,
            SettlementActor.discharge.selector,
            SettlementActor.contest.selector,
            SettlementActor.owe.selector,
            SettlementActor.offer.selector,
            SettlementActor.setAside.selector,
            SettlementActor.enter.selector,
            SettlementActor.affirm.selector,
            SettlementActor.rescind.selector,
            SettlementActor.end.selector,
            SettlementActor.speak.selector,
            SettlementActor.execute.selector
        ];
        bytes4[13] memory often = [
            SettlementActor.affirm.selector,
            SettlementActor.discharge.selector,
            DepositsActor.wait_.selector,
            SettlementActor.execute.selector,
            SettlementActor.affirm.selector,
            SettlementActor.quash.selector,
            SettlementActor.offer.selector,
            SettlementActor.offer.selector,
            SettlementActor.enter.selector,
            SettlementActor.enter.selector,
            SettlementActor.end.selector,
            SettlementActor.end.selector,
            SettlementActor.discharge.selector
        ];
        steps = new bytes4[](all.length + often.length);
        for (uint256 i = 0; i < all.length; ++i) steps[i] = all[i];
        for (uint256 i = 0; i < often.length; ++i) steps[all.length + i] = often[i];
    }

    /// @dev The calls that a random story has to reach.
    function _calls() private pure returns (bytes4[26] memory) {
        return [
            IDeposits.issue.selector,
            IDeposits.pay.selector,
            IDeposits.confirmSettlement.selector,
            IDeposits.requestRedemption.selector,
            IDeposits.confirmRedemption.selector,
            IDeposits.refuseRedemption.selector,
            IDeposits.withdrawRedemption.selector,
            IDeposits.hold.selector,
            IDeposits.release.selector,
            IDeposits.collect.selector,
            Settlement.issueFor.selector,
            Settlement.redeemFor.selector,
            Settlement.payFor.selector,
            ISettlement.discharge.selector,
            IReceivables.dispute.selector,
            IDeals.offer.selector,
            IDeals.setAside.selector,
            IDeals.accept.selector,
            IDeals.commit.selector,
            IDeals.affirm.selector,
            IDeals.rescind.selector,
            IDeals.attest.selector,
            IDeals.deny.selector,
            IDeals.execute.selector,
            IDeals.giveBack.selector,
            IDeals.quash.selector
        ];
    }

    /// Deposits are conserved, promises and holds add up, claims stay within limits, nothing is paid twice,
    /// and what a buyer gets is worth what it was when he bound himself.
    /// forge-config: default.invariant.runs = 12
    function invariant_money_and_promises_add_up() public view {
        actor.check();
    }

    /// The same in one long story, in which every call has gone well at least once.
    function test_in_a_long_story_every_act_is_done_and_all_adds_up() public {
        bytes4[] memory steps = _steps();
        uint256 seed = 0x7a11;
        for (uint256 i = 0; i < STEPS; ++i) {
            (bool ok, bytes memory why) = address(actor).call(_step(steps, seed));
            vm.assertTrue(ok, string(why));
            seed = uint256(keccak256(abi.encode(seed)));
            if (i % STEPS_BETWEEN_CHECKS == 0) actor.check();
        }
        actor.check();
        bytes4[26] memory calls = _calls();
        for (uint256 i = 0; i < calls.length; ++i) {
            bytes32 name = bytes32(calls[i]);
            vm.assertTrue(actor.done(calls[i]) != 0, string(abi.encodePacked("done: ", _hex(name))));
        }
        vm.assertTrue(actor.done(IDeals.decline.selector) != 0, "declined");
        vm.assertTrue(actor.done(IDeals.withdraw.selector) != 0, "withdrawn");
        vm.assertTrue(actor.done(IDeals.expire.selector) != 0, "expired");
        vm.assertTrue(actor.done(IDeals.agreeCancel.selector) != 0, "cancelled");
    }

    /// @dev One of the steps with numbers made of the seed.
    function _step(bytes4[] memory steps, uint256 seed) private pure returns (bytes memory) {
        uint128[5] memory numbers;
        for (uint256 i = 0; i < 5; ++i) numbers[i] = uint128(uint256(keccak256(abi.encode(seed, i))));
        return abi.encodePacked(steps[seed % steps.length], abi.encode(numbers));
    }

    function _hex(bytes32 word) private pure returns (bytes memory text) {
        bytes16 digits = "0123456789abcdef";
        text = new bytes(8);
        for (uint256 i = 0; i < 4; ++i) {
            text[2 * i] = digits[uint8(word[i]) >> 4];
            text[2 * i + 1] = digits[uint8(word[i]) & 15];
        }
    }
}
