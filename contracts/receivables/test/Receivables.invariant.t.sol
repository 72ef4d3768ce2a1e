// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IInstrument} from "../../instruments/interfaces/IInstrument.sol";
import {IClaims} from "../../claims/interfaces/IClaims.sol";
import {IPledges} from "../../pledges/interfaces/IPledges.sol";
import {IReceivables} from "../interfaces/IReceivables.sol";
import {ReceivableRules} from "../libraries/ReceivableRules.sol";
import {ReceivablesActor} from "./ReceivablesActor.sol";
import {ReceivablesScene} from "./ReceivablesScene.sol";

contract ReceivablesInvariants is ReceivablesScene {
    ReceivablesActor private actor;

    function setUp() public {
        _foundReceivables();
        actor = new ReceivablesActor();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(actor);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory chosen) {
        bytes4[] memory selectors = new bytes4[](11);
        selectors[0] = ReceivablesActor.create.selector;
        selectors[1] = ReceivablesActor.answer.selector;
        selectors[2] = ReceivablesActor.endorse.selector;
        selectors[3] = ReceivablesActor.move.selector;
        selectors[4] = ReceivablesActor.split.selector;
        selectors[5] = ReceivablesActor.pay.selector;
        selectors[6] = ReceivablesActor.mature.selector;
        selectors[7] = ReceivablesActor.contest.selector;
        selectors[8] = ReceivablesActor.freeze.selector;
        selectors[9] = ReceivablesActor.pledge.selector;
        selectors[10] = ReceivablesActor.pass.selector;
        chosen = new FuzzSelector[](1);
        chosen[0] = FuzzSelector(address(actor), selectors);
    }

    function invariant_every_act_was_somebodys_to_do() public view {
        vm.assertEq(actor.wrong(), "", "an act broke a rule");
    }

    /// @notice Of what was owed in the beginning: paid, waived by a decision, or owed still; nothing twice.
    function invariant_children_sum_to_the_parent() public view {
        uint256 count = actor.idCount();
        for (uint256 i = 0; i < count; ++i) {
            bytes32 root = actor.ids(i);
            if (_get(root).root != root) continue;
            uint256 sum;
            for (uint256 j = 0; j < count; ++j) {
                bytes32 part = actor.ids(j);
                IReceivables.Receivable memory found = _get(part);
                if (found.root == root) sum += found.outstanding + found.paid + actor.waived(part);
            }
            vm.assertEq(sum, _get(root).amount, "the whole");
        }
    }

    function invariant_it_is_paid_once() public view {
        for (uint256 i = 0; i < actor.idCount(); ++i) {
            bytes32 id = actor.ids(i);
            IReceivables.Receivable memory found = _get(id);
            vm.assertEq(found.paid, actor.received(id), "paid");
            vm.assertTrue(uint256(found.paid) + found.outstanding <= found.amount, "no more than was owed");
            bool ended = found.state == ReceivableRules.STATE_PAID || found.state >= ReceivableRules.STATE_SPLIT;
            vm.assertTrue(!ended || found.outstanding == 0, "ended, and owed still");
            vm.assertTrue(ended || found.outstanding != 0, "owed, but nothing");
        }
    }

    function invariant_nobody_owes_himself() public view {
        for (uint256 i = 0; i < actor.idCount(); ++i) {
            IReceivables.Receivable memory found = _get(actor.ids(i));
            vm.assertTrue(found.holder != found.debtor, "holder and debtor");
            vm.assertTrue(found.holder != found.guarantor, "holder and guarantor");
            vm.assertTrue(found.holder != REGULATOR && found.holder != ARBITRATOR, "who watches");
            vm.assertTrue(found.endorsements <= 32, "hands");
        }
    }

    /// @notice Whatever is behind a live receivable is claimed by its root, and by nobody else; what an order has
    /// named is kept for it until it is delivered.
    function invariant_an_invoice_is_behind_one_receivable() public view {
        for (uint256 i = 0; i < actor.idCount(); ++i) {
            bytes32 id = actor.ids(i);
            bytes32[] memory keys = RECEIVABLES.keysOf(id);
            uint8 state = _get(id).state;
            bool free = state == ReceivableRules.STATE_REFUSED
                || (state == ReceivableRules.STATE_CANCELLED && !_get(id).financed && _get(id).origin == 0);
            vm.assertTrue(!free || keys.length == 0, "released");
            vm.assertTrue(free || keys.length != 0 || _get(id).origin != 0, "claimed");
            if (state == ReceivableRules.STATE_PROPOSED) continue; // claimed once it is accepted
            for (uint256 j = 0; j < keys.length; ++j) _checkClaim(_get(id), keys[j]);
        }
    }

    function _checkClaim(IReceivables.Receivable memory found, bytes32 key) private view {
        IClaims.Claim memory claim = CLAIMS.claimOf(key);
        bool undelivered = found.state == ReceivableRules.STATE_CONFIRMED || found.state == ReceivableRules.STATE_LAPSED
            || found.state == ReceivableRules.STATE_ANNULLED || found.state == ReceivableRules.STATE_CANCELLED;
        if (claim.id == 0 && found.invoice != 0 && undelivered) {
            claim = CLAIMS.claimOf(keccak256(abi.encode(found.creditor, found.debtor, key)));
        }
        vm.assertEq(claim.id, found.root, "claimed by it");
        vm.assertEq(claim.instrument, address(RECEIVABLES), "and nobody else");
    }

    // ---- that the above means something -----------------------------------------------------------

    /// @dev A to Z and one more in the message below.
    bytes4[27] private _acts = [
        IReceivables.create.selector,
        IReceivables.accept.selector,
        IReceivables.refuse.selector,
        IReceivables.cancel.selector,
        IReceivables.offerCancel.selector,
        IReceivables.agreeCancel.selector,
        IReceivables.invoice.selector,
        IReceivables.deliver.selector,
        IReceivables.lapse.selector,
        IReceivables.undertake.selector,
        IReceivables.endorse.selector,
        IReceivables.reject.selector,
        IReceivables.split.selector,
        IReceivables.present.selector,
        IReceivables.discharge.selector,
        IReceivables.confirmPayment.selector,
        IReceivables.dispute.selector,
        IReceivables.withdrawDispute.selector,
        IReceivables.concede.selector,
        IReceivables.uphold.selector,
        IReceivables.annul.selector,
        IReceivables.declareDefault.selector,
        IReceivables.recourse.selector,
        IInstrument.award.selector,
        IInstrument.settle.selector,
        IPledges.accept.selector,
        IPledges.enforce.selector
    ];

    function test_random_members_do_everything_there_is_to_do() public {
        for (uint256 i = 0; i < 6000; ++i) _step(uint256(keccak256(abi.encode(i))), i);
        for (uint256 i = 0; i < _acts.length; ++i) {
            vm.assertTrue(actor.done(_acts[i]) != 0, string(abi.encodePacked("never: act ", bytes1(uint8(65 + i)))));
        }
        vm.assertEq(actor.wrong(), "", "an act broke a rule");
    }

    function _step(uint256 a, uint256 i) private {
        uint256 b = uint256(keccak256(abi.encode(a)));
        uint256 what = i < 8 ? 0 : (a >> 200) % 11;
        if (what == 0) actor.create(a, uint8(b), uint128(a >> 8), b >> 8);
        else if (what == 1) actor.answer(a, b, uint8(a >> 8));
        else if (what == 2) actor.endorse(a, b, uint8(a >> 8), b % 3 != 0);
        else if (what == 3) actor.move(a, b, uint8(a >> 8), uint8(b >> 8));
        else if (what == 4) actor.split(a, b, a >> 8);
        else if (what == 5) actor.pay(a, b, a >> 8, uint8(b >> 8));
        else if (what == 6) actor.mature(a, b, uint8(a >> 8));
        else if (what == 7) actor.contest(a, b, uint8(a >> 8), b >> 8);
        else if (what == 8) actor.freeze(a, b, uint8(a >> 8), uint8(b >> 8));
        else if (what == 9) actor.pledge(b, uint8(a >> 8));
        else if (b % 4 == 0) actor.pass(uint8(a));
    }
}
