// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IReceipts} from "../../receipts/interfaces/IReceipts.sol";
import {ReceiptRules} from "../../receipts/libraries/ReceiptRules.sol";
import {IStock} from "../../stock/interfaces/IStock.sol";
import {ActorBase} from "./ActorBase.sol";

/// @notice Members who issue receipts, hand them round and fetch the goods.
abstract contract ReceiptActor is ActorBase {
    uint256 private _numbers;

    // ---- goods ------------------------------------------------------------------------------------

    function count(uint256 seed, uint256 amount) external counted {
        bytes32 lot = lots[seed % lots.length];
        uint64 sequence = STOCK.sequenceOf(lot, device(INSPECTOR)) + ((seed >> 8) % 5 == 0 ? 0 : 1);
        // Around what receipts stand for, so that there is a shortfall now and then.
        uint128 around = STOCK.lotOf(lot).live;
        uint128 quantity = uint128((seed >> 16) % 6 == 0 ? amount % 2_000 : around + amount % 500);
        uint48 moment = uint48(block.timestamp - (seed >> 24) % 3 * 100);
        IStock.Count memory told = IStock.Count(lot, quantity, moment, sequence, keccak256("slips"));
        _call(device(INSPECTOR), address(STOCK), abi.encodeCall(IStock.count, (told)));
    }

    function issue(uint256 seed, uint256 amount, uint256 keySeed) external counted {
        if (ids.length >= LIST_MAX) return;
        bytes32 lot = lots[seed % lots.length];
        IReceipts.Draft memory draft = _randomDraft(seed, lot, uint128(1 + amount % 300), keySeed);
        bytes32 who = _who(seed / 3, STOCK.warehouseOf(lot));
        bool fresh = !STOCK.lotOf(lot).short;
        (bool ok, bytes memory result) =
            _call(account(who), address(RECEIPTS), abi.encodeCall(IReceipts.issue, (draft, "")));
        if (!ok) return;
        IStock.Lot memory later = STOCK.lotOf(lot);
        vm.assertTrue(later.live <= later.counted, "never issued beyond what was counted");
        vm.assertTrue(fresh, "nothing is issued during a shortfall");
        vm.assertEq(who, later.warehouse, "the warehouse issues");
        issued[lot] += draft.quantity;
        _add(abi.decode(result, (bytes32)));
    }

    function _randomDraft(uint256 seed, bytes32 lot, uint128 quantity, uint256 keySeed)
        private
        returns (IReceipts.Draft memory draft)
    {
        // Now and then a number that was used before.
        uint256 number = seed % 17 == 0 && _numbers != 0 ? seed % _numbers : _numbers++;
        draft = _draft(bytes32(abi.encodePacked("n", bytes1(uint8(65 + number % 26)), _digits(number))), lot, quantity);
        draft.holder = _member(seed / 5);
        draft.owner = seed % 4 == 0 ? _member(seed / 11) : draft.holder;
        draft.expires = uint48(block.timestamp + 1 + (seed / 13) % 200 days);
        draft.keys = new bytes32[](keySeed % 6 < 2 ? 1 + keySeed % 2 : 0);
        for (uint256 i = 0; i < draft.keys.length; ++i) {
            draft.keys[i] = claimKeys[(keySeed / 3 + i * (1 + keySeed % 5)) % claimKeys.length];
        }
    }

    function _digits(uint256 number) private pure returns (bytes4) {
        return bytes4(
            (uint32(48 + (number / 1000) % 10) << 24) | (uint32(48 + (number / 100) % 10) << 16)
                | (uint32(48 + (number / 10) % 10) << 8) | uint32(48 + number % 10)
        );
    }

    // ---- between members --------------------------------------------------------------------------

    function nominate(uint256 seed, uint256 to) external counted {
        bytes32 id = _some(seed);
        bytes32 who = _who(seed / 7, RECEIPTS.receipt(id).owner);
        _act(Kind.Dispose, id, who, abi.encodeCall(IReceipts.nominate, (id, 0, _member(to), "")));
    }

    function transfer(uint256 seed, uint256 to, uint256 other) external counted {
        bytes32 id = _some(seed);
        bytes32 who = _who(seed / 7, RECEIPTS.receipt(id).holder);
        (bool ok,) = _act(Kind.Dispose, id, who, _transferData(id, seed, to, other));
        if (ok && other % 3 == 0) _reject(id, seed);
    }

    function _transferData(bytes32 id, uint256 seed, uint256 to, uint256 other) internal view returns (bytes memory) {
        seed >>= 64; // what was chosen by the lower bits has chosen the receipt
        bytes32 owner = seed % 2 == 0 ? RECEIPTS.receipt(id).nominee : _member(to);
        if (seed % 3 == 0) return abi.encodeCall(IReceipts.endorse, (id, 0, owner, ""));
        if (seed % 3 == 1) return abi.encodeCall(IReceipts.transferHolding, (id, 0, _member(other), ""));
        return abi.encodeCall(IReceipts.transferBoth, (id, 0, owner, owner, ""));
    }

    function reject(uint256 seed) external counted {
        _reject(_some(seed), seed);
    }

    function _reject(bytes32 id, uint256 seed) private {
        IReceipts.Receipt memory known = RECEIPTS.receipt(id);
        bytes4 selector = IReceipts.rejectBoth.selector;
        bytes32 right = known.holder;
        if (known.rejectable == IReceipts.Rejectable.Ownership) {
            (selector, right) = (IReceipts.rejectOwnership.selector, known.owner);
        } else if (known.rejectable == IReceipts.Rejectable.Holding) {
            selector = IReceipts.rejectHolding.selector;
        }
        (bool ok,) = _act(Kind.Reject, id, _who(seed / 7, right), abi.encodeWithSelector(selector, id, 0, ""));
        if (ok) vm.assertTrue(known.rejectable != IReceipts.Rejectable.Nothing, "there was something to reject");
    }

    // ---- back to the warehouse ----------------------------------------------------------------------

    function surrender(uint256 seed, uint256 purpose) external counted {
        bytes32 id = _some(seed);
        bytes memory data = abi.encodeCall(IReceipts.surrender, (id, 0, IReceipts.Purpose(purpose % 4), ""));
        _act(Kind.Dispose, id, _who(seed / 7, RECEIPTS.receipt(id).holder), data);
    }

    function takeBack(uint256 seed) external counted {
        bytes32 id = _some(seed);
        IReceipts.Receipt memory known = RECEIPTS.receipt(id);
        bool byHolder = seed % 2 == 0;
        bytes4 selector = byHolder ? IReceipts.recall.selector : IReceipts.restore.selector;
        bytes32 right = byHolder ? known.holder : STOCK.warehouseOf(known.lot);
        (bool ok,) = _act(Kind.Serve, id, _who(seed / 7, right), abi.encodeWithSelector(selector, id, 0, ""));
        if (ok) _checkAlive(id);
    }

    function _checkAlive(bytes32 id) private view {
        IReceipts.Receipt memory later = RECEIPTS.receipt(id);
        bool over = later.expires <= block.timestamp;
        uint8 expected = over ? ReceiptRules.STATE_EXPIRED : ReceiptRules.STATE_LIVE;
        vm.assertEq(uint256(later.state), uint256(expected), "expired goods do not come back to life");
    }

    function finish(uint256 seed, uint256 keySeed) external counted {
        bytes32 id = _some(seed);
        IReceipts.Receipt memory known = RECEIPTS.receipt(id);
        bytes32 who = _who(seed / 7, STOCK.warehouseOf(known.lot));
        if (known.state == ReceiptRules.STATE_PAPER) {
            bytes32 bearer = _member(keySeed);
            _act(Kind.Correct, id, who, abi.encodeCall(IReceipts.toElectronic, (id, 0, bearer, bearer, "")));
        } else if (known.purpose == IReceipts.Purpose.Delivery) {
            (bool ok,) = _act(Kind.Serve, id, who, abi.encodeCall(IReceipts.shred, (id, 0, "")));
            if (ok) ended[known.lot] += known.quantity;
        } else if (known.purpose == IReceipts.Purpose.Paper) {
            _act(Kind.Serve, id, who, abi.encodeCall(IReceipts.toPaper, (id, 0, keccak256("paper"), "")));
        } else if (seed % 2 == 0) {
            (bool ok,) = _act(Kind.Correct, id, who, abi.encodeCall(IReceipts.cancel, (id, 0, "")));
            if (ok) ended[known.lot] += known.quantity;
        } else {
            _replace(id, known, who, seed, keySeed);
        }
    }

    function _replace(bytes32 id, IReceipts.Receipt memory known, bytes32 who, uint256 seed, uint256 keySeed) private {
        bytes32 lot = seed % 5 == 0 ? lots[seed % lots.length] : known.lot;
        IReceipts.Draft memory draft = _randomDraft(seed, lot, 1 + uint128(keySeed % (known.quantity + 40)), keySeed);
        bytes memory data = abi.encodeCall(IReceipts.replace, (id, 0, draft, ""));
        (bool ok, bytes memory result) = _act(Kind.Correct, id, who, data);
        if (!ok) return;
        ended[known.lot] += known.quantity;
        issued[lot] += draft.quantity;
        bytes32 successor = abi.decode(result, (bytes32));
        IReceipts.Receipt memory later = RECEIPTS.receipt(successor);
        vm.assertEq(later.holder, known.holder, "the holder stays");
        vm.assertEq(later.owner, known.owner, "the owner stays");
        vm.assertEq(later.pledgee, known.pledgee, "the pledge goes over");
        IStock.Lot memory goods = STOCK.lotOf(lot);
        if (lot != known.lot || draft.quantity > known.quantity) {
            vm.assertTrue(goods.live <= goods.counted, "never replaced beyond what was counted");
        }
        _add(successor);
    }

    // ---- parts ------------------------------------------------------------------------------------

    function split(uint256 seed, uint256 parts, uint256 first) external counted {
        bytes32 id = _some(seed);
        if (ids.length >= LIST_MAX) return;
        _split(id, _who(seed / 7, RECEIPTS.receipt(id).holder), _splitData(id, parts, uint128(first)));
    }

    function _splitData(bytes32 id, uint256 parts, uint128 first) internal view returns (bytes memory) {
        uint128 whole = RECEIPTS.receipt(id).quantity;
        uint128[] memory quantities = new uint128[](2 + parts % 2);
        bytes32[][] memory keys = new bytes32[][](quantities.length);
        keys[0] = RECEIPTS.keysOf(id);
        // Mostly the whole; now and then one more.
        quantities[0] = whole < 3 ? 1 : 1 + first % (whole - 2);
        quantities[1] = quantities.length == 2 ? _minus(whole, quantities[0]) : 1;
        if (quantities.length == 3) quantities[2] = _minus(whole, quantities[0] + 1);
        if (parts % 11 == 0) ++quantities[0];
        return abi.encodeCall(IReceipts.split, (id, 0, quantities, keys, ""));
    }

    function _minus(uint128 a, uint128 b) private pure returns (uint128) {
        return a > b ? a - b : 0;
    }

    function _split(bytes32 id, bytes32 who, bytes memory data) internal {
        IReceipts.Receipt memory known = RECEIPTS.receipt(id);
        (bool ok, bytes memory result) = _act(Kind.Dispose, id, who, data);
        if (!ok) return;
        bytes32[] memory parts = abi.decode(result, (bytes32[]));
        uint256 sum;
        for (uint256 i = 0; i < parts.length; ++i) {
            IReceipts.Receipt memory part = RECEIPTS.receipt(parts[i]);
            sum += part.quantity;
            vm.assertEq(part.pledgee, known.pledgee, "each part is pledged");
            vm.assertEq(part.origin, id, "where it comes from");
            _add(parts[i]);
        }
        vm.assertEq(sum, known.quantity, "children sum to the parent");
    }

    function merge(uint256 seed, uint256 other) external counted {
        if (ids.length >= LIST_MAX || ids.length == 0) return;
        bytes32[] memory from = new bytes32[](2);
        from[0] = _some(seed);
        // Parts of one receipt stand side by side.
        for (uint256 i = 0; i + 1 < ids.length; ++i) {
            if (ids[i] == from[0]) from[1] = other % 3 == 0 ? _some(other) : ids[i + 1];
        }
        bytes32 who = _who(seed / 7, RECEIPTS.receipt(from[0]).holder);
        _merge(from, who);
    }

    function _merge(bytes32[] memory from, bytes32 who) private {
        IReceipts.Receipt memory left = RECEIPTS.receipt(from[0]);
        IReceipts.Receipt memory right = RECEIPTS.receipt(from[1]);
        bytes memory data = abi.encodeCall(IReceipts.merge, (from, new uint64[](2), ""));
        (bool ok, bytes memory result) = _call(account(who), address(RECEIPTS), data);
        if (!ok) return;
        _judge(Kind.Dispose, from[0], who, left, keccak256(data));
        _judge(Kind.Dispose, from[1], who, right, keccak256(data));
        bytes32 id = abi.decode(result, (bytes32));
        vm.assertEq(RECEIPTS.receipt(id).quantity, uint256(left.quantity) + right.quantity, "the sum of both");
        vm.assertTrue(left.pledgee == 0 && right.pledgee == 0, "what is pledged is not merged");
        _add(id);
    }

    // ---- fetching the goods -------------------------------------------------------------------------

    mapping(bytes32 id => bytes32[]) private _asked;

    function requestDelivery(uint256 seed, uint256 amount) external counted {
        bytes32 id = _some(seed);
        IReceipts.Receipt memory known = RECEIPTS.receipt(id);
        uint128 quantity = uint128(amount % (uint256(known.quantity) + 1));
        bytes32[] memory all = RECEIPTS.keysOf(id);
        bytes32[] memory keys = new bytes32[](seed % 2);
        if (keys.length != 0 && all.length != 0) keys[0] = all[seed / 2 % all.length];
        bytes memory data = abi.encodeCall(IReceipts.requestDelivery, (id, 0, quantity, keys, ""));
        (bool ok,) = _act(Kind.Dispose, id, _who(seed / 7, known.holder), data);
        if (!ok) return;
        _asked[id] = keys;
        if (seed % 3 == 0) _deliver(id, seed);
    }

    function deliver(uint256 seed) external counted {
        _deliver(_some(seed), seed);
    }

    function _deliver(bytes32 id, uint256 seed) private {
        IReceipts.Receipt memory known = RECEIPTS.receipt(id);
        bytes32[] memory all = RECEIPTS.keysOf(id);
        bytes32[] memory keys = seed % 5 == 0 ? all : _asked[id];
        bytes32 who = _who(seed / 7, STOCK.warehouseOf(known.lot));
        (bool ok,) = _act(Kind.Serve, id, who, abi.encodeCall(IReceipts.deliver, (id, 0, keys, "")));
        if (ok) vm.assertFalse(known.locked, "what is promised stays whole");
        if (ok) ended[known.lot] += known.requested;
        if (ok) vm.assertTrue(all.length == 0 || RECEIPTS.keysOf(id).length != 0, "what stays is claimed");
        if (ok) vm.assertEq(all.length - RECEIPTS.keysOf(id).length, _asked[id].length, "what was asked for");
    }

    function period(uint256 seed, uint256 longer) external counted {
        bytes32 id = _some(seed);
        IReceipts.Receipt memory known = RECEIPTS.receipt(id);
        if (seed % 2 == 0) {
            (bool ok,) =
                _act(Kind.Serve, id, _who(seed / 7, known.holder), abi.encodeCall(IReceipts.expire, (id, 0, "")));
            if (ok) vm.assertTrue(known.expires <= block.timestamp, "not before its time");
        } else {
            uint48 expires = uint48(block.timestamp + longer % 100 days);
            bytes memory data = abi.encodeCall(IReceipts.extend, (id, 0, expires, ""));
            _act(Kind.Serve, id, _who(seed / 7, STOCK.warehouseOf(known.lot)), data);
        }
    }

    function wait(uint256 seconds_) external counted {
        time += 1 + seconds_ % 2 days;
    }
}
