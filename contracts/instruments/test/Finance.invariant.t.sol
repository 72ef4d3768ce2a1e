// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {FinanceScene} from "@tally/forge/FinanceScene.sol";
import {IClaims} from "../../claims/interfaces/IClaims.sol";
import {IInstrument} from "../interfaces/IInstrument.sol";
import {IPledges} from "../../pledges/interfaces/IPledges.sol";
import {IReceipts} from "../../receipts/interfaces/IReceipts.sol";
import {ReceiptRules} from "../../receipts/libraries/ReceiptRules.sol";
import {IStock} from "../../stock/interfaces/IStock.sol";
import {SecurityActor} from "./SecurityActor.sol";

/// @notice The members, in a consortium of their own.
contract FinanceActor is SecurityActor {
    /// @dev Two lots of one warehouse, one of another.
    function begin() external {
        time = block.timestamp;
        _register("settlement", SETTLEMENT_PLACE);
        _register("financing", FINANCING_PLACE);
        bytes32[] memory counters = new bytes32[](1);
        counters[0] = INSPECTOR;
        for (uint256 i = 0; i < 3; ++i) {
            bytes32 owner = i < 2 ? WAREHOUSE : OTHER_WAREHOUSE;
            _as(owner);
            lots.push(STOCK.registerLot("silo", bytes32(i + 1), _agreement(), counters));
            _count(lots[i], 1_500);
        }
        for (uint256 i = 0; i < 16; ++i) {
            claimKeys.push(keccak256(abi.encode("item", i)));
        }
    }

    /// @dev What the members may try; twice what the rest depends on.
    function selectors() external pure returns (bytes4[] memory list) {
        bytes4[26] memory all = [
            this.count.selector,
            this.issue.selector,
            this.issue.selector,
            this.nominate.selector,
            this.transfer.selector,
            this.reject.selector,
            this.surrender.selector,
            this.takeBack.selector,
            this.finish.selector,
            this.finish.selector,
            this.split.selector,
            this.merge.selector,
            this.requestDelivery.selector,
            this.deliver.selector,
            this.period.selector,
            this.wait.selector,
            this.propose.selector,
            this.accept.selector,
            this.secure.selector,
            this.release.selector,
            this.fail.selector,
            this.permit.selector,
            this.freeze.selector,
            this.settlement.selector,
            this.standing.selector,
            this.entrust.selector
        ];
        list = new bytes4[](all.length);
        for (uint256 i = 0; i < all.length; ++i) {
            list[i] = all[i];
        }
    }

    function idCount() external view returns (uint256) {
        return ids.length;
    }

    function pledgeCount() external view returns (uint256) {
        return pledges.length;
    }
}

