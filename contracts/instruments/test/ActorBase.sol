// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {FinanceScene} from "@tally/forge/FinanceScene.sol";
import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";
import {IReceipts} from "../../receipts/interfaces/IReceipts.sol";
import {ReceiptRules} from "../../receipts/libraries/ReceiptRules.sol";

/// @notice What random members share: who they are, what they have made so far, and what must be true of
/// every act that went through. The judgement is written out here, not read from the table.
abstract contract ActorBase is FinanceScene {
    /// @notice What an act does, as far as the judgement goes.
    enum Kind {
        /// @notice The holder (or the owner) disposes; needs a permit while pledged.
        Dispose,
        /// @notice The warehouse, an answer to the holder, the passing of time.
        Serve,
        /// @notice The warehouse changes what the pledgee relies on: needs a permit while pledged.
        Correct,
        /// @notice A recipient gives back.
        Reject,
        /// @notice An arbitrator or regulator.
        Authority,
        /// @notice The pledgee says what it permits.
        Permit
    }

    uint256 internal constant LIST_MAX = 120;
    address internal constant SETTLEMENT_PLACE = address(0x5e77);
    address internal constant FINANCING_PLACE = address(0xf1a);

    bytes32[] public ids;
    bytes32[] public pledges;
    bytes32[] public lots;
    bytes32[] public claimKeys;
    mapping(bytes32 id => bytes32) internal granted;
    mapping(bytes32 id => uint8) internal finished;
    /// @notice Per lot: quantity that receipts were issued for, and that went out or was void.
    mapping(bytes32 lot => uint256) public issued;
    mapping(bytes32 lot => uint256) public ended;
    /// @notice How often each kind of act went through, by the function's selector.
    mapping(bytes4 selector => uint256) public done;
    uint256 public calls;
    uint256 internal time;

    bytes32[9] internal _roster =
        [WAREHOUSE, OTHER_WAREHOUSE, TRADER, MILL, SUPPLIER, BANK, OTHER_BANK, REGULATOR, ARBITRATOR];

    modifier counted() {
        ++calls;
        vm.warp(time);
        _;
    }

    // ---- choosing ---------------------------------------------------------------------------------

    /// @dev Mostly who may, now and then anybody.
    function _who(uint256 seed, bytes32 right) internal view returns (bytes32) {
        return right != 0 && seed % 5 != 0 ? right : _roster[(seed / 5) % 9];
    }

    function _member(uint256 seed) internal view returns (bytes32) {
        return _roster[2 + seed % 4];
    }

    /// @dev A receipt, rather one that has not ended.
    function _some(uint256 seed) internal view returns (bytes32 id) {
        for (uint256 i = 0; i < 5 && ids.length != 0; ++i) {
            id = ids[(seed >> (8 * i)) % ids.length];
            if (finished[id] == 0) return id;
        }
    }

    function _somePledge(uint256 seed) internal view returns (bytes32) {
        if (pledges.length == 0) return 0;
        uint256 window = pledges.length < 6 ? pledges.length : 6;
        return pledges[pledges.length - 1 - seed % window];
    }

    function _add(bytes32 id) internal {
        ids.push(id);
    }

    // ---- doing ------------------------------------------------------------------------------------

    function _call(address sender, address to, bytes memory data) internal returns (bool ok, bytes memory result) {
        vm.prank(sender);
        (ok, result) = to.call(data);
        if (ok) ++done[bytes4(data)];
    }

    /// @dev An act on a receipt, judged where it went through.
    function _act(Kind kind, bytes32 id, bytes32 who, bytes memory data)
        internal
        returns (bool ok, bytes memory result)
    {
        IReceipts.Receipt memory before = RECEIPTS.receipt(id);
        (ok, result) = _call(account(who), address(RECEIPTS), data);
        if (ok) _judge(kind, id, who, before, keccak256(data));
    }

    // ---- judging ----------------------------------------------------------------------------------

    function _judge(Kind kind, bytes32 id, bytes32 who, IReceipts.Receipt memory before, bytes32 call) internal {
        IReceipts.Receipt memory later = RECEIPTS.receipt(id);
        vm.assertTrue(CONSORTIUM.statusOf(who) == IConsortium.Status.Active, "an active organisation acts");
        vm.assertTrue(later.revision > before.revision, "each act raises the revision");
        if (before.freezes != 0) vm.assertTrue(kind == Kind.Authority, "frozen means frozen");
        if (before.locked) vm.assertTrue(kind == Kind.Authority || kind == Kind.Serve, "locked means locked");
        if (kind == Kind.Dispose) {
            vm.assertTrue(who == before.holder || who == before.owner, "only the holder disposes");
            if (who != before.holder) vm.assertEq(before.owner, later.owner, "an owner without control moves nothing");
        }
        if (before.pledgee != 0) _judgePledged(kind, id, before, later, call);
        if (kind == Kind.Permit) vm.assertEq(who, before.pledgee, "the pledgee permits");
        if (kind == Kind.Serve || kind == Kind.Permit) {
            vm.assertEq(before.holder, later.holder, "who serves does not dispose");
            vm.assertEq(before.owner, later.owner, "who serves does not own");
        }
        granted[id] = 0;
        _remember(id, later.state);
    }

    function _judgePledged(
        Kind kind,
        bytes32 id,
        IReceipts.Receipt memory before,
        IReceipts.Receipt memory later,
        bytes32 call
    ) private view {
        bool needsPermit = kind == Kind.Dispose || kind == Kind.Correct;
        if (needsPermit) vm.assertEq(granted[id], call, "what the pledgee has permitted");
        bool passesOn = later.state == ReceiptRules.STATE_SPLIT || later.state == ReceiptRules.STATE_REPLACED;
        if (!passesOn) vm.assertEq(before.pledgee, later.pledgee, "a pledge stays");
    }

    /// @dev What has ended has ended.
    function _remember(bytes32 id, uint8 state) internal {
        if (finished[id] != 0) vm.assertEq(uint256(finished[id]), uint256(state), "an end is final");
        if (!_backed(state)) finished[id] = state;
    }

    /// @dev Whether a receipt in this state stands for goods.
    function _backed(uint8 state) internal pure returns (bool) {
        return state == ReceiptRules.STATE_LIVE || state == ReceiptRules.STATE_SURRENDERED
            || state == ReceiptRules.STATE_PAPER || state == ReceiptRules.STATE_EXPIRED;
    }
}