/// @notice What is true of all receipts, stock, claims and pledges together, whatever members do.
contract FinanceInvariants is FinanceScene {
    FinanceActor private actor;
    mapping(bytes32 pledge => uint256) private covered;
    mapping(bytes32 id => mapping(bytes32 key => bool)) private claimed;

    function setUp() public {
        _found();
        vm.etch(address(0x5e77), hex"00");
        vm.etch(address(0xf1a), hex"00");
        actor = new FinanceActor();
        actor.begin();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(actor);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory chosen) {
        chosen = new FuzzSelector[](1);
        chosen[0] = FuzzSelector(address(actor), actor.selectors());
    }

    /// The judgement is worth what gets through to be judged.
    function test_random_members_get_through_with_every_act() public {
        bytes4[] memory list = actor.selectors();
        uint256 random = 7;
        for (uint256 i = 0; i < 5_000; ++i) {
            random = uint256(keccak256(abi.encode(random)));
            bytes memory data = abi.encodePacked(
                list[random % list.length], abi.encode(random >> 8, keccak256(abi.encode(random)), random >> 64)
            );
            (bool ok,) = address(actor).call(data);
            require(ok, "an actor failed");
        }
        bytes4[40] memory acts = [
            IReceipts.issue.selector,
            IReceipts.nominate.selector,
            IReceipts.endorse.selector,
            IReceipts.transferHolding.selector,
            IReceipts.transferBoth.selector,
            IReceipts.rejectOwnership.selector,
            IReceipts.rejectHolding.selector,
            IReceipts.rejectBoth.selector,
            IReceipts.surrender.selector,
            IReceipts.recall.selector,
            IReceipts.restore.selector,
            IReceipts.shred.selector,
            IReceipts.split.selector,
            IReceipts.merge.selector,
            IReceipts.requestDelivery.selector,
            IReceipts.deliver.selector,
            IReceipts.expire.selector,
            IReceipts.extend.selector,
            IReceipts.cancel.selector,
            IReceipts.replace.selector,
            IReceipts.toPaper.selector,
            IReceipts.toElectronic.selector,
            IInstrument.freeze.selector,
            IInstrument.unfreeze.selector,
            IInstrument.award.selector,
            IInstrument.permit.selector,
            IInstrument.lock.selector,
            IInstrument.unlock.selector,
            IInstrument.settle.selector,
            IPledges.propose.selector,
            IPledges.accept.selector,
            IPledges.release.selector,
            IPledges.declareDefault.selector,
            IPledges.cure.selector,
            IPledges.enforce.selector,
            IPledges.annul.selector,
            IPledges.secure.selector,
            IPledges.discharge.selector,
            IStock.count.selector,
            IStock.entrust.selector
        ];
        uint256 missing;
        for (uint256 i = 0; i < acts.length; ++i) {
            if (actor.done(acts[i]) == 0) missing |= 1 << i;
        }
        vm.assertEq(missing, 0, "acts that never went through, by bit");
        afterInvariant();
    }

    /// What every act must keep is judged by the actors themselves, act by act; a failing judgement fails the
    /// run. Here is what may be asked at any time, cheaply.
    function invariant_each_lot_has_as_much_live_as_was_issued_and_has_not_ended() public view {
        for (uint256 i = 0; i < 3; ++i) {
            bytes32 lot = actor.lots(i);
            uint256 live = actor.issued(lot) - actor.ended(lot);
            vm.assertEq(uint256(STOCK.lotOf(lot).live), live, "live");
        }
    }

    /// At the end of each run, everything is counted again.
    function afterInvariant() public {
        _recountReceipts();
        _recountClaims();
        _recountPledges();
    }

    function _recountReceipts() private view {
        uint256[3] memory sums;
        for (uint256 i = 0; i < actor.idCount(); ++i) {
            bytes32 id = actor.ids(i);
            IReceipts.Receipt memory found = RECEIPTS.receipt(id);
            if (_backed(found.state)) sums[_lotIndex(found.lot)] += found.quantity;
            uint256 freezes;
            if (RECEIPTS.isFrozenBy(id, REGULATOR)) ++freezes;
            if (RECEIPTS.isFrozenBy(id, ARBITRATOR)) ++freezes;
            vm.assertEq(uint256(found.freezes), freezes, "as many freezes as authorities that froze");
            if (!_backed(found.state)) vm.assertTrue(RECEIPTS.keysOf(id).length == 0, "what ended claims nothing");
        }
        for (uint256 i = 0; i < 3; ++i) {
            IStock.Lot memory lot = STOCK.lotOf(actor.lots(i));
            vm.assertEq(uint256(lot.live), sums[i], "live is the sum of the receipts");
            bool short = uint256(lot.counted) + uint256(lot.live) * lot.agreement.shortfallBp / 10_000 < lot.live;
            vm.assertTrue(lot.short == short, "a shortfall is known");
        }
    }

    function _lotIndex(bytes32 lot) private view returns (uint256) {
        for (uint256 i = 0; i < 3; ++i) {
            if (actor.lots(i) == lot) return i;
        }
        revert("unknown lot");
    }

    function _recountClaims() private {
        for (uint256 i = 0; i < actor.idCount(); ++i) {
            bytes32 id = actor.ids(i);
            bytes32[] memory keys = RECEIPTS.keysOf(id);
            for (uint256 k = 0; k < keys.length; ++k) {
                vm.assertEq(CLAIMS.claimOf(keys[k]).id, id, "each key is claimed for its receipt");
                vm.assertFalse(claimed[id][keys[k]], "once");
                claimed[id][keys[k]] = true;
            }
        }
        for (uint256 i = 0; i < 16; ++i) {
            IClaims.Claim memory found = CLAIMS.claimOf(actor.claimKeys(i));
            if (found.id == 0) continue;
            vm.assertTrue(_backed(RECEIPTS.receipt(found.id).state), "a claim is behind a live receipt");
            vm.assertTrue(claimed[found.id][actor.claimKeys(i)], "which knows it");
        }
    }

    function _recountPledges() private {
        for (uint256 i = 0; i < actor.idCount(); ++i) {
            bytes32 id = actor.ids(i);
            bytes32 key = PLEDGES.pledgeOf(address(RECEIPTS), id);
            vm.assertEq(RECEIPTS.receipt(id).pledgee, PLEDGES.pledge(key).pledgee, "one pledge, known to both");
            if (key != 0) ++covered[key];
        }
        for (uint256 i = 0; i < actor.pledgeCount(); ++i) {
            bytes32 key = actor.pledges(i);
            IPledges.Pledge memory found = PLEDGES.pledge(key);
            bool live = found.state == IPledges.State.Active || found.state == IPledges.State.Defaulted;
            vm.assertEq(uint256(found.assets), covered[key], "as many as it covers");
            vm.assertTrue(live == (found.assets != 0), "a pledge lives while it covers something");
        }
    }

    function _backed(uint8 state) private pure returns (bool) {
        return state >= ReceiptRules.STATE_LIVE && state <= ReceiptRules.STATE_EXPIRED;
    }
}
